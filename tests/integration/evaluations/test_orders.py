"""What is told to a run where jobs are looked after is true of the experiment or evaluation that it is for."""

from __future__ import annotations

from uuid import UUID

import msgspec
import pytest

from arcane.datasets.sources import Scope
from arcane.evaluations.problems import EvaluationState
from arcane.evaluations.words import Draft, EvaluationView, Given, SearchDraft, State, SubjectsRequest, Verdict
from arcane.experiments.words import Again, Status
from arcane.experiments.words import Draft as ExperimentDraft
from arcane.experiments.words import State as ExperimentStates
from arcane.kit.pagination import PageRequest
from tests.support.evaluating import EXACT, JUDGE, VERSION, Desk, failed, judged

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]
ROW = {"response": "2", "reference": "2"}
ALL = SubjectsRequest(PageRequest(50))


async def _evaluation(desk: Desk, score: UUID = EXACT, budget_usd: float | None = None) -> EvaluationView:
    dataset = await desk.dataset(ROW, ROW, columns=("response", "reference"))
    draft = Draft(
        name="x", scope=Scope.DATASET, dataset_id=dataset, scores=(score,), mappings={}, budget_usd=budget_usd
    )
    return await desk.evaluations.evaluations.create(desk.actor, draft)


async def test_an_experiment_stands_as_its_run_does(desk: Desk) -> None:
    dataset = await desk.dataset({"question": "1+1"})
    draft = ExperimentDraft(name="x", dataset_id=dataset, prompt_version_id=VERSION, mapping={})
    experiments, board = desk.experiments.experiments, desk.ledger.parts.board
    made = await experiments.create(desk.actor, draft)
    assert made.run_id is not None
    for order, state in (
        ("pause", ExperimentStates.PAUSED),
        ("resume", ExperimentStates.RUNNING),
        ("cancel", ExperimentStates.CANCELLED),
    ):
        await board.tell(desk.actor, made.run_id, order)  # type: ignore[arg-type]
        assert (await experiments.get(desk.actor, made.id)).state is state
    seen = await experiments.get(desk.actor, made.id)
    assert seen.finished_at is not None


async def test_an_evaluation_whose_run_is_cancelled_is_over(desk: Desk) -> None:
    made = await _evaluation(desk)
    assert made.run_id is not None
    await desk.ledger.parts.board.tell(desk.actor, made.run_id, "cancel")
    await desk.ledger.sweeper.close_cancelled()
    assert (await desk.evaluations.evaluations.get(desk.actor, made.id)).state is State.CANCELLED
    subjects = (await desk.evaluations.verdicts.subjects(desk.actor, made.id, ALL)).items
    assert {one.results[EXACT].status for one in subjects} == {Status.CANCELLED}


async def test_a_spent_budget_is_not_gone_round(desk: Desk) -> None:
    made = await _evaluation(desk, JUDGE, budget_usd=0.25)
    assert made.run_id is not None
    first, _ = sorted(await desk.work(made.run_id))
    await desk.take(made.run_id, [judged(first, 1.0, "good", cost=0.3)], ended=False)
    board, evaluations = desk.ledger.parts.board, desk.evaluations.evaluations
    with pytest.raises(EvaluationState, match="budget is spent"):
        await board.tell(desk.actor, made.run_id, "resume")
    assert (await desk.ledger.run(made.run_id)).state == "paused"
    assert (await evaluations.get(desk.actor, made.id)).state is State.STOPPED
    await evaluations.cancel(desk.actor, made.id)
    await desk.ledger.sweeper.close_cancelled()
    with pytest.raises(EvaluationState, match="budget is spent"):
        await evaluations.rerun(desk.actor, made.id, Again.ALL)


async def test_a_dead_letter_that_is_tried_again_is_taken_though_all_was_over(desk: Desk) -> None:
    made = await _evaluation(desk)
    assert made.run_id is not None
    evaluations, board, worker = desk.evaluations.evaluations, desk.ledger.parts.board, desk.ledger.worker()
    jobs = [row.id for row in await desk.ledger.rows("SELECT id FROM jobs WHERE run_id = :run", run=made.run_id)]
    await worker.claim(*jobs)
    await worker.send(judged(jobs[0], 1.0), msgspec.structs.replace(failed(jobs[1]), attempt=1, final=True))
    assert (await evaluations.get(desk.actor, made.id)).state is State.DONE
    assert await board.redrive(desk.actor, made.run_id, None) == 1
    assert (await evaluations.get(desk.actor, made.id)).state is State.RUNNING
    (again,) = (await worker.claim(jobs[1])).claimed
    await worker.send(msgspec.structs.replace(judged(again.job, 0.5), attempt=again.attempt))
    seen = await evaluations.get(desk.actor, made.id)
    assert (seen.state, seen.tally.done, seen.tally.failed) == (State.DONE, 2, 0)


async def test_a_dead_letter_of_a_cancelled_evaluation_leaves_it_done_when_it_was_tried(desk: Desk) -> None:
    made = await _evaluation(desk)
    assert made.run_id is not None
    evaluations, board, worker = desk.evaluations.evaluations, desk.ledger.parts.board, desk.ledger.worker()
    jobs = [row.id for row in await desk.ledger.rows("SELECT id FROM jobs WHERE run_id = :run", run=made.run_id)]
    await worker.claim(jobs[0])
    await worker.send(msgspec.structs.replace(failed(jobs[0]), attempt=1, final=True))
    await evaluations.cancel(desk.actor, made.id)
    await desk.ledger.sweeper.close_cancelled()
    assert await board.redrive(desk.actor, made.run_id, None) == 1
    (again,) = (await worker.claim(jobs[0])).claimed
    await worker.send(msgspec.structs.replace(judged(again.job, 0.5), attempt=again.attempt))
    seen = await evaluations.get(desk.actor, made.id)
    assert (seen.state, seen.tally.done, seen.tally.failed) == (State.DONE, 1, 0)


async def test_what_is_still_being_listed_cannot_be_paused(desk: Desk) -> None:
    search = SearchDraft(query="{}", start=0, end=10)
    mappings = {JUDGE: {"response": "trace:name"}}
    draft = Draft(name="x", scope=Scope.TRACES, search=search, scores=(JUDGE,), mappings=mappings)
    made = await desk.evaluations.evaluations.create(desk.actor, draft)
    assert made.run_id is not None
    with pytest.raises(EvaluationState, match="still being listed"):
        await desk.ledger.parts.board.tell(desk.actor, made.run_id, "pause")
    assert (await desk.ledger.run(made.run_id)).state == "running"


async def test_workers_drop_what_people_have_given_the_last_values_of(desk: Desk) -> None:
    made, verdicts = await _evaluation(desk), desk.evaluations.verdicts
    assert made.run_id is not None
    first, second = (await verdicts.subjects(desk.actor, made.id, ALL)).items
    for subject, state in ((first, State.RUNNING), (second, State.DONE)):
        given = Verdict(value=1.0, subject_id=subject.id)
        await verdicts.give(desk.actor, made.id, {EXACT: [given]}, Given.PERSON)
        assert (await desk.evaluations.evaluations.get(desk.actor, made.id)).state is state
    assert (await desk.ledger.run(made.run_id)).state == "cancelled"
    await desk.ledger.sweeper.close_cancelled()
    seen = await desk.evaluations.evaluations.get(desk.actor, made.id)
    assert (seen.state, seen.tally.done) == (State.DONE, 2)
