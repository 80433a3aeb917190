"""Evaluations over datasets and experiments: a result for each subject and score, whoever gives it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from arcane.datasets.sources import Scope
from arcane.evaluations.problems import (
    BadEvaluation,
    BadValue,
    EvaluationEmpty,
    EvaluationState,
    EvaluationTooLarge,
    UnknownEvaluation,
    UnknownSubject,
)
from arcane.evaluations.words import Draft, EvaluationView, Given, Mode, SearchDraft, State, SubjectsRequest, Verdict
from arcane.experiments.words import Again, Status
from arcane.kit.pagination import PageRequest
from arcane.messaging.generation import Usage
from arcane.messaging.jobs import Failed, JobError, JobResult
from tests.support.evaluating import EXACT, JUDGE, MOOD, Desk, desk_on, failed, judged
from tests.support.postgres import MigratedDatabase

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]
ROWS = tuple({"question": f"{n}+{n}", "reference": str(2 * n), "response": str(n)} for n in range(1, 4))
COLUMNS = ("question", "reference", "response")
ALL = SubjectsRequest(PageRequest(50))


async def _evaluation(desk: Desk, *scores: UUID, **more: Any) -> EvaluationView:
    dataset = more.pop("dataset_id", None) or await desk.dataset(*ROWS, columns=COLUMNS)
    draft = Draft(
        **{"name": "Sums", "scope": Scope.DATASET, "dataset_id": dataset, "scores": scores, "mappings": {}, **more}
    )
    return await desk.evaluations.evaluations.create(desk.actor, draft)


async def test_every_row_has_a_pending_result_for_every_score(desk: Desk) -> None:
    made = await _evaluation(desk, EXACT, JUDGE, MOOD, mappings={JUDGE: {"user_input": "column:question"}})
    assert (made.state, made.tally.total, made.pinned["dataset"]["name"][:3]) == (State.RUNNING, 9, "Set")
    assert [(one.name, one.automatic) for one in made.scores] == [
        ("Exact match", True),
        ("Judge", True),
        ("Mood", False),
    ]
    assert made.scores[0].mapping == {"response": "column:response", "reference": "column:reference"}
    assert made.run_id is not None
    assert await desk.ledger.states(made.run_id) == {"waiting": 6}
    subject = (await desk.evaluations.verdicts.subjects(desk.actor, made.id, ALL)).items[0]
    assert (subject.values, {one.source for one in subject.results.values()}) == (
        dict(ROWS[0]),
        {Given.SCORER, Given.PERSON},
    )


async def test_workers_get_what_the_mapping_says(desk: Desk) -> None:
    mapping = {"response": "column:response", "reference": "text:2"}
    made = await _evaluation(desk, EXACT, mappings={EXACT: mapping})
    assert made.run_id is not None
    work = await desk.work(made.run_id)
    assert sorted(inputs["response"] for inputs in work.values()) == ["1", "2", "3"]
    assert {inputs["reference"] for inputs in work.values()} == {"2"}


async def test_verdicts_are_counted_summed_up_and_shown(desk: Desk) -> None:
    made = await _evaluation(desk, EXACT)
    assert made.run_id is not None
    one, two, three = sorted(await desk.work(made.run_id))
    results = [judged(one, 1.0, cost=0.25, reasoning="same", details={"n": 1}), judged(two, 0.0), failed(three)]
    await desk.take(made.run_id, results)
    seen = await desk.evaluations.evaluations.get(desk.actor, made.id)
    assert (seen.state, seen.tally.done, seen.tally.failed, seen.tally.cost_usd) == (State.DONE, 2, 1, 0.25)
    (summary,) = await desk.evaluations.verdicts.summaries(desk.actor, made.id)
    assert (summary.total, summary.done, summary.failed, summary.mean, summary.highest) == (3, 2, 1, 0.5, 1.0)
    said = [one.results[EXACT] for one in (await desk.evaluations.verdicts.subjects(desk.actor, made.id, ALL)).items]
    assert {(one.value, one.reasoning, one.error) for one in said} == {
        (1.0, "same", ""),
        (0.0, "", ""),
        (None, "", "the model said nothing"),
    }


async def test_a_verdict_that_comes_twice_counts_once_and_no_number_is_a_failure(desk: Desk) -> None:
    made = await _evaluation(desk, EXACT)
    assert made.run_id is not None
    one, two, _ = sorted(await desk.work(made.run_id))
    for _ in range(2):
        await desk.take(made.run_id, [judged(one, 1.0, cost=0.5), judged(two, float("nan"))], ended=False)
    seen = await desk.evaluations.evaluations.get(desk.actor, made.id)
    assert (seen.tally.done, seen.tally.failed, seen.tally.cost_usd) == (1, 1, 0.5)


async def test_a_spent_budget_stops_and_a_larger_one_goes_on(desk: Desk) -> None:
    made = await _evaluation(desk, JUDGE, budget_usd=0.5)
    assert made.run_id is not None
    one, two, three = sorted(await desk.work(made.run_id))
    await desk.take(made.run_id, [judged(one, 1.0, "good", cost=0.3)], ended=False)
    assert (await desk.evaluations.evaluations.get(desk.actor, made.id)).state is State.RUNNING
    await desk.take(made.run_id, [judged(two, 1.0, "good", cost=0.3)], ended=False)
    seen = await desk.evaluations.evaluations.get(desk.actor, made.id)
    assert (seen.state, seen.note) == (State.STOPPED, "the budget is spent")
    assert (await desk.ledger.run(made.run_id)).state == "paused"
    with pytest.raises(EvaluationState, match="raise it"):
        await desk.evaluations.evaluations.resume(desk.actor, made.id)
    await desk.evaluations.evaluations.change(desk.actor, made.id, {"budget_usd": 2.0})
    assert (await desk.evaluations.evaluations.resume(desk.actor, made.id)).state is State.RUNNING
    await desk.take(made.run_id, [judged(three, 0.0, "bad", cost=0.3)])
    assert (await desk.evaluations.evaluations.get(desk.actor, made.id)).state is State.DONE


async def test_a_budget_that_cannot_be_kept_is_refused(desk: Desk) -> None:
    judge = desk.scores.scores[JUDGE]
    assert judge.spec is not None
    assert judge.spec.model is not None
    model = msgspec.structs.replace(judge.spec.model, price=None, model="nobody-knows-it")
    desk.scores.scores[JUDGE] = replace(judge, spec=msgspec.structs.replace(judge.spec, model=model))
    with pytest.raises(BadEvaluation, match="no price is known of nobody-knows-it"):
        await _evaluation(desk, JUDGE, budget_usd=1.0)


async def test_people_score_with_numbers_and_labels(desk: Desk) -> None:
    made = await _evaluation(desk, MOOD, EXACT, mode=Mode.MANUAL)
    assert made.run_id is None
    verdicts = desk.evaluations.verdicts
    first, second, third = (await verdicts.subjects(desk.actor, made.id, ALL)).items
    for subject, label in ((first, "glad"), (second, "sad"), (third, "sad")):
        given = Verdict(label=label, reasoning="I looked", subject_id=subject.id)
        await verdicts.give(desk.actor, made.id, {MOOD: [given]}, Given.PERSON)
    seen = await verdicts.subject(desk.actor, made.id, first.id)
    assert (seen.results[MOOD].value, seen.results[MOOD].label, seen.results[MOOD].scored_by) == (
        1.0,
        "glad",
        desk.actor.name,
    )
    mood = next(one for one in await verdicts.summaries(desk.actor, made.id) if one.score_id == MOOD)
    assert (mood.done, mood.labels) == (3, {"glad": 1, "sad": 2})
    rows = [Verdict(value=0.5, row_id=one.row_id) for one in (first, second, third)]
    assert len(await verdicts.give(desk.actor, made.id, {EXACT: rows}, Given.IMPORT)) == 3
    assert (await desk.evaluations.evaluations.get(desk.actor, made.id)).state is State.DONE


@pytest.mark.parametrize(
    ("score", "verdict"),
    [
        (MOOD, {"label": "cross"}),
        (MOOD, {"value": 0.5}),
        (EXACT, {"label": "glad"}),
        (EXACT, {"value": 1.5}),
        (EXACT, {"value": float("nan")}),
        (EXACT, {}),
    ],
)
async def test_values_that_a_score_does_not_have_are_refused(desk: Desk, score: UUID, verdict: dict[str, Any]) -> None:
    made = await _evaluation(desk, MOOD, EXACT, mode=Mode.MANUAL)
    subject = (await desk.evaluations.verdicts.subjects(desk.actor, made.id, ALL)).items[0]
    given = Verdict(**verdict, subject_id=subject.id)
    with pytest.raises(BadValue):
        await desk.evaluations.verdicts.give(desk.actor, made.id, {score: [given]}, Given.PERSON)


async def test_an_import_is_taken_whole_or_not_at_all(desk: Desk) -> None:
    made = await _evaluation(desk, MOOD, mode=Mode.MANUAL)
    verdicts = desk.evaluations.verdicts
    row = (await verdicts.subjects(desk.actor, made.id, ALL)).items[0].row_id
    for wrong in (Verdict(label="sad", row_id=uuid4()), Verdict(label="sad", row_id=row)):
        given = [Verdict(label="glad", row_id=row), wrong]
        with pytest.raises((UnknownSubject, BadValue)):
            await verdicts.give(desk.actor, made.id, {MOOD: given}, Given.IMPORT)
    assert (await desk.evaluations.evaluations.get(desk.actor, made.id)).tally.done == 0


async def test_what_a_person_said_stays_when_the_scorer_comes_late(desk: Desk) -> None:
    made = await _evaluation(desk, EXACT)
    assert made.run_id is not None
    job = min(await desk.work(made.run_id))
    page = await desk.evaluations.verdicts.subjects(desk.actor, made.id, ALL)
    subject = next(one for one in page.items if one.results[EXACT].id == job)
    given = Verdict(value=0.75, subject_id=subject.id)
    await desk.evaluations.verdicts.give(desk.actor, made.id, {EXACT: [given]}, Given.PERSON)
    await desk.take(made.run_id, [judged(job, 0.0)], ended=False)
    seen = await desk.evaluations.verdicts.subject(desk.actor, made.id, subject.id)
    assert (seen.results[EXACT].value, seen.results[EXACT].source) == (0.75, Given.PERSON)


async def test_a_deleted_dataset_breaks_nothing_that_was_found_out(desk: Desk) -> None:
    made = await _evaluation(desk, EXACT)
    assert made.run_id is not None
    jobs = sorted(await desk.work(made.run_id))
    await desk.take(made.run_id, [judged(jobs[0], 1.0)], ended=False)
    assert made.dataset_id is not None
    await desk.datasets.datasets.delete(desk.actor, made.dataset_id)
    left = await desk.ledger.parts.subjects.of("evaluation").inputs(await desk.run(made.run_id), jobs[1:])
    assert all(isinstance(one, Failed) and not one.retry for one in left.values())
    page = await desk.evaluations.verdicts.subjects(desk.actor, made.id, ALL)
    assert [one.results[EXACT].value for one in page.items if one.results[EXACT].status is Status.DONE] == [1.0]


async def test_subjects_are_paged_by_what_a_score_says(desk: Desk) -> None:
    made = await _evaluation(desk, EXACT)
    assert made.run_id is not None
    one, two, _ = sorted(await desk.work(made.run_id))
    await desk.take(made.run_id, [judged(one, 0.25), judged(two, 0.75)], ended=False)
    walked: list[float | None] = []
    cursor = None
    while True:
        request = SubjectsRequest(PageRequest(1, cursor), sort=EXACT, descending=True)
        page = await desk.evaluations.verdicts.subjects(desk.actor, made.id, request)
        walked += [subject.results[EXACT].value for subject in page.items]
        cursor = page.next
        if cursor is None:
            break
    assert walked == [0.75, 0.25, None]
    pending = SubjectsRequest(PageRequest(50), score_id=EXACT, status=Status.RUNNING)
    assert len((await desk.evaluations.verdicts.subjects(desk.actor, made.id, pending)).items) == 1


async def test_cancelling_leaves_what_people_are_still_to_say(desk: Desk) -> None:
    made = await _evaluation(desk, EXACT, MOOD)
    gone = await desk.evaluations.evaluations.cancel(desk.actor, made.id)
    page = await desk.evaluations.verdicts.subjects(desk.actor, made.id, ALL)
    assert gone.state is State.CANCELLED
    assert {one.results[EXACT].status for one in page.items} == {Status.CANCELLED}
    assert {one.results[MOOD].status for one in page.items} == {Status.PENDING}
    with pytest.raises(EvaluationState):
        await desk.evaluations.evaluations.rerun(desk.actor, (await _evaluation(desk, MOOD)).id, Again.ALL)


async def test_scorers_do_again_what_is_theirs_and_what_people_said_stays_counted(desk: Desk) -> None:
    made = await _evaluation(desk, EXACT, MOOD)
    assert made.run_id is not None
    verdicts, evaluations = desk.evaluations.verdicts, desk.evaluations.evaluations
    worker = desk.ledger.worker()
    jobs = [row.id for row in await desk.ledger.rows("SELECT id FROM jobs WHERE run_id = :run", run=made.run_id)]
    await worker.claim(*jobs)
    await worker.send(*(judged(job, 0.0) for job in jobs))
    subjects = (await verdicts.subjects(desk.actor, made.id, ALL)).items
    moods = [Verdict(label="glad", subject_id=one.id) for one in subjects]
    better = Verdict(value=1.0, subject_id=subjects[0].id)
    await verdicts.give(desk.actor, made.id, {MOOD: moods, EXACT: [better]}, Given.PERSON)
    again = await evaluations.rerun(desk.actor, made.id, Again.ALL)
    assert (again.state, again.tally.done, again.tally.total) == (State.RUNNING, 4, 6)
    assert await desk.ledger.states(made.run_id) == {"done": 1, "waiting": 2}
    claimed = (await worker.claim(*jobs)).claimed
    await worker.send(*(msgspec.structs.replace(judged(one.job, 0.5), attempt=one.attempt) for one in claimed))
    last = await evaluations.get(desk.actor, made.id)
    assert (last.state, last.tally.done) == (State.DONE, 6)
    shown = (await verdicts.subjects(desk.actor, made.id, ALL)).items
    assert [one.results[EXACT].value for one in shown] == [1.0, 0.5, 0.5]
    with pytest.raises(EvaluationState, match="nothing to do again"):
        await evaluations.rerun(desk.actor, made.id, Again.FAILED)


async def test_finishing_waits_for_nobody_and_more_may_still_be_said(desk: Desk) -> None:
    made = await _evaluation(desk, EXACT, MOOD)
    assert made.run_id is not None
    evaluations, verdicts = desk.evaluations.evaluations, desk.evaluations.verdicts
    finished = await evaluations.finish(desk.actor, made.id)
    assert finished.state is State.DONE
    assert (await desk.ledger.run(made.run_id)).state == "cancelled"
    subjects = (await verdicts.subjects(desk.actor, made.id, ALL)).items
    assert {said.status for one in subjects for said in one.results.values()} == {Status.CANCELLED}
    await verdicts.give(desk.actor, made.id, {MOOD: [Verdict(label="sad", subject_id=subjects[0].id)]}, Given.PERSON)
    seen = await evaluations.get(desk.actor, made.id)
    assert (seen.state, seen.tally.done) == (State.DONE, 1)
    with pytest.raises(EvaluationState, match="the evaluation is done"):
        await evaluations.finish(desk.actor, made.id)


async def test_every_try_is_paid_and_a_result_shows_its_own(desk: Desk) -> None:
    made = await _evaluation(desk, JUDGE)
    evaluations, worker = desk.evaluations.evaluations, desk.ledger.worker()
    jobs = [row.id for row in await desk.ledger.rows("SELECT id FROM jobs WHERE run_id = :run", run=made.run_id)]
    await worker.claim(*jobs)
    useless = JobError(kind="answer-does-not-fit", message="twice", usage=Usage(cost_usd=0.5, calls=2, input_tokens=7))
    wrong = JobResult(job=jobs[0], attempt=1, duration_ms=1.0, error=useless)
    await worker.send(wrong, *(judged(job, 1.0, "good", cost=0.25) for job in jobs[1:]))
    first = await evaluations.get(desk.actor, made.id)
    assert (first.state, first.tally.done, first.tally.failed) == (State.DONE, 2, 1)
    assert (first.tally.cost_usd, first.tally.input_tokens) == (1.0, 27)
    again = await evaluations.rerun(desk.actor, made.id, Again.ALL)
    assert (again.tally.done, again.tally.failed, again.tally.cost_usd) == (0, 0, 1.0)
    cleared = (await desk.evaluations.verdicts.subjects(desk.actor, made.id, ALL)).items
    assert {(one.results[JUDGE].cost_usd, one.results[JUDGE].finished_at) for one in cleared} == {(None, None)}
    claimed = (await worker.claim(*jobs)).claimed
    await worker.send(
        *(msgspec.structs.replace(judged(one.job, 0.0, "bad", cost=0.125), attempt=one.attempt) for one in claimed)
    )
    last = await evaluations.get(desk.actor, made.id)
    assert (last.tally.done, last.tally.cost_usd) == (3, 1.375)
    shown = (await desk.evaluations.verdicts.subjects(desk.actor, made.id, ALL)).items
    assert [one.results[JUDGE].cost_usd for one in shown] == [0.125] * 3


async def test_the_estimate_is_a_range_over_what_there_is(desk: Desk) -> None:
    dataset = await desk.dataset(*ROWS, columns=COLUMNS)
    draft = Draft(
        name="x",
        scope=Scope.DATASET,
        dataset_id=dataset,
        scores=(JUDGE, EXACT),
        mappings={JUDGE: {"user_input": "column:question"}},
    )
    found = await desk.evaluations.evaluations.estimate(desk.actor, draft)
    assert (found.subjects, found.results, found.sampled, found.unpriced) == (3, 6, 3, ())
    assert 0 < found.cost_usd_low < found.cost_usd_high
    assert (found.calls_low, found.calls_high) == (3, 15)
    assert await desk.ledger.rows("SELECT id FROM evaluations") == []


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"scores": ()}, "#/scores"),
        ({"experiment_ids": (uuid4(),)}, "#/experiment_ids"),
        ({"search": SearchDraft(query="{}")}, "#/search"),
        ({"mappings": {uuid4(): {}}}, "#/mappings/"),
        ({"mappings": {EXACT: {"response": "column:nothing"}}}, f"#/mappings/{EXACT}/response"),
        ({"mappings": {EXACT: {"answer": "column:response"}}}, f"#/mappings/{EXACT}/answer"),
        ({"mappings": {EXACT: {"response": "trace:output"}}}, f"#/mappings/{EXACT}/response"),
    ],
)
async def test_what_does_not_fit_is_pointed_at(desk: Desk, changes: dict[str, Any], pointer: str) -> None:
    with pytest.raises(BadEvaluation) as refused:
        await _evaluation(desk, **{"scores": (EXACT,), **changes})
    assert any(error["pointer"].startswith(pointer) for error in refused.value.members["errors"])


async def test_there_has_to_be_something_and_not_too_much(migrated_database: MigratedDatabase) -> None:
    async with desk_on(migrated_database, results_max=5) as desk:
        with pytest.raises(EvaluationEmpty):
            await _evaluation(desk, MOOD, split="none")
        with pytest.raises(EvaluationTooLarge):
            await _evaluation(desk, MOOD, EXACT)


async def test_others_know_nothing_of_it(desk: Desk) -> None:
    made = await _evaluation(desk, MOOD)
    stranger = await desk.colleague()
    verdicts, evaluations = desk.evaluations.verdicts, desk.evaluations.evaluations
    for call in (
        evaluations.get(stranger, made.id),
        evaluations.cancel(stranger, made.id),
        evaluations.delete(stranger, made.id),
        verdicts.subjects(stranger, made.id, ALL),
        verdicts.summaries(stranger, made.id),
        verdicts.values(stranger, made.id, MOOD),
        verdicts.give(stranger, made.id, {MOOD: [Verdict(value=1.0, subject_id=uuid4())]}, Given.PERSON),
    ):
        with pytest.raises(UnknownEvaluation):
            await call
    assert (await evaluations.page(stranger, PageRequest(50))).items == ()
    with pytest.raises(UnknownSubject):
        await verdicts.subject(desk.actor, made.id, uuid4())
