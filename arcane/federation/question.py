"""What is asked of the datasources, and what comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from arcane.federation.merge import Position
from arcane.model.hit import TraceHit
from arcane.model.ids import TraceId
from arcane.model.outcome import QueryOutcome
from arcane.model.time import TimeRange
from arcane.traceql.ast_pipeline import Query

SEEN_MAX = 1_000
"""Traces a cursor remembers, so that the later part of a split trace does not make it appear again."""


class StreamOrder(StrEnum):
    """In which order rows leave a stream."""

    ARRIVAL = "arrival"  # the moment their datasource gives them
    NEWEST = "newest"  # newest first over all datasources


@dataclass(frozen=True, slots=True)
class Question:
    """A search: the newest `limit` traces that overlap `within` and that `query` matches.

    `query` holds the project's scope already. With `abort`, one failing datasource ends the search.
    """

    query: Query
    within: TimeRange
    limit: int
    spans_per_trace: int = 3
    abort: bool = False
    order: StreamOrder = StreamOrder.ARRIVAL
    """In which order a streamed answer gives its rows; a page is always newest first."""
    endless: bool = False
    """The answer is walked to the end of the range; `limit` is then the most that this instance gives."""


@dataclass(frozen=True, slots=True)
class Resume:
    """Where a search goes on: a bound for each datasource, None where nothing is left, and traces already given."""

    within: TimeRange
    places: Mapping[str, Position | None]
    seen: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """A page of hits with the ids of the datasources each came from; `resume` is None at the end of the search.

    `all_failed` when not one of the datasources that were asked for this page gave anything.
    """

    hits: tuple[TraceHit, ...]
    origins: tuple[tuple[str, ...], ...]
    outcome: QueryOutcome
    resume: Resume | None = None
    all_failed: bool = False
    is_page: bool = True
    """The hits are the answer; those of a stream without an end have left before."""
    whole: tuple[bool, ...] = ()
    """For each hit whether its extent and counts are of the whole trace, or of its origins' parts alone."""


def mark_of(trace_id: TraceId) -> bytes:
    """Returns what a cursor remembers of a trace id: its last eight bytes, random in every known scheme."""
    return bytes.fromhex(trace_id[-16:])
