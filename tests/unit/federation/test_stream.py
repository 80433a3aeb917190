"""Streams: who waits for whom, what is remembered, and what ends them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import replace

import anyio
import pytest

from arcane.federation.events import Arrived, Ended, Ending, Settled
from arcane.federation.execute import Engine
from arcane.federation.question import Question, StreamOrder
from arcane.federation.source import Source
from arcane.model.deadline import Deadline
from arcane.model.outcome import SourceStatus
from arcane.model.time import TimeRange
from arcane.settings import LimitSettings
from arcane.spi.adapter import Adapter
from arcane.spi.errors import Unreachable
from arcane.spi.scan import ScanPage, ScanRequest
from arcane.traceql.parse import parse
from datasources.memory.adapter import Faults, MemoryAdapter
from datasources.memory.plugin import EVERYTHING
from tests.support.asking import NOON_NANOS, numbered, part_of
from tests.support.streamed import Streamed, streamed

pytestmark = pytest.mark.anyio

RANGE = TimeRange(NOON_NANOS - 3_600_000_000_000, NOON_NANOS)
EVERY_ORDER = pytest.mark.parametrize("order", list(StreamOrder))


def source(name: str, adapter: Adapter) -> Source:
    return Source(name, name, "memory", adapter)


def everything(order: StreamOrder, limit: int | None = None) -> Question:
    return Question(parse("{}"), RANGE, limit or 1_000_000, order=order, endless=limit is None)


class Held(MemoryAdapter):
    """Gives one page, and the next ones when it is let go."""

    def __init__(self, count: int, page_size: int) -> None:
        super().__init__([numbered(number) for number in range(count)], EVERYTHING, page_size=page_size)
        self.let_go = anyio.Event()
        self.pages = 0

    async def scan(self, request: ScanRequest, deadline: Deadline) -> AsyncGenerator[ScanPage, None]:
        async for page in super().scan(request, deadline):
            if self.pages:
                await self.let_go.wait()
            self.pages += 1
            yield page


@pytest.mark.parametrize("limit", [None, 50])
async def test_a_row_leaves_while_the_scan_it_came_with_is_still_under_way(limit: int | None) -> None:
    slow, silent = Held(10, page_size=2), Held(10, page_size=1)
    silent.pages = 1  # says nothing before it is let go
    got = Streamed(StreamOrder.ARRIVAL)
    question = everything(StreamOrder.ARRIVAL, limit)
    sources = [source("slow", slow), source("silent", silent)]
    with anyio.fail_after(10):
        async with Engine(LimitSettings()).stream(question, sources, None, Deadline.after(10)) as bunches:
            async for events in bunches:
                got.take(events)
                if not slow.let_go.is_set() and got.hits:
                    assert len(got.hits) == 2
                    slow.let_go.set()
                    silent.let_go.set()
    assert len(got.page) == 10
    assert all(one.origins == ("silent", "slow") or one.origins == ("slow", "silent") for one in got.hits.values())
    assert got.ended.ending is Ending.RANGE


async def test_newest_first_waits_for_whoever_may_have_something_newer() -> None:
    late = MemoryAdapter([numbered(0)], EVERYTHING, faults=Faults(latency_s=0.05))
    early = MemoryAdapter([numbered(5)], EVERYTHING)
    got = await streamed(
        Engine(LimitSettings()), everything(StreamOrder.NEWEST), [source("early", early), source("late", late)]
    )
    arrived = [one for one in got.events if isinstance(one, Arrived)]
    assert [one.origins for one in arrived] == [("late",), ("early",)]


@EVERY_ORDER
async def test_a_reader_who_stops_reading_stops_the_datasource(order: StreamOrder) -> None:
    adapter = MemoryAdapter([numbered(number) for number in range(400)], replace(EVERYTHING, max_limit=5))
    engine = Engine(LimitSettings(stream_batch=5))
    async with engine.stream(everything(order), [source("store", adapter)], None, Deadline.after(10)) as bunches:
        await anyio.wait_all_tasks_blocked()
        held = len(adapter.asked.scans)
        assert held < 40, "buffers are full long before the end"
        await anyio.wait_all_tasks_blocked()
        assert len(adapter.asked.scans) == held
        rows = sum(isinstance(event, Arrived) for events in [one async for one in bunches] for event in events)
    assert rows == 400


@EVERY_ORDER
async def test_a_bound_on_rows_ends_the_answer_and_says_so(order: StreamOrder) -> None:
    adapter = MemoryAdapter([numbered(number) for number in range(20)], replace(EVERYTHING, max_limit=5))
    question = replace(everything(order), limit=10)
    got = await streamed(Engine(LimitSettings(stream_batch=5)), question, [source("store", adapter)])
    assert 10 <= len(got.page) < 20, "rows that came with the last one are not taken back"
    assert got.ended.ending is Ending.BOUND
    (outcome,) = got.ended.found.outcome.sources
    resume = got.ended.found.resume
    assert resume is not None
    rest = await streamed(Engine(LimitSettings()), everything(order), [source("store", adapter)], resume)
    assert {hit.trace_id for hit in (*got.page, *rest.page)} == {numbered(number).trace_id for number in range(20)}
    assert outcome.status in (SourceStatus.OK, SourceStatus.APPROXIMATE)


@EVERY_ORDER
async def test_time_that_runs_out_ends_the_answer_with_a_place_to_go_on_from(order: StreamOrder) -> None:
    class Stalls(MemoryAdapter):
        async def scan(self, request: ScanRequest, deadline: Deadline) -> AsyncGenerator[ScanPage, None]:
            if self.asked.scans:
                await anyio.sleep_forever()
            async for page in super().scan(request, deadline):
                yield page

    adapter = Stalls([numbered(number) for number in range(20)], replace(EVERYTHING, max_limit=5))
    got = Streamed(order)
    engine = Engine(LimitSettings(stream_batch=5))
    with anyio.fail_after(10):
        async with engine.stream(everything(order), [source("store", adapter)], None, Deadline.after(0.3)) as bunches:
            async for events in bunches:
                got.take(events)
    assert got.ended.ending is Ending.BOUND
    assert got.ended.found.outcome.sources[0].status is SourceStatus.APPROXIMATE
    assert len(got.page) == 5
    resume = got.ended.found.resume
    assert resume is not None
    assert resume.places["store"] == (numbered(4).start, numbered(4).trace_id)


@EVERY_ORDER
async def test_each_request_of_an_endless_answer_has_its_own_share_of_time(order: StreamOrder) -> None:
    adapter = MemoryAdapter(
        [numbered(number) for number in range(30)], replace(EVERYTHING, max_limit=5), faults=Faults(latency_s=0.1)
    )
    limits = LimitSettings(stream_batch=5, source_timeout_s=0.4)
    got = await streamed(Engine(limits), everything(order), [source("store", adapter)])
    assert got.ended.ending is Ending.RANGE
    assert len(got.page) == 30


@EVERY_ORDER
async def test_with_abort_the_first_fault_ends_the_stream(order: StreamOrder) -> None:
    down = MemoryAdapter([], EVERYTHING, faults=Faults(scan=Unreachable("No connection.")))

    class Hangs(MemoryAdapter):
        async def scan(self, request: ScanRequest, deadline: Deadline) -> AsyncGenerator[ScanPage, None]:
            await anyio.sleep_forever()
            yield ScanPage(())

    question = replace(everything(order), abort=True)
    with anyio.fail_after(10):
        got = await streamed(
            Engine(LimitSettings()), question, [source("hangs", Hangs([], EVERYTHING)), source("down", down)]
        )
    assert got.ended.ending is Ending.FAULT
    assert [one.status for one in got.ended.found.outcome.sources] == [SourceStatus.SKIPPED, SourceStatus.FAILED]


@EVERY_ORDER
async def test_the_parts_of_a_split_trace_become_one_row(order: StreamOrder) -> None:
    back = MemoryAdapter([part_of(numbered(number), root=False) for number in range(3)], EVERYTHING)
    front = MemoryAdapter(
        [part_of(numbered(number), root=True) for number in range(3)], EVERYTHING, faults=Faults(latency_s=0.05)
    )
    got = await streamed(Engine(LimitSettings()), everything(order), [source("back", back), source("front", front)])
    assert len(got.page) == 3
    assert all(hit.root_name == "GET /" for hit in got.page)
    assert all(set(one.origins) == {"back", "front"} for one in got.hits.values())


@EVERY_ORDER
async def test_what_nobody_has_ends_at_once(order: StreamOrder) -> None:
    got = await streamed(Engine(LimitSettings()), everything(order), [source("empty", MemoryAdapter([], EVERYTHING))])
    assert [type(one) for one in got.events if not isinstance(one, Settled)][-1] is Ended
    assert got.page == []
