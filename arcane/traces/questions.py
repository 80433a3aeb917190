"""What the service is asked, and what it answers, in the model's words: pages show it, endpoints encode it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from arcane.conventions import LlmTotals, LlmView
from arcane.federation.assemble import Assembled
from arcane.federation.explain import Explanation
from arcane.federation.hints import HintEffect
from arcane.federation.metrics_explain import ExplainedMeasurement
from arcane.federation.question import StreamOrder
from arcane.model.hit import TraceHit
from arcane.model.outcome import SourceOutcome
from arcane.model.time import TimeRange
from arcane.model.trace import Trace
from arcane.spi.described import SentRequest
from arcane.traceql.ast import Position


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """A search. No `datasources` means all of them; no `within` the cursor's range, or the last hour."""

    text: str
    datasources: tuple[str, ...] = ()
    within: TimeRange | None = None
    cursor: str | None = None
    limit: int | None = None
    spans_per_trace: int = 3
    abort: bool = False
    """One failing datasource fails the search."""
    order: StreamOrder = StreamOrder.ARRIVAL
    endless: bool = False
    """A stream that goes to the end of the range; `limit` does not count then."""


class FoundTrace(msgspec.Struct, frozen=True, gc=False):
    """A hit, the ids of the datasources it came from, and their names.

    `whole` says that its extent and counts are of the whole trace; else another datasource may have more of it.
    """

    hit: TraceHit
    datasource_ids: tuple[str, ...]
    sources: tuple[str, ...]
    whole: bool = True


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """A page of hits, the cursor of what follows (None at the end), and what each datasource contributed."""

    found: tuple[FoundTrace, ...]
    next: str | None
    sources: tuple[SourceOutcome, ...]
    complete: bool
    cached_age_s: float | None = None
    """How old the answer is, where it was kept; None for one that was made now."""
    encoded: list[bytes] = field(default_factory=list, init=False, repr=False, compare=False)
    """The answer as it leaves, once it was encoded: who shares the answer shares the bytes."""


@dataclass(frozen=True, slots=True)
class TraceAnswer:
    """A trace without what is hidden from the caller, and where its spans came from."""

    trace: Trace
    assembled: Assembled

    @property
    def sources(self) -> tuple[SourceOutcome, ...]:
        """What each datasource contributed; spans name their sources by the index in here."""
        return self.assembled.outcome.sources

    @property
    def complete(self) -> bool:
        """True when every datasource answered in full."""
        return self.assembled.outcome.complete

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is missing or odd."""
        return self.assembled.warnings


@dataclass(frozen=True, slots=True)
class LlmReading:
    """A trace as LLM work: views by span id, and the totals over them."""

    views: Mapping[str, LlmView]
    totals: LlmTotals


@dataclass(frozen=True, slots=True)
class PlannedSource:
    """What one datasource would be asked, what would be evaluated here, and why."""

    datasource_id: str
    name: str
    kind: str
    pushed: str | None
    residual: str | None
    steps: tuple[str, ...]
    kept: tuple[Explanation, ...]
    requests: tuple[SentRequest, ...] = ()
    """What it would be sent first, as far as its adapter tells."""


@dataclass(frozen=True, slots=True)
class PlanAnswer:
    """How a search would be asked. `scope` is the project's own condition, in every query."""

    canonical: str
    scope: str | None
    hints: tuple[HintEffect, ...]
    sources: tuple[PlannedSource, ...]


@dataclass(frozen=True, slots=True)
class MeasuringSource:
    """How one datasource takes part in a metrics query: a plan for each of its measurements."""

    datasource_id: str
    name: str
    kind: str
    measurements: tuple[ExplainedMeasurement, ...]


@dataclass(frozen=True, slots=True)
class MetricsPlanAnswer:
    """How a metrics query would be asked, and with which `steps` the series are made of what was measured."""

    canonical: str
    scope: str | None
    hints: tuple[HintEffect, ...]
    steps: tuple[str, ...]
    sources: tuple[MeasuringSource, ...]


@dataclass(frozen=True, slots=True)
class QueryError:
    """What is wrong with a query, where, and what to write instead."""

    message: str
    hint: str | None
    position: Position


@dataclass(frozen=True, slots=True)
class CheckedQuery:
    """Whether a query can be asked; `canonical` is its one spelling, None for a broken one."""

    errors: tuple[QueryError, ...]
    canonical: str | None


@dataclass(frozen=True, slots=True)
class AttributeRequest:
    """Names or values for completion: beginning with `prefix`, seen in `within`."""

    within: TimeRange | None = None
    datasources: tuple[str, ...] = ()
    prefix: str = ""
    scope: str | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class NamedAttribute:
    """An attribute. `field` is how a query writes it, `hidden` says that its values are not the caller's to see."""

    field: str
    scope: str
    name: str
    hidden: bool


@dataclass(frozen=True, slots=True)
class CountedValue:
    """A value. `literal` is how a query writes it; `count` None where no datasource counts."""

    type: str
    value: str | int | float | bool
    literal: str
    count: int | None


@dataclass(frozen=True, slots=True)
class NamesAnswer:
    """Attribute names over all datasources; not `complete` when there are more, or a datasource failed."""

    items: tuple[NamedAttribute, ...]
    complete: bool
    sources: tuple[SourceOutcome, ...]


@dataclass(frozen=True, slots=True)
class ValuesAnswer:
    """Values of one attribute over all datasources."""

    field: str
    items: tuple[CountedValue, ...]
    complete: bool
    sources: tuple[SourceOutcome, ...]
