"""A search hit: what a result list shows of a trace that matched. `gc=False`: see arcane.model.span."""

from __future__ import annotations

import msgspec

from arcane.model.ids import SpanId, TraceId
from arcane.model.span import StatusCode
from arcane.model.values import Attributes

SPAN_SETS_SHOWN = 100
"""Most span sets of one trace that a hit shows; all are counted. `by(span:id)` makes one of every span."""


class ServiceStats(msgspec.Struct, frozen=True, gc=False):
    """How many spans of a trace a service has, and how many of them failed."""

    span_count: int
    error_count: int = 0


class MatchedSpan(msgspec.Struct, frozen=True, gc=False):
    """A span that matched. `attributes` holds what the query mentioned, keyed by its canonical text.

    `name`, `service` and `status` are None where the backend did not say.
    """

    span_id: SpanId
    start: int
    duration: int
    name: str | None = None
    service: str | None = None
    status: StatusCode | None = None
    attributes: Attributes = msgspec.field(default_factory=dict)


class MatchedSet(msgspec.Struct, frozen=True, gc=False):
    """A span set of a trace: what the query says of it, how many spans it has, and the first of them by start.

    `attributes` is what `by()` and aggregates give, as in arcane.model.spanset.
    """

    attributes: Attributes
    matched: int
    spans: tuple[MatchedSpan, ...]


class TraceHit(msgspec.Struct, frozen=True, gc=False):
    """A trace that matched, newest traces first in any list of them.

    `start` (nanoseconds since the epoch) and `duration` (nanoseconds) are of the whole trace as
    the backend knows it. `matched` counts all spans that matched, `spans` holds the first of
    them by start time. Counts are None where the backend does not tell.

    `span_sets` is empty for a query that neither groups nor counts; else the first of the
    `span_set_count` sets that matched.
    """

    trace_id: TraceId
    start: int
    duration: int
    root_service: str | None
    root_name: str | None
    matched: int
    spans: tuple[MatchedSpan, ...]
    span_count: int | None = None
    error_count: int | None = None
    services: dict[str, ServiceStats] = msgspec.field(default_factory=dict)
    span_sets: tuple[MatchedSet, ...] = ()
    span_set_count: int = 0

    @property
    def position(self) -> tuple[int, str]:
        """Where the hit stands in the order newest first, ties by trace id: sorts descending."""
        return (self.start, self.trace_id)
