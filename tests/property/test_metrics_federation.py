"""Metrics over several stores are those over one: whoever measures, however the spans are spread, and counted once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from arcane.federation.execute import Engine
from arcane.federation.metrics import MetricsFound, MetricsQuestion, measure
from arcane.federation.metrics_measure import MetricsBounds, Reading, Seen, series_of
from arcane.federation.source import Source
from arcane.model.deadline import Deadline
from arcane.model.outcome import SourceStatus
from arcane.model.series import Series, Steps
from arcane.model.trace import Trace
from arcane.settings import LimitSettings
from arcane.spi.capabilities import Fields, MetricsRule
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
from arcane.traceql.metrics_query import answer, measurements
from arcane.traceql.metrics_state import Measure
from tests.support.federated import LIMITS, by_span, by_trace, capabilities, corpora, filters, source

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(900)]

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
owner_lists = st.lists(st.integers(0, 2), min_size=40, max_size=40)
_measures = st.frozensets(st.sampled_from(Measure), min_size=3)
_fields = st.just((Fields(frozenset(Scope)),))
rules = st.just(()) | st.builds(MetricsRule, _measures, _fields, _fields).map(lambda rule: (rule,))
measuring = st.builds(lambda can, metrics: replace(can, metrics=metrics), capabilities, rules)
capability_sets = st.lists(measuring, min_size=1, max_size=3)
listing = st.lists(capabilities, min_size=2, max_size=3)


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
queries = st.one_of(
    simple,
    simple,
    st.builds(lambda left, right: Pipeline((MetricsOperation(Op.DIV, left, right),)), plain, plain),
).map(Query)


async def measured(query: Query, sources: Sequence[Source], limits: LimitSettings = LIMITS) -> MetricsFound:
    return await measure(Engine(limits), MetricsQuestion(query, STEPS), sources, Deadline.after(20))


def direct(query: Query, corpus: Sequence[Trace]) -> list[Series]:
    found = {}
    for one in measurements(query):
        reading = Reading(one, STEPS, MetricsBounds(1_000, 0), Seen(wanted=False))
        for trace in corpus:
            reading.add(trace)
        found[one] = series_of(one, reading.state, STEPS, 0)
    return answer(query, found, STEPS)


def same(one: Sequence[Series], other: Sequence[Series]) -> bool:
    return [series.labels for series in one] == [series.labels for series in other] and all(
        left.points == pytest.approx(right.points, rel=1e-9) for left, right in zip(one, other, strict=True)
    )


def check(found: MetricsFound, wanted: list[Series]) -> None:
    if any(one.status is not SourceStatus.OK for one in found.outcome.sources):
        assert all(one.warnings for one in found.outcome.sources if one.status is not SourceStatus.OK)
        event("told to be incomplete")
        return
    assert same(found.series, wanted)


@given(queries, corpora, owner_lists, capability_sets)
async def test_traces_spread_over_stores_are_measured_as_in_one(query, corpus, owners, capability_set) -> None:
    parts = by_trace(corpus, owners, len(capability_set))
    stores = [source(at, part, can) for at, (part, can) in enumerate(zip(parts, capability_set, strict=True))]
    check(await measured(query, stores), direct(query, corpus))


@given(queries, corpora, owner_lists, capability_sets)
async def test_spans_spread_over_stores_are_measured_as_in_one(query, corpus, owners, capability_set) -> None:
    parts = by_span(corpus, owners, len(capability_set))
    stores = [source(at, part, can) for at, (part, can) in enumerate(zip(parts, capability_set, strict=True))]
    check(await measured(query, stores), direct(query, corpus))


@given(queries, corpora, owner_lists, listing)
async def test_copies_in_several_stores_count_once(query, corpus, owners, capability_set) -> None:
    parts = by_span(corpus, owners, len(capability_set))
    parts[0] = list(corpus)
    stores = [source(at, part, can) for at, (part, can) in enumerate(zip(parts, capability_set, strict=True))]
    check(await measured(query, stores), direct(query, corpus))


@given(queries, corpora, capabilities)
async def test_what_a_store_measures_is_what_arcane_measures(query, corpus, can) -> None:
    rule = MetricsRule(frozenset(Measure), (Fields(frozenset(Scope)),), (Fields(frozenset(Scope)),))
    measures = await measured(query, [source(0, corpus, replace(can, metrics=(rule,)))])
    lists = await measured(query, [source(0, corpus, replace(can, metrics=()))])
    assert all(one.status is SourceStatus.OK for one in measures.outcome.sources) or not is_ok(lists)
    if is_ok(lists) and is_ok(measures):
        assert same(measures.series, lists.series)


def is_ok(found: MetricsFound) -> bool:
    return found.outcome.complete
