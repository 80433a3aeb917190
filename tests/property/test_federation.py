"""The properties the engine stands on: asking several stores changes nothing about the answer."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from arcane.federation.execute import Engine
from arcane.federation.explain import conditions_of
from arcane.federation.plan import plan, plans
from arcane.federation.question import Found, Question, Resume
from arcane.federation.required import matches_nothing, required_of
from arcane.federation.source import Source
from arcane.model.deadline import Deadline
from arcane.model.outcome import SourceStatus
from arcane.model.time import TimeRange
from arcane.model.trace import Trace
from arcane.settings import LimitSettings
from arcane.spi.capabilities import Capabilities
from arcane.spi.errors import Unreachable
from arcane.traceql.ast import SpansetFilter
from arcane.traceql.ast_pipeline import Query
from arcane.traceql.evaluate import compile_filter
from arcane.traceql.query import compile_query
from datasources.memory.adapter import Faults
from tests.support.federated import (
    ALL_TIME,
    LIMITS,
    as_query,
    begins_of,
    by_span,
    by_trace,
    capabilities,
    corpora,
    corpora_of_rows,
    direct,
    filters,
    filters_on_rows,
    filters_on_whole_traces,
    matched_of,
    queries,
    sets_of,
    source,
)

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(900)]

owner_lists = st.lists(st.integers(0, 2), min_size=40, max_size=40)
several_capabilities = st.lists(capabilities, min_size=2, max_size=3)
capability_sets = st.lists(capabilities, min_size=1, max_size=1) | several_capabilities | several_capabilities
windows = st.sampled_from((ALL_TIME, TimeRange(20, 45), TimeRange(30, 30)))


async def asked(
    query: Query | SpansetFilter,
    sources: Sequence[Source],
    *,
    limit: int = 100,
    within: TimeRange = ALL_TIME,
    resume: Resume | None = None,
    limits: LimitSettings = LIMITS,
) -> Found:
    question = Question(as_query(query), within, limit, spans_per_trace=100)
    return await Engine(limits).search(question, sources, resume, Deadline.after(20))


async def paged(
    query: Query | SpansetFilter, sources: Sequence[Source], limit: int, limits: LimitSettings = LIMITS
) -> list[Found]:
    pages = [await asked(query, sources, limit=limit, limits=limits)]
    while (resume := pages[-1].resume) is not None:
        assert len(pages) < 100, "paging comes to an end"
        pages.append(await asked(query, sources, limit=limit, resume=resume, limits=limits))
    return pages


def stores(parts: Sequence[Sequence[Trace]], capability_set: Sequence[Capabilities]) -> list[Source]:
    return [source(index, part, can) for index, (part, can) in enumerate(zip(parts, capability_set, strict=True))]


def is_complete(*answers: Found) -> bool:
    complete = all(answer.outcome.complete for answer in answers)
    event(f"complete: {complete}")
    return complete


@given(filters(), corpora, owner_lists, capability_sets, windows)
async def test_traces_spread_over_stores_are_found_as_in_one(query, corpus, owners, capability_set, within) -> None:
    sources = stores(by_trace(corpus, owners, len(capability_set)), capability_set)
    found = await asked(query, sources, within=within)
    expected = direct(query, corpus, within)
    if is_complete(found):
        assert [hit.trace_id for hit in found.hits] == expected.order
        assert matched_of(found.hits) == expected.matched
    else:
        assert {one.status for one in found.outcome.sources} <= {SourceStatus.OK, SourceStatus.APPROXIMATE}
        assert matched_of(found.hits).items() <= expected.matched.items()


@given(filters(), corpora, owner_lists, capability_sets)
async def test_spans_spread_over_stores_are_found_as_in_one(query, corpus, owners, capability_set) -> None:
    found = await asked(query, stores(by_span(corpus, owners, len(capability_set)), capability_set))
    expected = direct(query, corpus)
    assert len({hit.trace_id for hit in found.hits}) == len(found.hits)
    if is_complete(found):
        assert matched_of(found.hits) == expected.matched
        assert begins_of(found.hits) == expected.begins


@given(st.just(SpansetFilter()) | filters(), corpora, owner_lists, several_capabilities, st.integers(1, 9))
async def test_what_is_said_of_a_whole_trace_is_true_of_it(query, corpus, owners, capability_set, limit) -> None:
    found = await asked(query, stores(by_span(corpus, owners, len(capability_set)), capability_set), limit=limit)
    known = {trace.trace_id: trace for trace in corpus}
    for hit, whole in zip(found.hits, found.whole, strict=True):
        trace = known[hit.trace_id]
        if whole:
            counts = (len(trace.spans), trace.error_count)
            assert (hit.duration, hit.span_count, hit.error_count) == (trace.duration, *counts)
    event(f"whole: {any(found.whole)}")


@given(filters_on_whole_traces(), corpora, owner_lists, several_capabilities)
async def test_conditions_on_whole_traces_see_all_of_their_parts(query, corpus, owners, capability_set) -> None:
    found = await asked(query, stores(by_span(corpus, owners, len(capability_set)), capability_set))
    if is_complete(found):
        assert matched_of(found.hits) == direct(query, corpus).matched


@given(filters_on_rows(), corpora, capabilities)
async def test_conditions_on_one_event_hold_on_one_event(query, corpus, can) -> None:
    found = await asked(query, [source(0, corpus, can)])
    if is_complete(found):
        assert matched_of(found.hits) == direct(query, corpus).matched


@given(filters(), corpora, owner_lists, capability_sets, st.integers(1, 3), st.booleans())
async def test_pages_put_together_are_one_big_page(query, corpus, owners, capability_set, limit, split) -> None:
    parts = (by_span if split else by_trace)(corpus, owners, len(capability_set))
    big = await asked(query, stores(parts, capability_set))
    pages = await paged(query, stores(parts, capability_set), limit)
    hits = [hit for page in pages for hit in page.hits]
    assert len({hit.trace_id for hit in hits}) == len(hits)
    assert all(len(page.hits) <= limit for page in pages)
    if is_complete(big, *pages):
        assert [hit.trace_id for hit in hits] == [hit.trace_id for hit in big.hits]
        assert matched_of(hits) == matched_of(big.hits)


@given(filters(), corpora, owner_lists, capability_sets)
async def test_what_a_bound_leaves_out_comes_with_a_later_page(query, corpus, owners, capability_set) -> None:
    sources = stores(by_trace(corpus, owners, len(capability_set)), capability_set)
    pages = await paged(query, sources, 3, LimitSettings(candidates_max=2, scans_max=3))
    hits = [hit for page in pages for hit in page.hits]
    warnings = [warning for page in pages for one in page.outcome.sources for warning in one.warnings]
    assert len({hit.trace_id for hit in hits}) == len(hits)
    if not any("missing" in warning for warning in warnings):
        assert matched_of(hits) == direct(query, corpus).matched


def check_split(query: SpansetFilter, corpus: Sequence[Trace], can: Capabilities, *, alone: bool) -> None:
    made = plan(Query(query), can, alone=alone)
    assert can.covers(made.pushed.condition)
    for trace in corpus:
        wanted = {span.span_id for span in compile_filter(query).matches(trace)}
        pushed = {span.span_id for span in compile_filter(made.pushed).matches(trace)}
        assert wanted <= pushed
        if made.residual is None:
            assert can.exact(made.pushed.condition)
            assert wanted == pushed
        else:
            assert made.residual.filter is not None
            assert wanted == pushed & {span.span_id for span in compile_filter(made.residual.filter).matches(trace)}


@given(filters(), corpora, capabilities, st.booleans())
def test_what_is_pushed_is_implied_and_with_the_residual_it_is_the_query(query, corpus, can, alone) -> None:
    check_split(query, corpus, can, alone=alone)


@given(queries(), st.lists(capabilities, min_size=1, max_size=3), st.booleans())
def test_whatever_is_evaluated_here_has_a_reason_and_nothing_else_has_one(query, asked_together, alone) -> None:
    for made in plans(as_query(query), asked_together, alone=alone and len(asked_together) == 1):
        assert (made.residual is None) == (not made.kept)
        assert all(told.why and told.condition for told in conditions_of(made))


@given(filters_on_rows(), corpora_of_rows(), capabilities)
def test_conditions_on_one_event_are_not_torn_apart(query, corpus, can) -> None:
    check_split(query, corpus, can, alone=True)


@given(
    filters(on_traces=False), corpora, owner_lists, st.lists(capabilities, min_size=2, max_size=3), st.integers(0, 2)
)
async def test_a_failing_store_costs_its_own_rows_only(query, corpus, owners, capability_set, pages_before) -> None:
    parts = by_trace(corpus, owners, len(capability_set))
    sources = stores(parts, capability_set)
    broken = Faults(scan=Unreachable("No connection."), scan_after_pages=pages_before)
    sources[0] = source(0, parts[0], capability_set[0], broken)
    found = await asked(query, sources)
    expected = direct(query, [trace for part in parts[1:] for trace in part]).matched
    own = direct(query, parts[0]).matched
    got = matched_of(found.hits)
    first, *others = found.outcome.sources
    if first.error is not None:
        assert first.error.kind == "unreachable"
        assert first.status is (SourceStatus.PARTIAL if first.rows else SourceStatus.FAILED)
        assert found.resume is not None, "what it still has is asked for again with the next page"
    if all(one.status is SourceStatus.OK for one in others):
        assert {trace_id: spans for trace_id, spans in got.items() if trace_id not in own} == expected
    assert {trace_id: spans for trace_id, spans in got.items() if trace_id in own}.items() <= own.items()


@given(queries(), corpora, owner_lists, capability_sets, st.booleans(), st.sampled_from((ALL_TIME, TimeRange(20, 45))))
async def test_a_query_of_the_whole_language_is_answered_as_by_one_store(
    query, corpus, owners, capability_set, split, within
) -> None:
    """Whole traces in one store or another, or the spans of each strewn over all of them."""
    if split:
        within = ALL_TIME  # what overlaps a range is for each store to say of its part
    parts = (by_span if split else by_trace)(corpus, owners, len(capability_set))
    found = await asked(query, stores(parts, capability_set), within=within)
    expected = direct(query, corpus, within)
    assert len({hit.trace_id for hit in found.hits}) == len(found.hits)
    if is_complete(found):
        assert matched_of(found.hits) == expected.matched
        assert sets_of(found.hits) == expected.sets
        if not split:
            assert [hit.trace_id for hit in found.hits] == expected.order


@given(queries(), corpora, owner_lists, several_capabilities)
async def test_copies_of_traces_change_no_answer(query, corpus, owners, capability_set) -> None:
    parts = [list(corpus), *by_trace(corpus, owners, len(capability_set) - 1)]
    found = await asked(query, stores(parts, capability_set))
    if is_complete(found):
        assert matched_of(found.hits) == direct(query, corpus).matched
        assert [hit.trace_id for hit in found.hits] == direct(query, corpus).order


@given(queries(), corpora)
def test_every_trace_that_matches_has_what_is_required(query, corpus) -> None:
    compiled, required = compile_query(query), required_of(as_query(query))
    assert required
    for trace in corpus:
        if compiled(trace):
            assert not matches_nothing(as_query(query))
            for one in required:
                assert compile_filter(one).matches(trace)


@given(queries(), corpora, owner_lists, capability_sets, st.integers(1, 3), st.booleans())
async def test_pages_of_the_whole_language_are_one_big_page(
    query, corpus, owners, capability_set, limit, split
) -> None:
    parts = (by_span if split else by_trace)(corpus, owners, len(capability_set))
    big = await asked(query, stores(parts, capability_set))
    pages = await paged(query, stores(parts, capability_set), limit)
    hits = [hit for page in pages for hit in page.hits]
    assert len({hit.trace_id for hit in hits}) == len(hits)
    if is_complete(big, *pages):
        assert [hit.trace_id for hit in hits] == [hit.trace_id for hit in big.hits]
        assert matched_of(hits) == matched_of(big.hits)
