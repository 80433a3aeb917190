"""Searches and traces that several callers share: never more than what decides an answer allows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from uuid import uuid4

import anyio
import pytest
from anyio.lowlevel import checkpoint

from arcane.access.scope import TraceFilter
from arcane.kit.actor import Actor
from arcane.model.deadline import Deadline
from arcane.model.time import NANOS_PER_SECOND, TimeRange
from arcane.settings import CacheSettings, LimitSettings
from arcane.spi.errors import Unreachable
from arcane.traces.questions import SearchRequest
from arcane.traces.service import TraceService
from arcane.traces.sharing import KeptAnswers, SharedAnswers
from datasources.memory.adapter import Faults, MemoryAdapter
from datasources.memory.plugin import EVERYTHING
from tests.support.asking import NOON_NANOS, Scope, Shelf, numbered, service_on
from tests.support.live import somebody

pytestmark = pytest.mark.anyio

OVER = TimeRange(NOON_NANOS - 7_200 * NANOS_PER_SECOND, NOON_NANOS - 3_600 * NANOS_PER_SECOND)
"""A range that ended an hour ago."""
RECENT = TimeRange(NOON_NANOS - 3_600 * NANOS_PER_SECOND, NOON_NANOS)
KEEPING = CacheSettings(max_bytes=100_000, ttl_s=60)


@dataclass(slots=True)
class Bench:
    service: TraceService
    store: MemoryAdapter
    shelf: Shelf
    scope: Scope
    actor: Actor
    kept: KeptAnswers
    time: float = 0.0

    @property
    def asked(self) -> int:
        return len(self.store.asked.scans)

    async def search(self, request: SearchRequest | None = None, actor: Actor | None = None) -> float | None:
        """Returns how old the answer is."""
        wanted = request or SearchRequest("{}", within=OVER)
        answer = await self.service.search(actor or self.actor, wanted, Deadline.after(10))
        return answer.cached_age_s


@asynccontextmanager
async def bench(cache: CacheSettings = KEEPING, latency_s: float = 0.0) -> AsyncIterator[Bench]:
    shelf, scope = Shelf(), Scope()
    store = MemoryAdapter(
        [numbered(number, seconds_ago=5_000) for number in range(5)], EVERYTHING, faults=Faults(latency_s=latency_s)
    )
    shelf.put("store", store)
    plain = service_on(shelf, scope, LimitSettings())
    kept = KeptAnswers(cache, plain.clock)
    shared = SharedAnswers(kept)
    made = Bench(replace(plain, shared=shared), store, shelf, scope, somebody(), kept)
    kept.monotonic = lambda: made.time
    async with anyio.create_task_group() as group:
        await group.start(shared.run)
        yield made
        group.cancel_scope.cancel()


async def test_identical_searches_at_one_moment_ask_the_datasource_once() -> None:
    async with bench(CacheSettings(), latency_s=0.05) as one:
        async with anyio.create_task_group() as group:
            for text in ("{}", "{ }", "{   }"):
                group.start_soon(one.search, SearchRequest(text))
        assert one.asked == 1
        await one.search(SearchRequest("{}"))
        assert one.asked == 2


async def test_whatever_decides_an_answer_keeps_searches_apart() -> None:
    async with bench() as one:
        base = SearchRequest("{}", within=OVER)
        await one.search(base)
        other_project = replace(one.actor, project_id=uuid4())
        differing = [
            lambda: one.search(replace(base, text="{ span.number = 1 }")),
            lambda: one.search(replace(base, limit=3)),
            lambda: one.search(replace(base, spans_per_trace=1)),
            lambda: one.search(replace(base, abort=True)),
            lambda: one.search(replace(base, within=TimeRange(OVER.start, OVER.end - 1))),
            lambda: one.search(base, other_project),
        ]
        for number, ask in enumerate(differing, start=2):
            assert await ask() is None
            assert one.asked == number
        one.scope.hidden = frozenset({"secret"})
        assert await one.search(base) is None
        one.scope.trace_filter = TraceFilter("team", "a")
        assert await one.search(base) is None
        one.shelf.put("another", MemoryAdapter([], EVERYTHING))
        assert await one.search(base) is None


async def test_a_trace_that_several_open_at_one_moment_is_read_once() -> None:
    async with bench(CacheSettings(), latency_s=0.05) as one:
        read: list[int] = []

        async def open_it(number: int, within: TimeRange | None = None) -> None:
            answer = await one.service.trace(one.actor, f"{number + 1:032x}", Deadline.after(10), within)
            read.append(len(answer.trace.spans))

        async with anyio.create_task_group() as group:
            for number in (0, 0, 0, 1):
                group.start_soon(open_it, number)
            group.start_soon(open_it, 0, OVER)
        assert read == [2, 2, 2, 2, 2]
        assert len(one.store.asked.traces) == 3
        await open_it(0)
        assert len(one.store.asked.traces) == 4


async def test_what_is_shown_of_a_trace_that_is_read_once_is_decided_for_each() -> None:
    async with bench(CacheSettings(), latency_s=0.5) as one:
        shown: dict[str, bool] = {}

        async def open_it(name: str) -> None:
            answer = await one.service.trace(one.actor, f"{1:032x}", Deadline.after(10))
            shown[name] = all(span.attributes.get("number") == 0 for span in answer.trace.spans)

        async with anyio.create_task_group() as group:
            group.start_soon(open_it, "everything")
            while not one.store.asked.traces:
                await checkpoint()
            one.scope.hidden = frozenset({"number"})
            group.start_soon(open_it, "less")
        assert shown == {"everything": True, "less": False}
        assert len(one.store.asked.traces) == 1


async def test_a_kept_answer_says_how_old_it_is_and_is_forgotten_in_time() -> None:
    async with bench() as one:
        assert await one.search() is None
        one.time = 12.5
        assert await one.search() == 12.5
        assert one.asked == 1
        one.time = 60.0
        assert await one.search() is None
        assert one.asked == 2


async def test_off_is_the_default() -> None:
    async with bench(CacheSettings()) as one:
        assert [await one.search() for _ in range(2)] == [None, None]
        assert one.asked == 2


@pytest.mark.parametrize("within", [RECENT, None, TimeRange(RECENT.start, NOON_NANOS - 299 * NANOS_PER_SECOND)])
async def test_a_range_that_touches_the_present_is_not_kept(within: TimeRange | None) -> None:
    async with bench() as one:
        assert [await one.search(SearchRequest("{}", within=within)) for _ in range(2)] == [None, None]


async def test_a_range_that_touches_the_present_is_kept_where_settings_say_so() -> None:
    async with bench(KEEPING.model_copy(update={"recent_ttl_s": 5.0})) as one:
        wanted = SearchRequest("{}")
        assert [await one.search(wanted) for _ in range(2)] == [None, 0.0]
        one.time = 5.0
        assert await one.search(wanted) is None


async def test_an_answer_with_something_missing_is_not_kept() -> None:
    async with bench() as one:
        one.shelf.put("down", MemoryAdapter([], EVERYTHING, faults=Faults(scan=Unreachable("nobody there"))))
        assert [await one.search() for _ in range(2)] == [None, None]


async def test_what_is_kept_is_bounded_in_bytes_and_the_least_used_goes_first() -> None:
    async with bench(KEEPING.model_copy(update={"max_bytes": 4_000})) as one:
        requests = [SearchRequest(f"{{ span.number != {number} }}", within=OVER) for number in range(20)]
        for request in requests:
            await one.search(request)
            await one.search(requests[0])
        assert 0 < one.kept.size <= 4_000
        assert await one.search(requests[0]) is not None
        assert await one.search(requests[1]) is None
    async with bench(KEEPING.model_copy(update={"max_bytes": 10})) as tiny:
        assert [await tiny.search() for _ in range(2)] == [None, None]
        assert tiny.kept.size == 0
