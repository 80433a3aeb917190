"""Who measures what: a datasource that counts as Arcane does is asked for states, of the others the spans are read."""

from __future__ import annotations

from dataclasses import dataclass

from arcane.federation.plan import SourcePlan
from arcane.federation.required import spanwise
from arcane.spi.capabilities import Capabilities
from arcane.traceql.ast import SpansetFilter
from arcane.traceql.ast_pipeline import (
    Pipeline,
    Query,
    Stage,
)
from arcane.traceql.format import format_query
from arcane.traceql.intrinsics import Level, level_of
from arcane.traceql.metrics_query import Measurement
from arcane.traceql.metrics_state import MEASURE_OF
from arcane.traceql.query import query_fields


@dataclass(frozen=True, slots=True)
class MeasurePlan:
    """How one datasource takes part in one measurement.

    With `pushed` it works out the states; else Arcane reads the traces that match `scan.pushed`,
    with `whole_traces` put together from all datasources.
    """

    measurement: Measurement
    scan: SourcePlan
    pushed: bool
    whole_traces: bool

    @property
    def text(self) -> str:
        """The measurement as canonical TraceQL."""
        return text_of(self.measurement)


def text_of(measurement: Measurement) -> str:
    """Returns a measurement as canonical TraceQL."""
    body = measurement.spans.body
    stages: tuple[Stage, ...] = body.stages if isinstance(body, Pipeline) else (body,)
    return format_query(Query(Pipeline((*stages, measurement.metrics))))


def plan_measurement(
    measurement: Measurement, scan: SourcePlan, capabilities: Capabilities, *, alone: bool
) -> MeasurePlan:
    """Returns the plan; `scan` is the one that a search for the spans would have, `alone` as it was made."""
    metrics, of = measurement.metrics, measurement.metrics.of
    plain = spanwise(measurement.spans) is not None
    whole = not alone and is_whole(measurement)
    pushed = (
        plain
        and scan.residual is None
        and metrics.kind in MEASURE_OF
        and not isinstance(of, SpansetFilter)
        and (alone or not needs_whole_trace(measurement))
        and capabilities.measures(MEASURE_OF[metrics.kind], of, metrics.by)
    )
    return MeasurePlan(measurement, scan, pushed, whole)


def is_whole(measurement: Measurement) -> bool:
    """True where a part of a trace is not enough to say what is measured of its spans."""
    return spanwise(measurement.spans) is None or needs_whole_trace(measurement)


def needs_whole_trace(measurement: Measurement) -> bool:
    """True where a field depends on all spans of the trace, such as the name of its root."""
    fields = (*measurement.fields, *query_fields(measurement.spans))
    return any(level_of(field) is Level.TRACE for field in fields)
