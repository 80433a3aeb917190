from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import anyio.lowlevel
import pytest

from arcane.kit.flights import Flights
from arcane.kit.problems import NotFound, Unavailable

pytestmark = pytest.mark.anyio


class Work:
    """Counts how often it is done, and does not end before a test says so."""

    def __init__(self) -> None:
        self.begun = self.ended_early = 0
        self.go_on = anyio.Event()

    async def __call__(self) -> str:
        self.begun += 1
        try:
            await self.go_on.wait()
        except anyio.get_cancelled_exc_class():
            self.ended_early += 1
            raise
        return f"answer {self.begun}"


@asynccontextmanager
async def flying() -> AsyncIterator[Flights[str, str]]:
    flights: Flights[str, str] = Flights()
    async with anyio.create_task_group() as group:
        await group.start(flights.run)
        with anyio.fail_after(10):
            yield flights
        group.cancel_scope.cancel()


async def asked(flights: Flights[str, str], key: str, work: Work, answers: list[str]) -> None:
    answers.append(await flights.share(key, work))


async def test_the_same_question_at_the_same_time_is_asked_once() -> None:
    async with flying() as flights:
        work, answers = Work(), list[str]()
        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(asked, flights, "a", work, answers)
            await anyio.wait_all_tasks_blocked()
            assert len(flights) == 1
            work.go_on.set()
        assert (work.begun, answers) == (1, ["answer 1"] * 5)
        assert await flights.share("a", work) == "answer 2"  # later is not at the same time


async def test_other_questions_are_asked_for_themselves() -> None:
    async with flying() as flights:
        work, answers = Work(), list[str]()
        work.go_on.set()
        async with anyio.create_task_group() as group:
            for key in "abc":
                group.start_soon(asked, flights, key, work, answers)
        assert work.begun == 3


async def test_one_who_leaves_ends_it_for_nobody_else() -> None:
    async with flying() as flights:
        work, answers = Work(), list[str]()
        async with anyio.create_task_group() as staying:
            async with anyio.create_task_group() as leaving:
                leaving.start_soon(asked, flights, "a", work, [])  # this one asked first
                await anyio.wait_all_tasks_blocked()
                staying.start_soon(asked, flights, "a", work, answers)
                await anyio.wait_all_tasks_blocked()
                leaving.cancel_scope.cancel()
            work.go_on.set()
        assert (work.begun, work.ended_early, answers) == (1, 0, ["answer 1"])


async def test_the_last_one_who_leaves_ends_it() -> None:
    async with flying() as flights:
        work = Work()
        async with anyio.create_task_group() as group:
            for _ in range(2):
                group.start_soon(asked, flights, "a", work, [])
            await anyio.wait_all_tasks_blocked()
            group.cancel_scope.cancel()
        await anyio.wait_all_tasks_blocked()
        assert (work.ended_early, len(flights)) == (1, 0)


@pytest.mark.parametrize("fault", [NotFound("nothing"), ZeroDivisionError()])
async def test_a_fault_is_everybodys_and_the_next_one_may_be_luckier(fault: Exception) -> None:
    async def fails() -> str:
        await anyio.sleep(0.01)
        raise fault

    async with flying() as flights:
        faults: list[Exception] = []

        async def ask() -> None:
            try:
                await flights.share("a", fails)
            except (NotFound, ZeroDivisionError) as exc:
                faults.append(exc)

        async with anyio.create_task_group() as group:
            group.start_soon(ask)
            group.start_soon(ask)
        assert faults == [fault, fault]
        work = Work()
        work.go_on.set()
        assert await flights.share("a", work) == "answer 1"


async def test_a_process_that_ends_says_so_to_who_waits() -> None:
    work, faults = Work(), list[str]()
    flights: Flights[str, str] = Flights()

    async def ask() -> None:
        try:
            await flights.share("a", work)
        except Unavailable as exc:
            faults.append(exc.detail)

    async with anyio.create_task_group() as waiting, anyio.create_task_group() as owning:
        await owning.start(flights.run)
        waiting.start_soon(ask)
        await anyio.wait_all_tasks_blocked()
        owning.cancel_scope.cancel()
    assert len(faults) == 1


async def test_without_an_owner_everybody_does_their_own() -> None:
    work = Work()
    work.go_on.set()
    flights: Flights[str, str] = Flights()
    assert [await flights.share("a", work) for _ in range(2)] == ["answer 1", "answer 2"]
