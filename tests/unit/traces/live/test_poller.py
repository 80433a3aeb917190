"""The tail of one datasource, poll by poll, in a time that stands still."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import anyio
import pytest

from arcane.federation.execute import Engine
from arcane.federation.source import Source
from arcane.model.outcome import SourceStatus
from arcane.model.time import NANOS_PER_SECOND
from arcane.settings import LimitSettings, LiveSettings
from arcane.spi.capabilities import Capabilities, Order
from arcane.spi.errors import RateLimited, Unreachable
from arcane.traceql.parse import parse
from arcane.traces.live.poller import Entry, SourceTail, TailQuestion
from datasources.memory.adapter import Faults
from datasources.memory.plugin import EVERYTHING
from tests.support.asking import NOON, NOON_NANOS, numbered
from tests.support.clock import SetClock
from tests.support.live import PATIENCE_S, Growing, until

pytestmark = pytest.mark.anyio

SETTINGS = LiveSettings(overlap_s=30, catch_up_s=300, rows_per_poll=5, log_length=4, traces_remembered=100)


class Bench:
    def __init__(
        self, text: str = "{}", can: Capabilities = EVERYTHING, base: LiveSettings = SETTINGS, **settings: float
    ) -> None:
        self.clock = SetClock(NOON)
        self.backend = Growing(can)
        values = base.model_copy(update=settings)
        question = TailQuestion(parse(text), 3)
        source = Source("1", "store", "memory", self.backend)
        self.tail = SourceTail(Engine(LimitSettings()), source, question, values, self.clock)

    def pass_time(self, seconds: float) -> None:
        self.clock.pass_time(timedelta(seconds=seconds))

    def entries(self) -> list[Entry]:
        return list(self.tail.after(0, 1_000)[0])


def ids(entries: list[Entry]) -> list[str]:
    return [entry.hit.trace_id for entry in entries]


async def test_a_trace_is_told_once_however_often_it_is_found() -> None:
    bench = Bench()
    bench.backend.put(numbered(1, seconds_ago=5))
    for _ in range(3):
        await bench.tail.poll()
        bench.pass_time(2)
    assert ids(bench.entries()) == [numbered(1).trace_id]
    assert len(bench.backend.asked.scans) == 3


async def test_a_trace_that_grew_is_told_again() -> None:
    bench = Bench()
    bench.backend.put(numbered(1, seconds_ago=5, spans=2))
    await bench.tail.poll()
    bench.backend.put(numbered(1, seconds_ago=5, spans=4))
    bench.pass_time(2)
    await bench.tail.poll()
    assert [(entry.again, entry.hit.span_count) for entry in bench.entries()] == [(False, 2), (True, 4)]


async def test_spans_that_arrive_late_are_seen() -> None:
    bench = Bench()
    await bench.tail.poll()
    bench.pass_time(20)
    bench.backend.put(numbered(1, seconds_ago=8))  # 28 seconds ago by now, and below the watermark
    await bench.tail.poll()
    assert len(bench.entries()) == 1
    bench.pass_time(20)
    bench.backend.put(numbered(2, seconds_ago=21))  # later than the overlap
    await bench.tail.poll()
    assert len(bench.entries()) == 1


async def test_a_poll_asks_for_the_time_since_the_last_one_and_the_overlap() -> None:
    bench = Bench()
    await bench.tail.poll()
    bench.pass_time(2)
    await bench.tail.poll()
    within = bench.backend.asked.scans[-1].within
    assert (within.start, within.end) == (NOON_NANOS - 30 * NANOS_PER_SECOND, NOON_NANOS + 2 * NANOS_PER_SECOND)


async def test_what_appeared_while_the_datasource_was_away_is_told_when_it_is_back() -> None:
    bench = Bench()
    await bench.tail.poll()
    bench.backend.fail(Faults(scan=Unreachable("nobody there")))
    bench.pass_time(100)
    away = await bench.tail.poll()
    assert (away.outcome.status, away.outcome.error is not None) == (SourceStatus.FAILED, True)
    bench.backend.put(numbered(1, seconds_ago=-60))
    bench.backend.fail(Faults())
    bench.pass_time(50)
    assert (await bench.tail.poll()).outcome.status is SourceStatus.OK
    assert len(bench.entries()) == 1


async def test_how_far_back_is_caught_up_has_a_bound() -> None:
    bench = Bench(catch_up_s=60)
    bench.backend.fail(Faults(scan=Unreachable("nobody there")))
    for _ in range(10):
        bench.pass_time(100)
        await bench.tail.poll()
    within = bench.backend.asked.scans[-1].within
    assert within.end - within.start == 90 * NANOS_PER_SECOND


async def test_more_than_one_poll_reads_is_told() -> None:
    bench = Bench(pages_per_poll=2)
    bench.backend.put(*(numbered(number, seconds_ago=number + 1) for number in range(9)))
    poll = await bench.tail.poll()
    assert (poll.outcome.status, poll.outcome.rows) == (SourceStatus.APPROXIMATE, 5)
    assert "More traces came than one poll reads (5)" in poll.outcome.warnings[0]


@pytest.mark.parametrize("order", list(Order), ids=lambda one: one.value)
async def test_fifty_traces_a_second_are_all_told_and_nobody_is_warned(order: Order) -> None:
    bench = Bench(can=replace(EVERYTHING, order=order, max_limit=1_000), base=LiveSettings())
    put = 0
    for second in range(0, 10, 2):
        begun = [numbered(number, seconds_ago=30 - number // 50) for number in range(put, 50 * (30 + second))]
        put += len(begun)
        bench.backend.put(*begun)
        outcome = (await bench.tail.poll()).outcome
        assert (outcome.status, outcome.warnings) == (SourceStatus.OK, ())
        bench.pass_time(2)
    entries, lost = bench.tail.after(0, 10_000)
    assert (len(entries), lost) == (put, 0)


async def test_a_fault_in_the_middle_of_a_poll_leaves_what_came_and_the_next_one_asks_again() -> None:
    bench = Bench(rows_per_poll=40, pages_per_poll=4, log_length=100, can=replace(EVERYTHING, max_limit=10))
    bench.backend.put(*(numbered(number, seconds_ago=number % 25) for number in range(30)))
    bench.backend.fail(Faults(scan=Unreachable("gone")), after_scans=1)
    poll = await bench.tail.poll()
    assert (poll.outcome.status, poll.outcome.rows) == (SourceStatus.PARTIAL, 10)
    bench.backend.fail(Faults())
    assert (await bench.tail.poll()).outcome.status is SourceStatus.OK
    assert len(bench.entries()) == 30


async def test_the_log_has_a_fixed_length_and_who_falls_behind_is_told_how_much_is_gone() -> None:
    bench = Bench()
    for number in range(10):
        bench.backend.put(numbered(number, seconds_ago=1))
        await bench.tail.poll()
        bench.pass_time(1)
    entries, lost = bench.tail.after(2, 100)
    assert ([entry.number for entry in entries], lost) == ([7, 8, 9, 10], 4)
    assert bench.tail.after(10, 100) == ([], 0)


async def test_what_is_remembered_as_told_is_bounded() -> None:
    bench = Bench(traces_remembered=3, log_length=100)
    for number in range(6):
        bench.backend.put(numbered(number, seconds_ago=1 - 40 * number))
        await bench.tail.poll()
        bench.pass_time(40)
    assert len(bench.tail._told) <= 3
    assert len(bench.entries()) == 6


async def test_traces_are_told_in_the_order_in_which_they_began() -> None:
    bench = Bench()
    bench.backend.put(*(numbered(number, seconds_ago=20 - number) for number in range(4)))
    await bench.tail.poll()
    assert ids(bench.entries()) == [numbered(number).trace_id for number in range(4)]


async def test_only_what_matches_is_told() -> None:
    bench = Bench("{ span.number = 3 }")
    bench.backend.put(*(numbered(number, seconds_ago=1) for number in range(5)))
    await bench.tail.poll()
    assert ids(bench.entries()) == [numbered(3).trace_id]


async def test_a_datasource_that_asks_to_slow_down_says_so_in_its_outcome() -> None:
    bench = Bench()
    bench.backend.fail(Faults(scan=RateLimited("slow down", retry_after_s=7)))
    error = (await bench.tail.poll()).outcome.error
    assert error is not None
    assert error.retry_after_s == 7


async def test_what_is_not_caught_up_with_is_told_once() -> None:
    bench = Bench(catch_up_s=60)
    await bench.tail.poll()
    bench.backend.fail(Faults(scan=Unreachable("nobody there")))
    bench.pass_time(80)
    await bench.tail.poll()
    bench.backend.fail(Faults())
    assert (await bench.tail.poll()).outcome.status is SourceStatus.OK  # the overlap reaches as far
    bench.backend.fail(Faults(scan=Unreachable("nobody there")))
    bench.pass_time(200)
    assert not (await bench.tail.poll()).outcome.warnings
    bench.backend.fail(Faults())
    bench.pass_time(10)
    first, second = (await bench.tail.poll()).outcome, (await bench.tail.poll()).outcome
    assert first.status is SourceStatus.PARTIAL
    assert "what began before 2026-08-01T12:03:20Z may be missing" in first.warnings[0]
    assert (second.status, second.warnings) == (SourceStatus.OK, ())


async def test_who_comes_back_too_late_is_told() -> None:
    bench = Bench(catch_up_s=60)
    bench.tail.look_back(NOON_NANOS - 1_000 * NANOS_PER_SECOND)
    assert "may be missing" in (await bench.tail.poll()).outcome.warnings[0]


async def test_a_mark_lies_below_everything_that_was_not_taken() -> None:
    bench = Bench()
    for number in range(3):
        bench.backend.put(numbered(number, seconds_ago=1))
        await bench.tail.poll()
        bench.pass_time(1)
    entries = bench.entries()
    assert bench.tail.told_until(entries[0].number) == entries[1].at - 1
    assert bench.tail.place_of(bench.tail.told_until(entries[0].number)) == entries[0].number
    bench.pass_time(1)
    last = await bench.tail.poll()
    assert bench.tail.told_until(entries[-1].number) == last.at


async def test_a_datasource_that_was_changed_is_asked_without_the_wait_that_the_old_one_wanted() -> None:
    bench = Bench(poll_s=0.01)
    bench.backend.fail(Faults(scan=RateLimited("slow down", retry_after_s=3_600)))
    changed = Growing()
    async with anyio.create_task_group() as group:
        group.cancel_scope.deadline = anyio.current_time() + PATIENCE_S
        group.start_soon(bench.tail.run)
        await until(lambda: bench.tail.last is not None)
        bench.tail.ask(Source("1", "store", "memory", changed))
        await until(lambda: bool(changed.asked.scans))
        group.cancel_scope.cancel()
    assert changed.asked.scans
