"""What a capture is asked, and how a trace becomes a row. Pure.

A capture copies what a trace says at this moment into a dataset, because somebody asked for it: the row is theirs from
then on, and its origin says where it came from.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from arcane.datasets.columns import BadValue, Column, ColumnType, checked, read
from arcane.datasets.fields import Judged, NoSuchSpan
from arcane.datasets.sources import ABSENT, Source
from arcane.datasets.views import RowsPage
from arcane.model.time import TimeRange
from arcane.model.trace import Trace
from arcane.traces.questions import FoundTrace, SearchRequest


@dataclass(frozen=True, slots=True, order=True)
class Origin:
    """A trace, or with a span id one span of it."""

    trace_id: str
    span_id: str = ""


@dataclass(frozen=True, slots=True)
class CaptureRequest:
    """What is captured: the sources of columns by their names, and traces that are named or that a search finds.

    `within` may help datasources find the named traces faster. `each_span`: of a search, each span that matches.
    """

    columns: Mapping[str, str]
    origins: Sequence[Origin] = ()
    search: SearchRequest | None = None
    each_span: bool = False
    within: TimeRange | None = None
    split: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """What a capture is about to take, and what there is to tell of it before it is read. `more`: there is more."""

    found: Sequence[FoundTrace]
    origins: Sequence[Origin]
    within: TimeRange | None = None
    more: bool = False


@dataclass(frozen=True, slots=True)
class Skipped:
    """A trace that no row was made of, and why, in one sentence."""

    origin: Origin
    reason: str


@dataclass(frozen=True, slots=True)
class Taken:
    """What traces gave: values by column name, in the order asked for, and those that gave none.

    `more` says that the search found more than one capture takes.
    """

    rows: Sequence[tuple[Origin, Mapping[str, Any]]]
    skipped: Sequence[Skipped] = ()
    more: bool = False


@dataclass(frozen=True, slots=True)
class Captured:
    """The rows that were made, and what was left out."""

    page: RowsPage
    skipped: Sequence[Skipped] = field(default=())
    more: bool = False


_USUAL = {
    "trace:input": ("input", "question", "query", "prompt", "user_input"),
    "trace:output": ("output", "answer", "response", "completion"),
    "trace:messages": ("messages", "conversation"),
    "trace:contexts": ("context", "contexts", "retrieved_contexts"),
    "trace:tool_calls": ("tool_calls",),
    "span:gen_ai.request.model": ("model",),
}


def usual_source(column: Column) -> str:
    """Returns the source that a column of this name most likely wants, "" where nobody can tell."""
    name = column.name.strip().lower().replace(" ", "_")
    usual = next((source for source, names in _USUAL.items() if name in names), "")
    return usual or ("trace:messages" if column.type is ColumnType.MESSAGES else "")


class NothingSaid(ValueError):
    """A trace gives no row. The message is one sentence without content."""


def values_of(trace: Trace, origin: Origin, wanted: Sequence[tuple[Column, Source]], most_bytes: int) -> dict[str, Any]:
    """Returns the cells that the trace fills, by column name; raises NothingSaid."""
    try:
        judged = Judged(trace, origin.span_id)
    except NoSuchSpan:
        raise NothingSaid("the trace has no such span") from None
    found = {}
    for column, source in wanted:
        try:
            found[column.name] = fitted(column.type, judged.value(source), most_bytes)
        except BadValue as exc:
            raise NothingSaid(f"{column.name}: {exc}") from None
    if not any(value is not None for value in found.values()):
        raise NothingSaid("the trace says nothing of what is captured")
    return found


def fitted(kind: ColumnType, value: Any, most_bytes: int) -> Any:
    """Returns what a trace says as a cell of the type holds it, None for nothing; raises BadValue."""
    if value is ABSENT or value is None:
        return None
    plain = _plain(value)
    if kind is ColumnType.TEXT and not isinstance(plain, str):
        return checked(kind, json.dumps(plain, ensure_ascii=False), most_bytes)
    if kind is ColumnType.NUMBER and isinstance(plain, str):
        return read(kind, plain, most_bytes)
    if kind is ColumnType.MESSAGES and isinstance(plain, str):
        return checked(kind, [{"role": "user", "content": plain}], most_bytes)
    return checked(kind, plain, most_bytes)


def _plain(value: Any) -> Any:
    """Attributes may hold bytes and tuples; JSON does not."""
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value
