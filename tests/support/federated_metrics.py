"""Metrics queries for property tests, over the spans of `federated.corpora`."""

from __future__ import annotations

from hypothesis import strategies as st

from arcane.model.series import Steps
from arcane.traceql.ast import Field, Literal, LiteralType, Op, Scope, SpansetFilter
from arcane.traceql.ast_pipeline import (
    Aggregate,
    AggregateKind,
    Metrics,
    MetricsKind,
    MetricsOperation,
    Pipeline,
    Query,
    ScalarFilter,
    SeriesFilter,
    SeriesLimit,
    SpansetOp,
    SpansetOperation,
    Stage,
)
from tests.support.federated import filters

STEPS = Steps(20, 9, 6)
DURATION = Field(Scope.INTRINSIC, "duration")
FIELDS = (
    DURATION,
    Field(Scope.NONE, "a"),
    Field(Scope.SPAN, "b"),
    Field(Scope.RESOURCE, "service.name"),
    Field(Scope.INTRINSIC, "rootName"),
    Field(Scope.INTRINSIC, "name"),
)


def _function(kind: MetricsKind, of: Field, by: list[Field]) -> Metrics:
    if kind is MetricsKind.COMPARE:
        return Metrics(kind, SpansetFilter(), (Literal(LiteralType.INT, 5),))
    counts = kind in (MetricsKind.RATE, MetricsKind.COUNT)
    numbers = (Literal(LiteralType.FLOAT, 0.9),) if kind is MetricsKind.QUANTILE else ()
    return Metrics(kind, None if counts else of, numbers, tuple(by))


def _is_counted(function: Metrics) -> bool:
    return function.kind is not MetricsKind.COMPARE


functions = st.builds(
    _function,
    st.sampled_from(MetricsKind),
    st.sampled_from(FIELDS[:3]),
    st.lists(st.sampled_from(FIELDS), max_size=2, unique=True),
)
_counted = ScalarFilter(Op.GT, Aggregate(AggregateKind.COUNT), Literal(LiteralType.INT, 1))
spans: st.SearchStrategy[tuple[Stage, ...]] = st.one_of(
    filters().map(lambda one: (one,)),
    filters().map(lambda one: (one,)),
    st.builds(
        lambda op, left, right: (SpansetOperation(op, left, right),),
        st.sampled_from((SpansetOp.CHILD, SpansetOp.DESCENDANT, SpansetOp.OR, SpansetOp.NOT_SIBLING)),
        filters(),
        filters(),
    ),
    filters().map(lambda one: (one, _counted)),
)
_later: st.SearchStrategy[tuple[Stage, ...]] = st.sampled_from(
    ((), (), (SeriesLimit(1),), (SeriesFilter(Op.GT, Literal(LiteralType.FLOAT, 0.5)),))
)
simple = st.builds(
    lambda found, function, later: Pipeline(
        (*found, function, *(() if function.kind is MetricsKind.COMPARE else later))
    ),
    spans,
    functions,
    _later,
)
plain = st.builds(lambda found, function: Pipeline((*found, function)), spans, functions.filter(_is_counted))
metrics_queries = st.one_of(
    simple,
    simple,
    st.builds(lambda left, right: Pipeline((MetricsOperation(Op.DIV, left, right),)), plain, plain),
).map(Query)
