"""Who measures what: a datasource that counts as Arcane does is asked for states, of the others the spans are read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

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


class Hindrance(StrEnum):
    """Why a datasource does not measure, and Arcane reads its spans."""

    SEVERAL_SPANS = "several_spans"
    CONDITION = "condition"
    COMPARISON = "comparison"
    WHOLE_TRACE = "whole_trace"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True)
class MeasurePlan:
    """How one datasource takes part in one measurement.

    Without a `hindrance` it works out the states; else Arcane reads the traces that match `scan.pushed`,
    with `whole_traces` put together from all datasources.
    """

    measurement: Measurement
    scan: SourcePlan
    hindrance: Hindrance | None
    whole_traces: bool

    @property
    def pushed(self) -> bool:
        """True where the datasource is asked to measure."""
        return self.hindrance is None

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
    hindrance = _hindrance(measurement, scan, capabilities, alone=alone)
    return MeasurePlan(measurement, scan, hindrance, not alone and is_whole(measurement))


def _hindrance(
    measurement: Measurement, scan: SourcePlan, capabilities: Capabilities, *, alone: bool
) -> Hindrance | None:
    metrics, of = measurement.metrics, measurement.metrics.of
    if spanwise(measurement.spans) is None:
        return Hindrance.SEVERAL_SPANS
    if metrics.kind not in MEASURE_OF or isinstance(of, SpansetFilter):
        return Hindrance.COMPARISON
    if not alone and needs_whole_trace(measurement):
        return Hindrance.WHOLE_TRACE
    if not capabilities.measures(MEASURE_OF[metrics.kind], of, metrics.by):
        return Hindrance.UNSUPPORTED
    return None if scan.residual is None else Hindrance.CONDITION


def is_whole(measurement: Measurement) -> bool:
    """True where a part of a trace is not enough to say what is measured of its spans."""
    return spanwise(measurement.spans) is None or needs_whole_trace(measurement)


def needs_whole_trace(measurement: Measurement) -> bool:
    """True where a field depends on all spans of the trace, such as the name of its root."""
    fields = (*measurement.fields, *query_fields(measurement.spans))
    return any(level_of(field) is Level.TRACE for field in fields)
