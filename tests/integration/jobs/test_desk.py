"""What workers are told: jobs are handed out and settled once, tries are counted, runs are stopped, keys are sealed."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator
from uuid import uuid4

import anyio
import pytest

from arcane.jobs.words import JobState
from arcane.kit.problems import NotFound
from arcane.messaging.generation import ModelSpec, PromptSpec, Provider, TemplateFormat
from arcane.messaging.jobs import Failed, GenerateSpec, IdleSpec, NotNow
from arcane.workers.leases import TooManyAtOnce
from tests.support.jobs import INSTANCE, Ledger, done, failure, ledger_on
from tests.support.postgres import MigratedDatabase

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]

CANARY = "canary-5ecret-provider-key"


@pytest.fixture
async def ledger(migrated_database: MigratedDatabase) -> AsyncIterator[Ledger]:
    async with ledger_on(migrated_database, retry_delays_s=(0.05, 0.05), claims_max=3) as made:
        yield made


async def test_a_claim_brings_the_spec_once_and_the_inputs_of_each_job(ledger: Ledger) -> None:
    run, jobs = await ledger.start(2)
    worker = ledger.worker()
    answer = await worker.claim(*jobs)
    assert sorted(one.job for one in answer.claimed) == jobs
    assert {one.run for one in answer.claimed} == {run}
    assert [one.inputs for one in answer.claimed] == [{"id": str(one.job)} for one in answer.claimed]
    assert list(answer.specs.values()) == [IdleSpec()]
    assert await ledger.states(run) == {"running": 2}
    again = await worker.claim(jobs[0], known=list(answer.specs))
    assert again.specs == {}
    assert again.claimed[0].spec in answer.specs


async def test_the_first_result_wins_and_the_run_ends_with_the_last_one(ledger: Ledger) -> None:
    run, jobs = await ledger.start(2)
    worker = ledger.worker()
    await worker.claim(*jobs)
    assert await worker.send(done(jobs[0])) == ()
    assert await worker.send(done(jobs[0]), done(jobs[1])) == ()
    assert await ledger.worker("w2").send(failure(jobs[0], final=True)) == ()
    assert sorted(result.job for result in ledger.probe.taken) == jobs
    assert ledger.probe.ends == [run]
    found = await ledger.run(run)
    assert (found.state, found.done, found.failed) == ("done", 2, 0)
    assert (await worker.claim(jobs[0])).not_now == {jobs[0]: NotNow.SETTLED}


async def test_a_failed_try_waits_is_early_until_it_is_due_and_the_last_one_is_final(ledger: Ledger) -> None:
    run, (job,) = await ledger.start(1)
    worker = ledger.worker()
    for attempt in (1, 2):
        await _due(ledger)
        assert (await worker.claim(job)).claimed[0].attempt == attempt
        assert await worker.send(failure(job, attempt)) == (job,)
        assert await worker.send(failure(job, attempt)) == (job,)  # the answer was lost; the try counts once
    await _due(ledger)
    await worker.claim(job)
    assert await worker.send(failure(job, 3)) == ()
    row = (await ledger.rows("SELECT state, failures, errors FROM jobs"))[0]
    assert (row.state, row.failures) == ("failed", 3)
    assert [error["attempt"] for error in row.errors] == [1, 2, 3]
    assert {error["worker"] for error in row.errors} == {"w1"}
    (result,) = ledger.probe.taken
    assert result.final
    assert (await ledger.run(run)).failed == 1


async def test_a_try_that_is_not_due_is_early(migrated_database: MigratedDatabase) -> None:
    async with ledger_on(migrated_database) as ledger:
        _, (job,) = await ledger.start(1)
        worker = ledger.worker()
        await worker.claim(job)
        await worker.send(failure(job))
        assert (await worker.claim(job)).not_now == {job: NotNow.EARLY}


async def test_a_success_counts_although_another_worker_failed_before(ledger: Ledger) -> None:
    run, (job,) = await ledger.start(1)
    first, second = ledger.worker("w1"), ledger.worker("w2")
    await first.claim(job)
    await second.claim(job)
    assert await first.send(failure(job)) == (job,)
    assert await second.send(done(job)) == ()
    assert await ledger.states(run) == {"done": 1}


async def test_inputs_that_cannot_be_had_fail_the_job_in_the_ledger(ledger: Ledger) -> None:
    run, jobs = await ledger.start(3)
    ledger.probe.planted = {
        jobs[0]: Failed(error="the trace is gone", retry=False),
        jobs[1]: Failed(error="the datasource is away", retry=True),
    }
    answer = await ledger.worker().claim(*jobs)
    assert [one.job for one in answer.claimed] == [jobs[2]]
    assert (answer.failed[jobs[0]].retry, answer.failed[jobs[1]].retry) == (False, True)
    assert await ledger.states(run) == {"failed": 1, "waiting": 1, "running": 1}
    assert [result.job for result in ledger.probe.taken] == [jobs[0]]


async def test_a_paused_run_hands_nothing_out_takes_what_runs_and_goes_on(ledger: Ledger) -> None:
    run, jobs = await ledger.start(2)
    worker = ledger.worker()
    await worker.claim(jobs[0])
    async with ledger.database.transaction(INSTANCE) as session:
        await ledger.jobs.pause(session, run)
    assert (await worker.claim(jobs[1])).not_now == {jobs[1]: NotNow.HELD}
    await worker.send(done(jobs[0]))
    assert await ledger.states(run) == {"done": 1, "held": 1}
    async with ledger.database.transaction(INSTANCE) as session:
        await ledger.jobs.resume(session, run)
    assert [one.job for one in (await worker.claim(jobs[1])).claimed] == [jobs[1]]


async def test_a_cancelled_run_takes_no_result_and_ends(ledger: Ledger) -> None:
    run, jobs = await ledger.start(3)
    worker = ledger.worker()
    await worker.claim(jobs[0])
    await worker.claim(jobs[1])
    await worker.send(done(jobs[0]))
    async with ledger.database.transaction(INSTANCE) as session:
        await ledger.jobs.cancel(session, run)
    assert (await worker.claim(jobs[2])).not_now == {jobs[2]: NotNow.CANCELLED}
    assert await worker.send(done(jobs[1])) == ()
    await ledger.sweeper.close_cancelled()
    await ledger.sweeper.close_cancelled()
    assert await ledger.states(run) == {"done": 1, "cancelled": 2}
    assert ledger.probe.ends == [run]
    assert [result.job for result in ledger.probe.taken] == [jobs[0]]
    async with ledger.database.transaction(INSTANCE) as session:
        assert await ledger.jobs.redrive(session, run) == 2
    assert await ledger.states(run) == {"done": 1, "waiting": 2}


async def test_a_worker_hears_within_two_seconds_that_a_run_was_stopped(ledger: Ledger) -> None:
    run, _ = await ledger.start(1)
    worker = ledger.worker()
    heard: list[float] = []

    async def listen() -> None:
        assert await worker.stopped(run, wait_s=20.0) == {run: NotNow.CANCELLED}
        heard.append(time.monotonic())

    async with anyio.create_task_group() as group:
        group.start_soon(listen)
        await anyio.sleep(0.3)
        async with ledger.database.transaction(INSTANCE) as session:
            await ledger.jobs.cancel(session, run)
        began = time.monotonic()
    assert heard[0] - began < 2.0
    known = {run: NotNow.CANCELLED}
    assert await worker.stopped(run, known=known) == known
    gone = uuid4()
    assert await worker.stopped(gone) == {gone: NotNow.UNKNOWN}


async def test_a_job_whose_workers_are_lost_again_and_again_is_given_up(ledger: Ledger) -> None:
    run, (job,) = await ledger.start(1)
    for _ in range(3):
        assert (await ledger.worker().claim(job)).claimed
    answer = await ledger.worker().claim(job)
    assert not answer.failed[job].retry
    assert await ledger.states(run) == {"failed": 1}
    assert ledger.probe.taken[0].error is not None
    assert ledger.probe.taken[0].error.kind == "lost"


async def test_unknown_jobs_are_named_and_requests_are_bounded(ledger: Ledger) -> None:
    worker = ledger.worker()
    gone = uuid4()
    assert (await worker.claim(gone)).not_now == {gone: NotNow.UNKNOWN}
    assert await worker.send(done(gone)) == ()
    with pytest.raises(TooManyAtOnce):
        await worker.claim(*[uuid4() for _ in range(501)])


async def test_errors_are_kept_as_the_database_can_keep_them(ledger: Ledger) -> None:
    _, (job,) = await ledger.start(1)
    await ledger.worker().send(failure(job, final=True, message="a\x00b" + "c" * 5_000))
    (error,) = (await ledger.rows("SELECT errors FROM jobs"))[0].errors
    assert error["message"].startswith("a\ufffdb")
    assert len(error["message"]) == 2_000


async def test_keys_are_sealed_for_the_worker_that_runs_the_job_and_for_its_models_alone(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    place, configuration, other = await ledger.place(), uuid4(), uuid4()
    assert place.organisation_id is not None
    ledger.keys.planted = {(place.organisation_id, which): {"api_key": CANARY} for which in (configuration, other)}
    model = ModelSpec(configuration=configuration, provider=Provider.OPENAI, model="m")
    spec = GenerateSpec(prompt=PromptSpec(messages=(), format=TemplateFormat.NONE), model=model)
    _, (job,) = await ledger.start(1, place, spec)
    worker, stranger = ledger.worker(), ledger.worker("w2")
    with caplog.at_level(logging.DEBUG):
        with pytest.raises(NotFound):
            await worker.secrets(job, configuration)  # not claimed yet
        await worker.claim(job)
        assert await worker.secrets(job, configuration) == {"api_key": CANARY}
        with pytest.raises(NotFound):
            await worker.secrets(job, other)
        with pytest.raises(NotFound):
            await stranger.secrets(job, configuration)
        await worker.send(done(job))
        with pytest.raises(NotFound):
            await worker.secrets(job, configuration)
    assert CANARY not in caplog.text


async def test_what_no_message_speaks_of_any_more_is_promised_anew(migrated_database: MigratedDatabase) -> None:
    async with ledger_on(migrated_database, stuck_s=0.2, deadline_s=0.2) as ledger:
        run, jobs = await ledger.start(3)
        await ledger.worker().claim(jobs[0])
        await ledger.rows("DELETE FROM outbox_messages RETURNING id")
        assert await ledger.sweeper.promise_stuck() == 0
        await anyio.sleep(0.5)
        assert await ledger.sweeper.promise_stuck() == 3
        assert await ledger.sweeper.promise_stuck() == 0
        assert sorted(body["job"] for body in await ledger.promised()) == [str(job) for job in jobs]
        assert await ledger.states(run) == {"running": 1, "waiting": 2}


async def test_a_job_in_a_long_queue_is_in_its_place(migrated_database: MigratedDatabase) -> None:
    async with ledger_on(migrated_database, stuck_s=0.3) as ledger:
        place = await ledger.place()
        _, early = await ledger.start(1, place)
        _, late = await ledger.start(1, place)
        await ledger.rows("DELETE FROM outbox_messages RETURNING id")
        await anyio.sleep(0.4)
        await ledger.worker().claim(*early)  # older ones are handed out right now
        assert await ledger.sweeper.promise_stuck() == 0
        await ledger.rows("UPDATE jobs SET state = 'waiting' WHERE id = :id RETURNING id", id=early[0])
        await ledger.worker().claim(*late)  # one that was promised later went before it
        assert await ledger.sweeper.promise_stuck() == 1


async def test_results_of_a_run_that_was_deleted_are_nobodys(ledger: Ledger) -> None:
    run, (job,) = await ledger.start(1)
    await ledger.rows("DELETE FROM job_runs WHERE id = :run RETURNING id", run=run)
    assert (await ledger.worker().claim(job)).not_now == {job: NotNow.UNKNOWN}
    assert await ledger.worker().send(done(job)) == ()
    assert ledger.probe.taken == []
    assert JobState.DONE not in await ledger.states(run)


async def _due(ledger: Ledger) -> None:
    await ledger.rows("UPDATE jobs SET due_at = NULL RETURNING id")
