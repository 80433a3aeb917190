"""Runs in the ledger: made with their jobs and messages in one transaction, paused, resumed, cancelled, tried again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import msgspec
import pytest
from sqlalchemy import Uuid, cast, func, text
from sqlmodel import select

from arcane.jobs.words import JobState, Run, RunNotThere, Unit, UnknownRun
from arcane.messaging.jobs import IdleSpec
from tests.support.jobs import INSTANCE, KIND, Ledger, ledger_on
from tests.support.postgres import MigratedDatabase

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]


@pytest.fixture
async def ledger(migrated_database: MigratedDatabase) -> AsyncIterator[Ledger]:
    async with ledger_on(migrated_database) as made:
        yield made


async def test_jobs_are_waiting_and_promised_when_the_transaction_commits(ledger: Ledger) -> None:
    run, jobs = await ledger.start(3)
    assert await ledger.states(run) == {"waiting": 3}
    assert sorted(body["job"] for body in await ledger.promised()) == [str(job) for job in jobs]
    assert {body["run"] for body in await ledger.promised()} == {str(run)}
    assert {body["type"] for body in await ledger.promised()} == {"job"}


async def test_each_message_names_its_job_in_headers_and_body(ledger: Ledger) -> None:
    run, _ = await ledger.start(2)
    messages = await ledger.messages()
    assert [str(one.id) for one in messages] == [msgspec.json.decode(one.body)["job"] for one in messages]
    assert {one.correlation_id for one in messages} == {str(run)}


async def test_one_row_of_the_outbox_stands_for_many_jobs(ledger: Ledger) -> None:
    _, jobs = await ledger.start(1_001)
    rows = await ledger.rows("SELECT cardinality(copies) AS n FROM outbox_messages ORDER BY n DESC")
    assert [row.n for row in rows] == [500, 500, 1]
    assert {one.id for one in await ledger.messages()} == set(jobs)


async def test_nothing_is_left_of_a_run_whose_transaction_was_rolled_back(ledger: Ledger) -> None:
    place = await ledger.place()
    assert place.organisation_id is not None
    assert place.project_id is not None
    run = Run(
        kind=KIND,
        organisation_id=place.organisation_id,
        project_id=place.project_id,
        subject_id=uuid4(),
        created_by="Ada",
    )

    async def change_that_fails() -> None:
        async with ledger.database.transaction(place) as session:
            made = await ledger.jobs.create_run(session, run, [IdleSpec()])
            await ledger.jobs.add(session, made.run_id, [Unit(uuid4(), made.spec_ids[0])])
            raise LookupError

    with pytest.raises(LookupError):
        await change_that_fails()
    assert await ledger.rows("SELECT id FROM job_runs") == []
    assert await ledger.promised() == []


async def test_jobs_may_come_from_a_select(ledger: Ledger) -> None:
    run, _ = await ledger.start(1)
    spec = (await ledger.rows("SELECT id FROM job_specs"))[0].id
    numbers = func.generate_series(1, 7).table_valued("n")
    series = select(func.gen_random_uuid().label("id"), cast(spec, Uuid).label("spec_id")).select_from(numbers)
    async with ledger.database.transaction(INSTANCE) as session:
        assert await ledger.jobs.add(session, run, series) == 7
    assert await ledger.states(run) == {"waiting": 8}
    assert (await ledger.run(run)).total == 8
    assert len(await ledger.promised()) == 8


async def test_a_job_is_never_in_the_ledger_twice(ledger: Ledger) -> None:
    from sqlalchemy.exc import IntegrityError

    run, jobs = await ledger.start(1)
    spec = (await ledger.rows("SELECT id FROM job_specs"))[0].id
    with pytest.raises(IntegrityError):
        async with ledger.database.transaction(INSTANCE) as session:
            await ledger.jobs.add(session, run, [Unit(jobs[0], spec)])
    assert (await ledger.run(run)).total == 1


async def test_pausing_resuming_and_cancelling_each_happen_once(ledger: Ledger) -> None:
    run, _ = await ledger.start(1)
    async with ledger.database.transaction(INSTANCE) as session:
        assert not await ledger.jobs.resume(session, run)
        assert await ledger.jobs.pause(session, run)
        assert not await ledger.jobs.pause(session, run)
    assert (await ledger.run(run)).state == "paused"
    async with ledger.database.transaction(INSTANCE) as session:
        assert await ledger.jobs.resume(session, run)
        assert await ledger.jobs.cancel(session, run)
        assert not await ledger.jobs.cancel(session, run)
        assert not await ledger.jobs.pause(session, run)
    assert (await ledger.run(run)).state == "cancelled"


async def test_a_cancelled_run_takes_no_more_jobs_and_is_not_tried_again_before_it_ended(ledger: Ledger) -> None:
    run, _ = await ledger.start(1)
    async with ledger.database.transaction(INSTANCE) as session:
        await ledger.jobs.cancel(session, run)
    async with ledger.database.transaction(INSTANCE) as session:
        with pytest.raises(RunNotThere):
            await ledger.jobs.add(session, run, [Unit(uuid4(), uuid4())])
        with pytest.raises(RunNotThere):
            await ledger.jobs.redrive(session, run)


async def test_resuming_promises_what_was_held(ledger: Ledger) -> None:
    run, jobs = await ledger.start(3)
    await _set(ledger, jobs[:2], JobState.HELD)
    async with ledger.database.transaction(INSTANCE) as session:
        await ledger.jobs.pause(session, run)
        await session.execute(text("DELETE FROM outbox_messages"))
        await ledger.jobs.resume(session, run)
    assert sorted(body["job"] for body in await ledger.promised()) == [str(job) for job in jobs[:2]]


async def test_redriving_makes_failed_jobs_wait_again_and_discarding_takes_them_off_the_list(ledger: Ledger) -> None:
    run, jobs = await ledger.start(4)
    await _set(ledger, jobs[:3], JobState.FAILED)
    await _set(ledger, jobs[3:], JobState.DONE)
    await ledger.rows("UPDATE job_runs SET failed = 3, done = 1, state = 'done' RETURNING id")
    async with ledger.database.transaction(INSTANCE) as session:
        assert await ledger.jobs.discard(session, run, jobs[:1]) == 1
        assert await ledger.jobs.redrive(session, run) == 2
    found = await ledger.run(run)
    assert (found.state, found.failed, found.done, found.total) == ("running", 1, 1, 4)
    assert await ledger.states(run) == {"failed": 1, "waiting": 2, "done": 1}
    async with ledger.database.transaction(INSTANCE) as session:
        assert await ledger.jobs.redrive(session, run, jobs[:1]) == 1
        assert await ledger.jobs.redrive(session, run, states=[JobState.DONE]) == 1
    assert await ledger.states(run) == {"waiting": 4}


async def test_an_unknown_run_is_named_as_such_and_so_is_another_organisations(ledger: Ledger) -> None:
    run, _ = await ledger.start(1)
    stranger = await ledger.place()
    async with ledger.database.transaction(stranger) as session:
        with pytest.raises(UnknownRun):
            await ledger.jobs.cancel(session, run)
        with pytest.raises(UnknownRun):
            await ledger.jobs.cancel(session, uuid4())


async def _set(ledger: Ledger, jobs: list[UUID], state: JobState) -> None:
    await ledger.rows(
        "UPDATE jobs SET state = :state WHERE id = ANY(CAST(:jobs AS uuid[])) RETURNING id", state=state, jobs=jobs
    )
