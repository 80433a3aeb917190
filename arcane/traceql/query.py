"""What a whole query means: the span sets that it finds in a trace.

A query is compiled once and asked of many traces. It has to see all spans of a trace at once:
structure, counts and averages over a part would be others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from arcane.model.span import Span
from arcane.model.spanset import SpanSet
from arcane.model.trace import Trace
from arcane.traceql.ast import Field, Literal, Scope, SpansetFilter
from arcane.traceql.ast_pipeline import (
    Aggregate,
    Coalesce,
    GroupBy,
    Metrics,
    MetricsOperation,
    Pipeline,
    Query,
    ScalarFilter,
    Select,
    SpansetExpr,
    SpansetOp,
    SpansetOperation,
    Stage,
)
from arcane.traceql.evaluate import CompiledFilter, CompiledValue, compile_filter, compile_value, fields_of
from arcane.traceql.fields import Row
from arcane.traceql.intrinsics import Level, level_of
from arcane.traceql.stages import RunStage, Sets, coalesce, grouping, keeping, measured
from arcane.traceql.structure import related, united

_OWN = frozenset({Scope.NONE, Scope.SPAN, Scope.PARENT})
_OWN_LEVELS = frozenset({Level.EVENT, Level.LINK})

Operand: TypeAlias = Callable[[SpanSet, Row], Sequence[Span]]


class CompiledQuery:
    """A query, ready to be asked of whole traces.

    `fields` is what a hit shows of each span: what the query mentions, and what it selects. `errors`
    counts the spans for which something had no value, so far; it belongs to one question.
    """

    def __init__(self, query: Query) -> None:
        self._counted: list[CompiledFilter | CompiledValue] = []
        self._run = self._stages(query.body)
        self.fields = query_fields(query)

    @property
    def errors(self) -> int:
        """How many spans had no value for a condition or an aggregate, such as a division by zero."""
        return sum(one.errors for one in self._counted)

    def __call__(self, trace: Trace) -> list[SpanSet]:
        """Returns the span sets that the query finds in `trace`, none where it does not match."""
        return list(self._run([SpanSet(trace.spans)], Row(trace))) if trace.spans else []

    def _stages(self, body: SpansetExpr) -> RunStage:
        stages = body.stages if isinstance(body, Pipeline) else (body,)
        runs = [run for run in map(self._stage, stages) if run is not None]

        def run(sets: Sets, row: Row) -> Sets:
            for stage in runs:
                sets = stage(sets, row)
            return sets

        return runs[0] if len(runs) == 1 else run

    def _stage(self, stage: Stage) -> RunStage | None:
        match stage:
            case SpansetFilter() | SpansetOperation():
                return self._spans(stage)
            case GroupBy():
                return grouping(stage, self._value(compile_value(stage.by)))
            case Coalesce():
                return coalesce
            case ScalarFilter():
                of = measured(stage)
                return keeping(stage, self._value(of) if of else None)
        return None  # select() decides about what is shown

    def _value(self, value: CompiledValue) -> CompiledValue:
        self._counted.append(value)
        return value

    def _spans(self, stage: SpansetFilter | SpansetOperation) -> RunStage:
        operand = self._operand(stage)

        def run(sets: Sets, row: Row) -> Sets:
            kept = []
            for one in sets:
                spans = operand(one, row)
                if spans:
                    kept.append(SpanSet(tuple(spans), one.attributes))
            return kept

        return run

    def _operand(self, expr: SpansetExpr) -> Operand:
        if isinstance(expr, SpansetFilter):
            compiled = compile_filter(expr)
            self._counted.append(compiled)
            return lambda one, row: compiled.among(one.spans, row)
        if isinstance(expr, Pipeline):
            stages = self._stages(expr)
            return lambda one, row: _together(stages([one], row))
        op, left, right = expr.op, self._operand(expr.left), self._operand(expr.right)
        return lambda one, row: related(op, left(one, row), right(one, row), row.trace)


def compile_query(query: Query) -> CompiledQuery:
    """Returns the query as something to call with whole traces; `check` has let it pass.

    Raises ValueError for a metrics query: what finds spans there is its `search_part`.
    """
    if is_metrics(query):
        raise ValueError("a metrics query gives time series, not spans")
    return CompiledQuery(query)


def is_metrics(query: Query) -> bool:
    """True for a query that gives time series."""
    return isinstance(query.body, Pipeline) and any(map(_is_metrics, query.body.stages))


def search_part(query: Query) -> Query:
    """Returns the query for the spans that a metrics query measures; any other query as it is.

    Of arithmetic between metrics queries that is what any of them measures.
    """
    if not isinstance(query.body, Pipeline) or not is_metrics(query):
        return query
    return Query(_measured_by(query.body), query.hints)


def metrics_part(query: Query) -> tuple[Stage, ...]:
    """Returns the stages of a metrics query from its metrics function on; none of any other query."""
    stages = query.body.stages if isinstance(query.body, Pipeline) else ()
    first = next((index for index, stage in enumerate(stages) if _is_metrics(stage)), len(stages))
    return stages[first:]


def query_fields(query: Query) -> tuple[Field, ...]:
    """Returns every field that the query mentions, wherever it stands, each once, in the order of the text."""
    return tuple(dict.fromkeys(_mentioned(query.body)))


def reads_own(query: Query) -> bool:
    """True when the query asks for what spans carry of their own: attributes, events, links."""
    return any(field.scope in _OWN or level_of(field) in _OWN_LEVELS for field in query_fields(query))


def _is_metrics(stage: Stage) -> bool:
    return isinstance(stage, Metrics | MetricsOperation)


def _measured_by(pipeline: Pipeline) -> SpansetExpr:
    first = pipeline.stages[0]
    if not isinstance(first, MetricsOperation):
        before = pipeline.stages[: next(i for i, stage in enumerate(pipeline.stages) if _is_metrics(stage))]
        only = before[0]
        return only if len(before) == 1 and isinstance(only, SpansetFilter | SpansetOperation) else Pipeline(before)
    found: list[SpansetExpr] = []
    for side in (first.left, first.right):
        if isinstance(side, MetricsOperation):
            found.append(_measured_by(Pipeline((side,))))
        elif isinstance(side, Pipeline):
            found.append(_measured_by(side))
    return found[0] if len(found) == 1 or found[0] == found[1] else SpansetOperation(SpansetOp.OR, found[0], found[1])


def _mentioned(node: Stage | SpansetExpr | Literal) -> Iterator[Field]:
    match node:
        case SpansetFilter() if node.condition:
            yield from fields_of(node.condition)
        case SpansetOperation():
            yield from _mentioned(node.left)
            yield from _mentioned(node.right)
        case Pipeline():
            for stage in node.stages:
                yield from _mentioned(stage)
        case GroupBy():
            yield from fields_of(node.by)
        case Select():
            yield from node.fields
        case ScalarFilter() | MetricsOperation():
            yield from _mentioned(node.left)
            yield from _mentioned(node.right)
        case Aggregate() if node.of:
            yield from fields_of(node.of)
        case Metrics():
            yield from _mentioned(node.of) if isinstance(node.of, SpansetFilter) else filter(None, (node.of,))
            yield from node.by


def _together(sets: Sets) -> Sequence[Span]:
    if len(sets) == 1:
        return sets[0].spans
    return united([span for one in sets for span in one.spans], ())
