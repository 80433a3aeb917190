"""Answers as a person reads them in a shell. Names come from traces: what would steer a terminal is taken out."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.text import Text

from arcane.client.listing import Column, Holds, print_table

_COLUMNS = (
    Column("start", Holds.WHOLE, spare=1),
    Column("service", spare=2),
    Column("name"),
    Column("duration", Holds.FIGURES),
    Column("spans", Holds.FIGURES, spare=4),
    Column("errors", Holds.FIGURES, spare=3),
    Column("matched", Holds.FIGURES, spare=5),
    Column("trace", Holds.WHOLE),
    Column("from", spare=6),
)
"""What `cells_of` yields."""


def show_search(answer: Mapping[str, Any], console: Console) -> None:
    """The traces stand on the console as a table, and below it what is missing from them."""
    names = {source["datasource_id"]: source["name"] for source in answer["sources"]}
    if answer["items"]:
        print_table(_COLUMNS, [tuple(cells_of(item, names)) for item in answer["items"]], console)
    else:
        console.print("no trace matches", style="dim")
    for line in about_sources(answer["sources"]):
        console.print(Text(clean(line), style="yellow"))
    if answer["next"] and any(source["status"] == "failed" for source in answer["sources"]):
        console.print("there may be more: ask again, raise --limit or narrow the time range", style="dim")
    elif answer["next"]:
        console.print("there are more: raise --limit or narrow the time range", style="dim")


def tail_line(item: Mapping[str, Any], names: Mapping[str, str], *, grown: bool) -> Text:
    """Returns a trace as one line; one that was told before and has grown is marked."""
    start, service, name, length, spans, errors, _, trace_id, sources = cells_of(item, names)
    failed = item["error_count"] or 0
    return Text.assemble(
        (str(start)[11:], "dim"),
        "+ " if grown else "  ",
        (str(service), "bold"),
        f"  {name}  {length}  {spans} spans  ",
        (f"{errors} errors  " if failed else "", "red"),
        (f"{trace_id}  {sources}", "dim"),
    )


def clean(text: str) -> str:
    """Returns `text` without control and direction characters: a span's name must not move the cursor."""
    return "".join(
        " " if char.isspace() else char if unicodedata.category(char)[0] != "C" else "\ufffd" for char in text
    )


def cells_of(item: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[Text]:
    """Yields what the columns say of a trace."""
    start = datetime.fromisoformat(item["start"][:23] + "+00:00").astimezone()
    errors = item["error_count"]
    yield Text(start.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3])
    yield Text(clean(item["root_service"] or "?"))
    yield Text(clean(item["root_name"] or "?"))
    yield Text(duration(item["duration_ns"]))
    yield Text(_count(item["span_count"]) + ("" if item.get("whole", True) else "+"))
    yield Text(_count(errors), style="red" if errors else "")
    yield Text(str(item["matched"]))
    yield Text(item["trace_id"])
    yield Text(clean(", ".join(names.get(one, one) for one in item["datasources"])), style="dim")


def _count(count: int | None) -> str:
    return "?" if count is None else str(count)


def duration(nanoseconds: int) -> str:
    """Returns a duration in the unit that suits it."""
    for unit, size in (("s", 1_000_000_000), ("ms", 1_000_000), ("µs", 1_000)):
        if nanoseconds >= size:
            return f"{nanoseconds / size:.3g}{unit}" if nanoseconds < 1_000 * size else f"{nanoseconds // size}{unit}"
    return f"{nanoseconds}ns"


def about_sources(sources: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yields what is missing from an answer, a line a datasource."""
    for source in sources:
        if source["error"]:
            yield f"{source['name']}: {source['status']}: {source['error']['message']}"
        elif source["status"] != "ok":
            yield f"{source['name']}: {source['status']}: {' '.join(source['warnings'])}"
