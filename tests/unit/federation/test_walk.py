"""Walking one datasource: what is asked when, and what is told when a bound is reached."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from arcane.federation.walk import Bounds, Scanned, Walk
from arcane.model.hit import TraceHit
from arcane.model.ids import TraceId
from arcane.model.time import TimeRange
from arcane.spi.capabilities import Capabilities, Order
from arcane.spi.errors import Unreachable
from arcane.spi.scan import Candidate, ScanRequest
from arcane.traceql.ast import SpansetFilter

pytestmark = pytest.mark.anyio


def candidate(number: int, start: int, length: int = 0) -> Candidate:
    trace_id = TraceId(f"{number:032x}")
    return Candidate(trace_id, start, TraceHit(trace_id, start, length, None, None, 1, ()))


@dataclass
class Backend:
    """Traces, and what was asked for."""

    held: list[Candidate]
    newest_first: bool = True
    grain: int = 1
    asked: list[ScanRequest] = field(default_factory=list)
    broken_after: int = 1_000

    async def scan(self, request: ScanRequest) -> Scanned:
        self.asked.append(request)
        low = request.within.start // self.grain * self.grain
        high = -(-request.within.end // self.grain) * self.grain
        found = [
            one for one in self.held if one.start <= high and one.start + (one.hit.duration if one.hit else 0) >= low
        ]
        found.sort(key=lambda one: (one.start, one.trace_id), reverse=self.newest_first)
        if len(self.asked) > self.broken_after:
            return Scanned(found[:1], complete=False, error=Unreachable())
        return Scanned(found[: request.limit], complete=len(found) <= request.limit)


def walk(backend: Backend, can: Capabilities, within: TimeRange, bounds: Bounds | None = None) -> Walk:
    return Walk(backend.scan, can, SpansetFilter(), within, bounds or Bounds(10_000, 1_000), (within.end + 1, ""))


async def steps(walking: Walk, wanted: int) -> list[int]:
    found: list[int] = []
    for _ in range(1_000):
        if walking.ended:
            break
        found += [int(one.trace_id, 16) for one in await walking.step(wanted)]
    return found


NEWEST = Capabilities(order=Order.NEWEST_FIRST, max_limit=50)
FOUND = Capabilities(order=Order.FIRST_FOUND, max_limit=5)


async def test_newest_first_goes_on_below_the_last_trace() -> None:
    backend = Backend([candidate(number, number) for number in range(20)])
    walking = walk(backend, NEWEST, TimeRange(0, 100))
    assert await steps(walking, 7) == list(range(19, -1, -1))
    assert [request.within.end for request in backend.asked] == [100, 13, 7, 1][: len(backend.asked)]
    assert await walking.step(1) == []


async def test_what_began_before_the_range_comes_last() -> None:
    backend = Backend([candidate(1, 5, 100), candidate(2, 50), candidate(3, 2, 100), candidate(4, 3, 5)])
    assert await steps(walk(backend, NEWEST, TimeRange(20, 60)), 1) == [2, 1, 3]


async def test_many_traces_of_one_instant_are_asked_for_with_a_higher_limit() -> None:
    backend = Backend([candidate(number, 10) for number in range(30)] + [candidate(99, 5)])
    walking = walk(backend, NEWEST, TimeRange(0, 100))
    assert await steps(walking, 3) == [*range(29, -1, -1), 99]
    assert walking.gaps == 0


@pytest.mark.parametrize("order", Order)
async def test_more_traces_of_one_instant_than_a_scan_returns_leave_a_gap_that_is_told(order: Order) -> None:
    can = Capabilities(order=order, max_limit=5)
    backend = Backend([candidate(number, 10) for number in range(30)] + [candidate(99, 5)], order is Order.NEWEST_FIRST)
    walking = walk(backend, can, TimeRange(0, 100))
    found = await steps(walking, 5)
    assert found[-1] == 99
    assert walking.gaps > 0


async def test_a_gap_at_the_begin_of_the_range_ends_the_walk() -> None:
    backend = Backend([candidate(number, 10, 50) for number in range(30)])
    walking = walk(backend, Capabilities(order=Order.NEWEST_FIRST, max_limit=5), TimeRange(30, 40))
    assert len(await steps(walking, 5)) == 5
    assert walking.gaps == 1


async def test_first_found_goes_backwards_in_windows_until_each_is_complete() -> None:
    backend = Backend([candidate(number, number * 10) for number in range(40)], newest_first=False)
    walking = walk(backend, FOUND, TimeRange(0, 400))
    assert await steps(walking, 3) == list(range(39, -1, -1))
    assert walking.gaps == 0
    assert backend.asked[0].within == TimeRange(0, 400)
    assert len(backend.asked) < 40


async def test_windows_grow_again_where_there_is_little() -> None:
    held = [candidate(number, 1_000_000 - number) for number in range(20)] + [candidate(50, 10)]
    backend = Backend(held, newest_first=False)
    walking = walk(backend, FOUND, TimeRange(0, 1_000_000))
    assert await steps(walking, 3) == [*range(20), 50]
    assert len(backend.asked) < 40


async def test_traces_that_run_all_the_time_ask_for_a_higher_limit_not_for_narrower_windows() -> None:
    can = Capabilities(order=Order.FIRST_FOUND, max_limit=1_000)
    held = [candidate(number, 0, 10_000) for number in range(300)] + [candidate(999, 9_000)]
    backend = Backend(held, newest_first=False)
    walking = walk(backend, can, TimeRange(5_000, 10_000))
    assert (await steps(walking, 3))[0] == 999
    assert walking.gaps == 0
    assert len(backend.asked) < 6


async def test_the_longest_window_is_kept_to() -> None:
    backend = Backend([candidate(number, number * 10, 15) for number in range(10)])
    can = Capabilities(order=Order.NEWEST_FIRST, max_range_ns=25)
    assert await steps(walk(backend, can, TimeRange(0, 120)), 4) == list(range(9, -1, -1))
    assert all(request.within.duration <= 25 for request in backend.asked)


async def test_coarse_windows_lose_nothing_and_repeat_nothing() -> None:
    backend = Backend([candidate(number, number) for number in range(30)], grain=10)
    can = Capabilities(order=Order.NEWEST_FIRST, max_limit=50, time_resolution_ns=10)
    assert await steps(walk(backend, can, TimeRange(0, 29)), 4) == list(range(29, -1, -1))


async def test_a_bound_stops_the_walk_and_the_frontier_says_where() -> None:
    backend = Backend([candidate(number, number) for number in range(30)])
    walking = walk(backend, NEWEST, TimeRange(0, 100), Bounds(10, 100))
    assert await steps(walking, 6) == list(range(29, 18, -1))
    assert walking.stopped
    assert walking.frontier == (19, f"{19:032x}")


@pytest.mark.parametrize("order", Order)
async def test_a_bound_that_allows_no_progress_is_passed_with_a_gap(order: Order) -> None:
    backend = Backend([candidate(number, number // 10) for number in range(300)], order is Order.NEWEST_FIRST)
    frontier, seen = (101, ""), 0
    for _ in range(200):
        walking = walk(backend, Capabilities(order=order, max_limit=4), TimeRange(0, 100), Bounds(1, 1))
        walking.frontier = frontier
        seen += len(await steps(walking, 2))
        if walking.frontier is None:
            break
        assert walking.frontier < frontier
        frontier = walking.frontier
    assert walking.frontier is None
    assert seen


async def test_a_window_that_a_bound_cuts_is_left_to_the_next_page() -> None:
    held = [candidate(number, 900 + number) for number in range(4)]
    held += [candidate(100 + number, number) for number in range(200)]
    backend = Backend(held, newest_first=False)
    can = Capabilities(order=Order.FIRST_FOUND, max_limit=100)
    walking = walk(backend, can, TimeRange(0, 1_000), Bounds(300, 100))
    assert await steps(walking, 3) == [3, 2, 1, 0]
    assert walking.stopped
    assert walking.gaps == 0
    assert walking.frontier is not None
    assert walking.frontier < (900, "")


@pytest.mark.parametrize(("order", "kept"), [(Order.NEWEST_FIRST, 1), (Order.FIRST_FOUND, 0)])
async def test_what_came_before_a_fault_counts_where_its_order_is_known(order: Order, kept: int) -> None:
    backend = Backend([candidate(number, number) for number in range(9)], order is Order.NEWEST_FIRST, broken_after=0)
    walking = walk(backend, Capabilities(order=order), TimeRange(0, 100))
    assert len(await steps(walking, 5)) == kept
    assert walking.error is not None
    assert walking.frontier == ((8, f"{8:032x}") if kept else (101, ""))
