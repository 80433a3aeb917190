"""What is measured in one question, by whom, and how it becomes series."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from arcane.model.series import Series, Steps
from arcane.model.span import Span
from arcane.model.trace import Trace
from arcane.traceql.ast import Field
from arcane.traceql.ast_pipeline import MetricsKind
from arcane.traceql.metrics_accumulate import Accumulator
from arcane.traceql.metrics_compare import Comparer, Comparison, finish_comparison, merge_comparisons
from arcane.traceql.metrics_finish import finish
from arcane.traceql.metrics_query import Measurement
from arcane.traceql.metrics_state import MEASURE_OF, States, merge_states
from arcane.traceql.query import compile_query

Measured: TypeAlias = "States | Comparison"


@dataclass(frozen=True, slots=True)
class MetricsBounds:
    """What a measurement keeps at most, and what it must not look at."""

    series: int
    exemplars: int
    hidden: frozenset[str] = frozenset()


@dataclass(slots=True)
class Seen:
    """Spans that were counted, so that a copy in another datasource is not. Kept only where there are others."""

    wanted: bool
    _spans: set[int] = field(default_factory=set)

    def fresh(self, spans: list[Span]) -> list[Span]:
        """Returns those of `spans` that were not counted yet, and remembers them."""
        if not self.wanted:
            return spans
        keys = [int(span.trace_id + span.span_id, 16) for span in spans]
        found = [span for span, key in zip(spans, keys, strict=True) if key not in self._spans]
        self._spans.update(keys)
        return found


class Reading:
    """Measures the spans of traces that Arcane reads itself: one measurement, one datasource."""

    def __init__(self, measurement: Measurement, steps: Steps, bounds: MetricsBounds, seen: Seen) -> None:
        self._find = compile_query(measurement.spans)
        self._within = steps
        self._seen = seen
        self._into: Accumulator | Comparer
        metrics = measurement.metrics
        if metrics.kind is MetricsKind.COMPARE:
            self._into = Comparer(metrics, steps, bounds.hidden)
        else:
            of = metrics.of if isinstance(metrics.of, Field) else None
            self._into = Accumulator(MEASURE_OF[metrics.kind], of, metrics.by, steps)
            self._into.series_max = bounds.series
            self._into.exemplars = bounds.exemplars > 0

    @property
    def state(self) -> Measured:
        """What was measured so far."""
        return self._into.state

    @property
    def errors(self) -> int:
        """How many spans had no value for a condition."""
        return self._find.errors

    def add(self, trace: Trace) -> None:
        """Measures the spans of `trace` that the query finds."""
        sets = self._find(trace)
        if not sets:
            return
        if len(sets) == 1:
            spans = list(sets[0].spans)
        else:
            spans = list({span.span_id: span for one in sets for span in one.spans}.values())
        index_of = self._within.index_of
        inside = [span for span in spans if index_of(span.start) is not None]
        self._into.add(trace, self._seen.fresh(inside))


def nothing(measurement: Measurement) -> Measured:
    """Returns the state of no spans at all."""
    kind = measurement.metrics.kind
    return Comparison() if kind is MetricsKind.COMPARE else States(MEASURE_OF[kind])


def merge_measured(into: Measured, other: Measured, series_max: int) -> None:
    """Adds `other` to `into`."""
    if isinstance(into, Comparison) and isinstance(other, Comparison):
        merge_comparisons(into, other)
    elif isinstance(into, States) and isinstance(other, States):
        merge_states(into, other, series_max)
    else:
        raise TypeError("states of different functions do not merge")


def series_of(measurement: Measurement, state: Measured, steps: Steps, exemplars: int) -> list[Series]:
    """Returns the series of one measurement."""
    if isinstance(state, Comparison):
        return finish_comparison(measurement.metrics, state, steps)
    return finish(measurement.metrics, state, steps, exemplars)
