"""A scan: the one question every backend answers."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from arcane.model.hit import TraceHit
from arcane.model.ids import TraceId
from arcane.model.time import TimeRange
from arcane.model.trace import Trace
from arcane.traceql.ast import Field, SpansetFilter


@dataclass(frozen=True, slots=True)
class ScanRequest:
    """Which traces are wanted: those that overlap `within` and have a span that matches `filter`.

    `filter` holds only what the adapter's capabilities cover. An answer may be a superset where
    a rule is not exact, and never a subset. `spans_per_trace` bounds the matched spans of a hit;
    `select` names fields to return for each of them beside those the filter mentions. With `began_within`,
    traces that began before the window are not wanted: an answer may have them, and need not. `whole` says that
    what is found is read whole afterwards: where one request brings many traces, candidates may have theirs. `bare`
    says that nobody will look at what spans carry of their own (attributes, events, links): candidates' traces may
    be without it.
    """

    within: TimeRange
    limit: int
    filter: SpansetFilter = field(default_factory=SpansetFilter)
    spans_per_trace: int = 3
    select: tuple[Field, ...] = ()
    began_within: bool = False
    whole: bool = False
    bare: bool = False


class Candidate(msgspec.Struct, frozen=True, gc=False):
    """A trace that may match: as a hit where the backend said what matched, as a whole trace where it had it.

    At least one of the two is set. With both, the hit is the backend's answer for the pushed filter.
    """

    trace_id: TraceId
    start: int
    hit: TraceHit | None = None
    trace: Trace | None = None


@dataclass(frozen=True, slots=True)
class ScanPage:
    """Some of a scan's answer. The last page of a scan says whether the range was answered in full.

    `complete` on the last page means: asking again would give nothing else, every trace of the
    range that matches and that the datasource can reach was in this scan's pages. False means the
    limit (or a bound of the backend) was reached. On earlier pages it is False. `warnings` are
    sentences about what is known to be missing and cannot be asked for; they make an answer partial.
    """

    candidates: tuple[Candidate, ...]
    complete: bool = False
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AttributeName:
    """An attribute that exists, as a TraceQL field; `field` of an intrinsic has the scope INTRINSIC."""

    field: Field


@dataclass(frozen=True, slots=True)
class AttributeValueCount:
    """A value that an attribute has; `count` where the backend knows how often."""

    type: str
    """One of string, int, float, bool, keyword, duration."""
    value: str | int | float | bool
    count: int | None = None


@dataclass(frozen=True, slots=True)
class AttributeQuery:
    """Which names or values are wanted for completion: at most `limit`, seen in `within`, beginning with `prefix`."""

    within: TimeRange
    limit: int = 100
    prefix: str = ""
    filter: SpansetFilter = field(default_factory=SpansetFilter)


@dataclass(frozen=True, slots=True)
class Health:
    """What a check found. `latency_ms` is one round trip; `newest_trace` is nanoseconds since the epoch."""

    version: str | None
    latency_ms: float
    newest_trace: int | None = None
    findings: tuple[str, ...] = ()
    """Sentences for a person: what was found, what is missing, what to change."""
