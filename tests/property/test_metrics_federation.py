"""Metrics over several stores are those over one: whoever measures, however the spans are spread, and counted once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from arcane.federation.execute import Engine
from arcane.federation.metrics import MetricsFound, MetricsQuestion, measure
from arcane.federation.source import Source
from arcane.model.deadline import Deadline
from arcane.model.outcome import SourceStatus
from arcane.model.series import Series
from arcane.settings import LimitSettings
from arcane.spi.capabilities import Fields, MetricsRule
from arcane.traceql.ast import Scope
from arcane.traceql.ast_pipeline import (
    Query,
)
from arcane.traceql.metrics_state import Measure
from tests.support.federated import LIMITS, by_span, by_trace, capabilities, corpora, source
from tests.support.federated_metrics import STEPS, metrics_queries
from tests.support.one_answer_metrics import measured_directly, series_difference

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(900)]

owner_lists = st.lists(st.integers(0, 2), min_size=40, max_size=40)
_measures = st.frozensets(st.sampled_from(Measure), min_size=3)
_fields = st.just((Fields(frozenset(Scope)),))
rules = st.just(()) | st.builds(MetricsRule, _measures, _fields, _fields).map(lambda rule: (rule,))
measuring = st.builds(lambda can, metrics: replace(can, metrics=metrics), capabilities, rules)
capability_sets = st.lists(measuring, min_size=1, max_size=3)
listing = st.lists(capabilities, min_size=2, max_size=3)


async def measured(query: Query, sources: Sequence[Source], limits: LimitSettings = LIMITS) -> MetricsFound:
    return await measure(Engine(limits), MetricsQuestion(query, STEPS), sources, Deadline.after(20))


def check(found: MetricsFound, wanted: list[Series]) -> None:
    if any(one.status is not SourceStatus.OK for one in found.outcome.sources):
        assert all(one.warnings for one in found.outcome.sources if one.status is not SourceStatus.OK)
        event("told to be incomplete")
        return
    assert same(found.series, wanted)


@given(metrics_queries, corpora, owner_lists, capability_sets)
async def test_traces_spread_over_stores_are_measured_as_in_one(query, corpus, owners, capability_set) -> None:
    parts = by_trace(corpus, owners, len(capability_set))
    stores = [source(at, part, can) for at, (part, can) in enumerate(zip(parts, capability_set, strict=True))]
    check(await measured(query, stores), measured_directly(query, corpus, STEPS))


@given(metrics_queries, corpora, owner_lists, capability_sets)
async def test_spans_spread_over_stores_are_measured_as_in_one(query, corpus, owners, capability_set) -> None:
    parts = by_span(corpus, owners, len(capability_set))
    stores = [source(at, part, can) for at, (part, can) in enumerate(zip(parts, capability_set, strict=True))]
    check(await measured(query, stores), measured_directly(query, corpus, STEPS))


@given(metrics_queries, corpora, owner_lists, listing)
async def test_copies_in_several_stores_count_once(query, corpus, owners, capability_set) -> None:
    parts = by_span(corpus, owners, len(capability_set))
    parts[0] = list(corpus)
    stores = [source(at, part, can) for at, (part, can) in enumerate(zip(parts, capability_set, strict=True))]
    check(await measured(query, stores), measured_directly(query, corpus, STEPS))


@given(metrics_queries, corpora, capabilities)
async def test_what_a_store_measures_is_what_arcane_measures(query, corpus, can) -> None:
    rule = MetricsRule(frozenset(Measure), (Fields(frozenset(Scope)),), (Fields(frozenset(Scope)),))
    measures = await measured(query, [source(0, corpus, replace(can, metrics=(rule,)))])
    lists = await measured(query, [source(0, corpus, replace(can, metrics=()))])
    assert all(one.status is SourceStatus.OK for one in measures.outcome.sources) or not is_ok(lists)
    if is_ok(lists) and is_ok(measures):
        assert same(measures.series, lists.series)


def same(one: Sequence[Series], other: Sequence[Series]) -> bool:
    return series_difference(one, other) is None


def is_ok(found: MetricsFound) -> bool:
    return found.outcome.complete
