"""A streamed answer is the searched one, whatever the order, however it is split, and wherever it is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import anyio
import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from arcane.federation.events import Ending
from arcane.federation.execute import Engine
from arcane.federation.question import Found, Question, Resume, StreamOrder
from arcane.federation.source import Source
from arcane.model.deadline import Deadline
from arcane.model.outcome import SourceStatus
from arcane.model.trace import Trace
from arcane.settings import LimitSettings
from arcane.spi.capabilities import Capabilities
from arcane.spi.errors import Unreachable
from arcane.traceql.ast import SpansetFilter
from arcane.traceql.ast_pipeline import Query
from datasources.memory.adapter import Faults, MemoryAdapter
from tests.support.federated import (
    ALL_TIME,
    as_query,
    by_span,
    by_trace,
    capabilities,
    corpora,
    direct,
    filters,
    matched_of,
    queries,
    source,
)
from tests.support.streamed import streamed

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(900)]

LIMITS = LimitSettings(stream_batch=2)
owner_lists = st.lists(st.integers(0, 2), min_size=40, max_size=40)
capability_sets = st.lists(capabilities, min_size=1, max_size=3)
orders = st.sampled_from(StreamOrder)
limits = st.none() | st.integers(1, 4)


def asking(query: Query | SpansetFilter, limit: int | None, order: StreamOrder) -> Question:
    return Question(as_query(query), ALL_TIME, limit or 10_000, 100, order=order, endless=limit is None)


def stores(parts: Sequence[Sequence[Trace]], capability_set: Sequence[Capabilities]) -> list[Source]:
    return [source(index, part, can) for index, (part, can) in enumerate(zip(parts, capability_set, strict=True))]


async def searched(question: Question, sources: Sequence[Source], resume: Resume | None = None) -> Found:
    page = replace(question, endless=False, limit=min(question.limit, 100))
    return await Engine(LIMITS).search(page, sources, resume, Deadline.after(20))


@given(filters() | queries(), corpora, owner_lists, capability_sets, orders, limits, st.booleans())
async def test_a_stream_says_what_a_search_says(query, corpus, owners, capability_set, order, limit, split) -> None:
    parts = (by_span if split else by_trace)(corpus, owners, len(capability_set))
    question = asking(query, limit, order)
    found = await searched(question, stores(parts, capability_set))
    got = await streamed(Engine(LIMITS), question, stores(parts, capability_set))
    complete = found.outcome.complete and got.ended.found.outcome.complete
    event(f"complete: {complete}")
    if not complete:
        return
    assert [hit.trace_id for hit in got.page] == [hit.trace_id for hit in found.hits]
    assert matched_of(got.page) == matched_of(found.hits)
    assert {hit.trace_id: hit.root_name for hit in got.page} == {hit.trace_id: hit.root_name for hit in found.hits}
    assert {one.datasource_id for one in got.settled} <= {one.datasource_id for one in found.outcome.sources}
    if limit is None:
        assert (got.ended.ending, got.ended.found.resume) == (Ending.RANGE, None)


@given(filters(on_traces=False), corpora, owner_lists, capability_sets, st.integers(1, 3), st.integers(0, 3))
async def test_a_stream_goes_on_where_another_one_ended(query, corpus, owners, capability_set, limit, pages) -> None:
    """Some pages, then all the rest in one stream: nothing is lost, nothing comes twice."""
    sources = stores(by_trace(corpus, owners, len(capability_set)), capability_set)
    found = [await streamed(Engine(LIMITS), asking(query, limit, StreamOrder.NEWEST), sources)]
    for _ in range(pages):
        if (resume := found[-1].ended.found.resume) is None:
            break
        found.append(await streamed(Engine(LIMITS), asking(query, limit, StreamOrder.NEWEST), sources, resume))
    if (resume := found[-1].ended.found.resume) is not None:
        found.append(await streamed(Engine(LIMITS), asking(query, None, StreamOrder.NEWEST), sources, resume))
    hits = [hit for one in found for hit in one.page]
    assert len({hit.trace_id for hit in hits}) == len(hits)
    if all(one.ended.found.outcome.complete for one in found):
        assert matched_of(hits) == direct(query, corpus).matched


@given(filters(on_traces=False), corpora, owner_lists, st.lists(capabilities, min_size=2, max_size=3), orders)
async def test_rows_of_a_store_that_comes_back_are_neither_lost_nor_doubled(
    query, corpus, owners, capability_set, order
) -> None:
    parts = by_trace(corpus, owners, len(capability_set))
    sources = stores(parts, capability_set)
    broken = source(0, parts[0], capability_set[0], Faults(scan=Unreachable("No connection."), scan_after_pages=1))
    first = await streamed(Engine(LIMITS), asking(query, None, order), [broken, *sources[1:]])
    failed = first.ended.found.outcome.sources[0]
    if failed.error is None:
        return
    assert first.ended.ending is Ending.FAULT
    assert failed.error.kind == "unreachable"
    resume = first.ended.found.resume
    assert resume is not None
    rest = await streamed(Engine(LIMITS), asking(query, None, StreamOrder.NEWEST), sources, resume)
    hits = [*first.page, *rest.page]
    assert len({hit.trace_id for hit in hits}) == len(hits)
    others = first.ended.found.outcome.sources[1:]
    if rest.ended.found.outcome.complete and all(one.status is SourceStatus.OK for one in others):
        assert matched_of(hits) == direct(query, corpus).matched


@given(filters(), corpora, owner_lists, capability_sets, orders, limits, st.integers(0, 12))
async def test_leaving_a_stream_leaves_nothing_behind(
    query, corpus, owners, capability_set, order, limit, steps
) -> None:
    """Cancelled at whichever turn of the event loop: no scan stays open, and every gate is free again."""
    engine = Engine(LimitSettings(concurrent_requests=2, stream_batch=2))
    sources = stores(by_trace(corpus, owners, len(capability_set)), capability_set)

    async def read() -> None:
        async with engine.stream(asking(query, limit, order), sources, None, Deadline.after(20)) as bunches:
            async for _ in bunches:
                await anyio.lowlevel.checkpoint()

    async with anyio.create_task_group() as group:
        group.start_soon(read)
        for _ in range(steps):
            await anyio.lowlevel.checkpoint()
        group.cancel_scope.cancel()
    assert engine.gates.process.value == 2
    for one in sources:
        assert isinstance(one.adapter, MemoryAdapter)
        assert one.adapter.asked.open_scans == 0
        assert engine.gates.of(one.adapter).value == max(1, one.adapter.capabilities.concurrency)
