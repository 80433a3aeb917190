"""Where a value comes from: the small language of mappings, for scores and for rows captured from traces. Pure.

A source is one line of text: `<place>:<name>`, and optionally `#<JSON pointer>` that picks a part of it.

    column:question            a column of the dataset
    experiment:output          what the experiment answered; also structured, tool_calls, messages
    trace:input                of a trace; also output, messages, tool_calls, contexts, name, error
    span:http.route            an attribute of the span that is judged
    resource:service.name      an attribute of its resource
    text:Answer in French.     the same text for everything
    column:answer#/choices/0   a part of what the place holds

docs/reference/score-mappings.md is this, for people.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Place(StrEnum):
    """Where a source looks."""

    COLUMN = "column"
    EXPERIMENT = "experiment"
    TRACE = "trace"
    SPAN = "span"
    RESOURCE = "resource"
    TEXT = "text"


class Scope(StrEnum):
    """What an evaluation is over."""

    DATASET = "dataset"
    EXPERIMENTS = "experiments"
    TRACES = "traces"
    LIVE = "live"

    @property
    def of_traces(self) -> bool:
        """True when traces are judged."""
        return self in (Scope.TRACES, Scope.LIVE)


EXPERIMENT_NAMES = ("output", "structured", "tool_calls", "messages")
TRACE_NAMES = ("input", "output", "messages", "tool_calls", "contexts", "name", "error")
_ALLOWED: Mapping[Scope, tuple[Place, ...]] = {
    Scope.DATASET: (Place.COLUMN, Place.TEXT),
    Scope.EXPERIMENTS: (Place.COLUMN, Place.EXPERIMENT, Place.TEXT),
    Scope.TRACES: (Place.TRACE, Place.SPAN, Place.RESOURCE, Place.TEXT),
    Scope.LIVE: (Place.TRACE, Place.SPAN, Place.RESOURCE, Place.TEXT),
}
_NAMES: Mapping[Place, tuple[str, ...]] = {Place.EXPERIMENT: EXPERIMENT_NAMES, Place.TRACE: TRACE_NAMES}
ABSENT: Any = object()
"""What a source gives where there is nothing: not the same as null."""


class BadSource(ValueError):
    """A source that cannot be read; the message says why, in one sentence."""


@dataclass(frozen=True, slots=True)
class Source:
    """A source as it was read."""

    place: Place
    name: str
    pointer: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.place.value}:{self.name}"

    def pick(self, found: Any) -> Any:
        """Returns the part of `found` that the pointer names, ABSENT where there is none."""
        if self.pointer and isinstance(found, str):
            found = _as_json(found)
        for part in self.pointer:
            if isinstance(found, Mapping):
                found = found.get(part, ABSENT)
            elif isinstance(found, Sequence) and not isinstance(found, str) and part.isascii() and part.isdigit():
                found = found[int(part)] if len(part) < 10 and int(part) < len(found) else ABSENT
            else:
                return ABSENT
        return found


def read_source(text: str, scope: Scope, columns: Sequence[str] = ()) -> Source:
    """Returns the source that `text` says; raises BadSource for one that `scope` does not have."""
    word, colon, rest = text.partition(":")
    place = next((one for one in Place if one == word), None) if colon else None
    allowed = _ALLOWED[scope]
    if place is None or place not in allowed:
        ways = ", ".join(f"{one}:..." for one in allowed)
        raise BadSource(f"{text!r} is not a source here; sources are {ways}")
    if place is Place.TEXT:
        return Source(place, rest)
    name, mark, pointer = _split(rest, columns if place is Place.COLUMN else ())
    known = columns if place is Place.COLUMN else _NAMES.get(place)
    if not name or (known is not None and name not in known):
        raise BadSource(f"there is no {place.value}:{name}; there are {', '.join(known or ()) or 'none'}")
    if mark and not pointer.startswith("/"):
        raise BadSource(f"what follows # in {text!r} is a JSON pointer: it begins with /")
    parts = pointer.split("/")[1:] if mark else []
    return Source(place, name, tuple(part.replace("~1", "/").replace("~0", "~") for part in parts))


def _split(rest: str, columns: Sequence[str]) -> tuple[str, str, str]:
    """A column may have # in its name: a name that is one counts whole."""
    if rest in columns:
        return rest, "", ""
    return rest.partition("#")


def _as_json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return ABSENT
