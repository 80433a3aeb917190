"""Runs and dead letters as people see them: their own project's, in pages, with what can be told to them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from arcane.access.permissions import MEMBER
from arcane.jobs.service.board import JobBoard
from arcane.jobs.words import JobFilter, JobState, RunState, UnknownRun
from arcane.kit.actor import Actor, ActorKind, Tenant
from arcane.kit.pagination import PageRequest
from tests.support.jobs import Ledger, done, failure, ledger_on
from tests.support.postgres import MigratedDatabase

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]

ALL = PageRequest(50)


@pytest.fixture
async def ledger(migrated_database: MigratedDatabase) -> AsyncIterator[Ledger]:
    async with ledger_on(migrated_database) as made:
        yield made


def somebody(place: Tenant) -> Actor:
    return Actor(ActorKind.USER, uuid4(), "Ada", MEMBER.permissions, place.organisation_id, place.project_id)


@pytest.fixture
def board(ledger: Ledger) -> JobBoard:
    return ledger.parts.board


async def test_runs_come_newest_first_in_pages(ledger: Ledger, board: JobBoard) -> None:
    place = await ledger.place()
    made = [(await ledger.start(1, place))[0] for _ in range(3)]
    actor = somebody(place)
    first = await board.runs(actor, PageRequest(2))
    second = await board.runs(actor, PageRequest(2, first.next))
    assert [run.id for run in (*first.items, *second.items)] == made[::-1]
    assert second.next is None
    assert (await board.runs(actor, ALL, RunState.PAUSED)).items == ()


async def test_another_projects_runs_are_unknown(ledger: Ledger, board: JobBoard) -> None:
    run, _ = await ledger.start(1)
    stranger = somebody(await ledger.place())
    assert (await board.runs(stranger, ALL)).items == ()
    assert (await board.list(stranger, ALL, JobFilter(run_id=run))).items == ()
    with pytest.raises(UnknownRun):
        await board.run(stranger, run)
    with pytest.raises(UnknownRun):
        await board.tell(stranger, run, "cancel")
    with pytest.raises(UnknownRun):
        await board.redrive(stranger, run, None)
    with pytest.raises(UnknownRun):
        await board.discard(stranger, run, None)


async def test_dead_letters_have_their_errors_and_are_tried_again_or_discarded(ledger: Ledger, board: JobBoard) -> None:
    place = await ledger.place()
    run, jobs = await ledger.start(3, place)
    actor, worker = somebody(place), ledger.worker()
    await worker.claim(*jobs)
    await worker.send(*[failure(job, final=True) for job in jobs[:2]], done(jobs[2]))
    letters = (await board.list(actor, ALL, JobFilter(JobState.FAILED))).items
    assert sorted(job.id for job in letters) == jobs[:2]
    assert [error["message"] for error in letters[0].errors] == ["the model is away"]
    assert await board.discard(actor, run, [jobs[0]]) == 1
    assert [job.id for job in (await board.list(actor, ALL, JobFilter(JobState.FAILED))).items] == [jobs[1]]
    assert await board.redrive(actor, run, [jobs[1]]) == 1
    assert (await board.run(actor, run)).state is RunState.RUNNING
    actions = [entry.action for entry in (await board.audit.entries(actor, ALL)).items]
    assert actions == ["run.redriven", "run.discarded"]


async def test_whoever_manages_an_organisation_sees_and_redrives_the_jobs_of_its_projects(
    ledger: Ledger, board: JobBoard
) -> None:
    place, elsewhere = await ledger.place(), await ledger.place()
    run, jobs = await ledger.start(2, place)
    await ledger.start(1, elsewhere)
    worker, admin = ledger.worker(), somebody(Tenant(place.organisation_id))
    await worker.claim(*jobs)
    await worker.send(*[failure(job, final=True) for job in jobs])
    letters = (await board.list(admin, ALL, JobFilter(JobState.FAILED))).items
    assert sorted(job.id for job in letters) == jobs
    assert {job.project_id for job in letters} == {place.project_id}
    assert [found.id for found in (await board.runs(admin, ALL)).items] == [run]
    assert await board.discard(admin, run, [jobs[0]]) == 1
    assert await board.redrive(admin, run, None) == 1
    with pytest.raises(UnknownRun):
        await board.redrive(somebody(Tenant(elsewhere.organisation_id)), run, None)


async def test_an_order_is_audited_once_and_progress_ends_with_the_run(ledger: Ledger, board: JobBoard) -> None:
    place = await ledger.place()
    run, _ = await ledger.start(1, place)
    actor = somebody(place)
    assert (await board.tell(actor, run, "pause")).state is RunState.PAUSED
    assert (await board.tell(actor, run, "pause")).state is RunState.PAUSED
    assert (await board.tell(actor, run, "resume")).state is RunState.RUNNING
    assert (await board.tell(actor, run, "cancel")).state is RunState.CANCELLED
    actions = [entry.action for entry in (await board.audit.entries(actor, ALL)).items]
    assert actions == ["run.cancelled", "run.resumed", "run.paused"]
    await ledger.sweeper.close_cancelled()
    seen = [found async for found in board.progress(actor, run)]
    assert [(found.state, found.cancelled, found.open) for found in seen] == [(RunState.CANCELLED, 1, 0)]
