"""Who measures what: a datasource that counts as Arcane does is asked for states, of the others the spans are read."""

from __future__ import annotations

from dataclasses import dataclass

from arcane.federation.plan import SourcePlan
from arcane.spi.capabilities import Capabilities
from arcane.traceql.ast import Binary, Expr, Op, SpansetFilter
from arcane.traceql.ast_pipeline import (
    MetricsOperation,
    Pipeline,
    Query,
    SpansetExpr,
    SpansetOp,
    SpansetOperation,
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


def candidates_of(query: Query) -> SpansetFilter:
    """Returns a filter that some span of every trace matches in which the query finds anything."""
    return _necessary(query.body)


def plan_measurement(
    measurement: Measurement, scan: SourcePlan, capabilities: Capabilities, *, alone: bool
) -> MeasurePlan:
    """Returns the plan; `scan` is the one for the filter of `candidates_of`, `alone` as it was made."""
    metrics, spans = measurement.metrics, measurement.spans
    plain = spans.filter is not None
    whole = not alone and (not plain or needs_whole_trace(measurement))
    of = metrics.of
    pushed = (
        plain
        and scan.residual is None
        and metrics.kind in MEASURE_OF
        and not isinstance(of, SpansetFilter)
        and (alone or not needs_whole_trace(measurement))
        and capabilities.measures(MEASURE_OF[metrics.kind], of, metrics.by)
    )
    return MeasurePlan(measurement, scan, pushed, whole)


def needs_whole_trace(measurement: Measurement) -> bool:
    """True where a field depends on all spans of the trace, such as the name of its root."""
    fields = (*measurement.fields, *query_fields(measurement.spans))
    return any(level_of(field) is Level.TRACE for field in fields)


def _necessary(body: SpansetExpr | Stage) -> SpansetFilter:
    match body:
        case SpansetFilter():
            return body
        case Pipeline():
            return _necessary(body.stages[0])
        case SpansetOperation(op=SpansetOp.OR):
            left, right = _necessary(body.left).condition, _necessary(body.right).condition
            both = left is not None and right is not None
            return SpansetFilter(Binary(Op.OR, left, right)) if both else SpansetFilter()  # type: ignore[arg-type]
        case SpansetOperation():
            return _necessary(body.right)
    return SpansetFilter()


def scoped(query: Query, scope: Expr | None) -> Query:
    """Returns the query with `scope` in every filter: no span outside of the project is seen by any part of it."""
    return query if scope is None else Query(_scoped(query.body, scope), query.hints)  # type: ignore[arg-type]


def _scoped(node: Stage | Pipeline, scope: Expr) -> Stage | Pipeline:
    match node:
        case SpansetFilter():
            return SpansetFilter(scope if node.condition is None else Binary(Op.AND, node.condition, scope))
        case SpansetOperation():
            return SpansetOperation(node.op, _scoped(node.left, scope), _scoped(node.right, scope))  # type: ignore[arg-type]
        case MetricsOperation():
            left, right = (
                _scoped(side, scope) if isinstance(side, Pipeline | MetricsOperation) else side
                for side in (node.left, node.right)
            )
            return MetricsOperation(node.op, left, right)  # type: ignore[arg-type]
        case Pipeline():
            first, *rest = node.stages
            begins = isinstance(first, SpansetFilter | SpansetOperation | MetricsOperation)
            stages = (first, *rest) if begins else (SpansetFilter(scope), first, *rest)
            return Pipeline(tuple(_scoped(stage, scope) for stage in stages))  # type: ignore[misc]
    return node
