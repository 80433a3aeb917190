"""Experiments: one result a row, whatever happens to the dataset, and whoever asks."""

from __future__ import annotations

from uuid import uuid4

import pytest

from arcane.datasets.problems import UnknownDataset
from arcane.datasets.views import RowDraft
from arcane.experiments.problems import (
    BadMapping,
    ExperimentEmpty,
    ExperimentsDiffer,
    ExperimentState,
    ExperimentTooLarge,
    UnknownExperiment,
    UnknownExperimentRow,
)
from arcane.experiments.words import Again, Draft, ExperimentView, Reported, ResultsRequest, Sort, State, Status
from arcane.kit.pagination import PageRequest
from arcane.kit.problems import Problem
from tests.support.evaluating import VERSION, Desk, answered, desk_on, failed
from tests.support.postgres import MigratedDatabase

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]
ROWS = ({"question": "1+1", "reference": "2"}, {"question": "2+2", "reference": "4"}, {"question": "3+3"})
ALL = ResultsRequest(PageRequest(50))


async def _experiment(desk: Desk, *rows: dict[str, str], external: bool = False, **more: object) -> ExperimentView:
    dataset = await desk.dataset(*(rows or ROWS))
    draft = Draft(
        name="Sums",
        dataset_id=dataset,
        prompt_version_id=None if external else VERSION,
        mapping={},
        **more,  # type: ignore[arg-type]
    )
    return await desk.experiments.experiments.create(desk.actor, draft)


async def test_every_row_has_one_pending_result_and_one_job(desk: Desk) -> None:
    made = await _experiment(desk)
    assert (made.state, made.tally.total, made.mapping) == (State.RUNNING, 3, {"question": "question"})
    assert made.pinned["prompt"] == {"name": "Answer", "number": 3}
    assert made.run_id is not None
    assert await desk.ledger.states(made.run_id) == {"waiting": 3}
    page = await desk.experiments.results.page(desk.actor, made.id, ALL)
    assert [(one.ordinal, one.status, one.values["question"]) for one in page.items] == [
        (1, Status.PENDING, "1+1"),
        (2, Status.PENDING, "2+2"),
        (3, Status.PENDING, "3+3"),
    ]


async def test_workers_get_the_variables_of_the_pinned_version(desk: Desk) -> None:
    made = await _experiment(desk)
    row = (await desk.experiments.results.page(desk.actor, made.id, ALL)).items[0].row_id
    await desk.datasets.rows.delete(desk.actor, made.dataset_id, [row])
    await desk.datasets.rows.add(desk.actor, made.dataset_id, [RowDraft({"question": "new"})])
    assert made.run_id is not None
    work = await desk.work(made.run_id)
    assert sorted(inputs["question"] for inputs in work.values()) == ["1+1", "2+2", "3+3"]


async def test_answers_are_counted_and_shown(desk: Desk) -> None:
    made = await _experiment(desk)
    assert made.run_id is not None
    one, two, three = sorted(await desk.work(made.run_id))
    await desk.take(made.run_id, [answered(one, "2\x00"), answered(two, "4", None), failed(three)])
    seen = await desk.experiments.experiments.get(desk.actor, made.id)
    assert (seen.state, seen.tally.done, seen.tally.failed, seen.tally.unpriced) == (State.DONE, 2, 1, 1)
    assert (seen.tally.cost_usd, seen.tally.input_tokens, seen.tally.output_tokens) == (0.25, 20, 10)
    results = {one.id: one for one in (await desk.experiments.results.page(desk.actor, made.id, ALL)).items}
    assert (results[one].output, results[one].latency_ms, results[one].model) == ("2\ufffd", 12.5, "stub-1")
    assert (results[three].status, results[three].error, results[three].attempts) == (
        Status.FAILED,
        "the model said nothing",
        3,
    )


async def test_a_result_that_comes_twice_counts_once(desk: Desk) -> None:
    made = await _experiment(desk)
    assert made.run_id is not None
    job = min(await desk.work(made.run_id))
    await desk.take(made.run_id, [answered(job, "first")], ended=False)
    await desk.take(made.run_id, [answered(job, "second")], ended=False)
    seen = await desk.experiments.experiments.get(desk.actor, made.id)
    assert (seen.tally.done, seen.tally.cost_usd) == (1, 0.25)
    result = await desk.experiments.results.get(desk.actor, made.id, job)
    assert result.output == "first"


async def test_what_was_cancelled_takes_nothing_more(desk: Desk) -> None:
    made = await _experiment(desk)
    assert made.run_id is not None
    jobs = sorted(await desk.work(made.run_id))
    gone = await desk.experiments.experiments.cancel(desk.actor, made.id)
    await desk.take(made.run_id, [answered(jobs[0], "late")])
    page = await desk.experiments.results.page(desk.actor, made.id, ALL)
    assert (gone.state, {one.status for one in page.items}) == (State.CANCELLED, {Status.CANCELLED})
    with pytest.raises(ExperimentState):
        await desk.experiments.experiments.pause(desk.actor, made.id)


async def test_pause_and_resume_reach_the_ledger(desk: Desk) -> None:
    made = await _experiment(desk)
    assert made.run_id is not None
    paused = await desk.experiments.experiments.pause(desk.actor, made.id)
    assert (paused.state, (await desk.ledger.run(made.run_id)).state) == (State.PAUSED, "paused")
    resumed = await desk.experiments.experiments.resume(desk.actor, made.id)
    assert (resumed.state, (await desk.ledger.run(made.run_id)).state) == (State.RUNNING, "running")


async def test_what_is_reported_by_somebodys_own_program_needs_no_worker(desk: Desk) -> None:
    made = await _experiment(desk, external=True)
    results = desk.experiments.results
    rows = [one.row_id for one in (await results.page(desk.actor, made.id, ALL)).items]
    for row in rows[:2]:
        await results.report(desk.actor, made.id, Reported(row, "maybe", cost_usd=0.5, input_tokens=3))
    await results.report(desk.actor, made.id, Reported(rows[0], "two"))
    last = await results.report(desk.actor, made.id, Reported(rows[2], error="no idea"))
    seen = await desk.experiments.experiments.get(desk.actor, made.id)
    assert (seen.state, seen.tally.done, seen.tally.failed, last.status) == (State.DONE, 2, 1, Status.FAILED)
    assert (await results.page(desk.actor, made.id, ALL)).items[0].output == "two"
    with pytest.raises(UnknownExperimentRow):
        await results.report(desk.actor, made.id, Reported(uuid4(), "x"))


async def test_what_is_reported_stands_in_place_of_what_a_worker_answers(desk: Desk) -> None:
    made = await _experiment(desk)
    assert made.run_id is not None
    first = (await desk.experiments.results.page(desk.actor, made.id, ALL)).items[0]
    await desk.experiments.results.report(desk.actor, made.id, Reported(first.row_id, "mine"))
    assert (await desk.experiments.experiments.get(desk.actor, made.id)).state is State.RUNNING
    await desk.take(made.run_id, [answered(one, "theirs") for one in await desk.work(made.run_id)])
    after = (await desk.experiments.results.page(desk.actor, made.id, ALL)).items
    assert [one.output for one in after] == ["mine", *["theirs"] * (len(after) - 1)]
    seen = await desk.experiments.experiments.get(desk.actor, made.id)
    assert (seen.state, seen.tally.done) == (State.DONE, len(after))


async def test_the_last_reported_row_ends_an_experiment_that_no_worker_came_for(desk: Desk) -> None:
    made = await _experiment(desk)
    assert made.run_id is not None
    for one in (await desk.experiments.results.page(desk.actor, made.id, ALL)).items:
        assert (await desk.experiments.experiments.get(desk.actor, made.id)).state is State.RUNNING
        await desk.experiments.results.report(desk.actor, made.id, Reported(one.row_id, "mine"))
    seen = await desk.experiments.experiments.get(desk.actor, made.id)
    assert (seen.state, seen.tally.done, seen.finished_at is None) == (State.DONE, 3, False)
    assert (await desk.ledger.run(made.run_id)).state == "cancelled"


async def test_an_experiment_is_done_when_somebody_says_so(desk: Desk) -> None:
    experiments, results = desk.experiments.experiments, desk.experiments.results
    for external in (True, False):
        made = await _experiment(desk, external=external)
        rows = [one.row_id for one in (await results.page(desk.actor, made.id, ALL)).items]
        await results.report(desk.actor, made.id, Reported(rows[0], "mine"))
        assert (await experiments.finish(desk.actor, made.id)).state is State.DONE
        left = [one.status for one in (await results.page(desk.actor, made.id, ALL)).items]
        assert left == [Status.DONE, Status.CANCELLED, Status.CANCELLED]
        with pytest.raises(ExperimentState, match="done"):
            await experiments.finish(desk.actor, made.id)
        await results.report(desk.actor, made.id, Reported(rows[1], "late, and welcome"))
        assert (await experiments.get(desk.actor, made.id)).tally.done == 2


async def test_results_are_searched_sorted_and_paged(desk: Desk) -> None:
    made = await _experiment(desk, external=True)
    results = desk.experiments.results
    rows = [one.row_id for one in (await results.page(desk.actor, made.id, ALL)).items]
    for row, (text, latency) in zip(rows, (("50% sure", 3.0), ("500 sure", 1.0), ("no", 2.0)), strict=True):
        await results.report(desk.actor, made.id, Reported(row, text, latency_ms=latency))
    found = await results.page(desk.actor, made.id, ResultsRequest(PageRequest(50), search="50%"))
    assert [one.output for one in found.items] == ["50% sure"]
    walked, cursor = [], None
    while True:
        request = ResultsRequest(PageRequest(1, cursor), sort=Sort.LATENCY, descending=True)
        page = await results.page(desk.actor, made.id, request)
        walked += [one.latency_ms for one in page.items]
        cursor = page.next
        if cursor is None:
            break
    assert walked == [3.0, 2.0, 1.0]


async def test_experiments_stand_side_by_side_row_by_row(desk: Desk) -> None:
    one = await _experiment(desk, external=True)
    draft = Draft(name="Other", dataset_id=one.dataset_id, mapping={})
    two = await desk.experiments.experiments.create(desk.actor, draft)
    results = desk.experiments.results
    row = (await results.page(desk.actor, one.id, ALL)).items[0].row_id
    await results.report(desk.actor, one.id, Reported(row, "It is 2."))
    await results.report(desk.actor, two.id, Reported(row, "It is 3."))
    beside = await results.compare(desk.actor, [one.id, two.id], PageRequest(2))
    assert [[side and side.output for side in line.results] for line in beside.rows.items] == [
        ["It is 2.", "It is 3."],
        ["", ""],
    ]
    assert beside.rows.next is not None
    stranger = await _experiment(desk, external=True)
    with pytest.raises(ExperimentsDiffer):
        await results.compare(desk.actor, [one.id, stranger.id], PageRequest(2))


async def test_a_deleted_dataset_leaves_its_results(desk: Desk) -> None:
    made = await _experiment(desk, external=True)
    results = desk.experiments.results
    row = (await results.page(desk.actor, made.id, ALL)).items[0].row_id
    await results.report(desk.actor, made.id, Reported(row, "two"))
    await desk.datasets.datasets.delete(desk.actor, made.dataset_id)
    page = await results.page(desk.actor, made.id, ALL)
    assert (page.items[0].output, page.items[0].values) == ("two", {})


async def test_what_failed_is_done_again(desk: Desk) -> None:
    made = await _experiment(desk, ROWS[0])
    assert made.run_id is not None
    with pytest.raises(ExperimentState, match="nothing to do again"):
        await desk.experiments.experiments.rerun(desk.actor, made.id, Again.FAILED)


async def test_rows_that_were_reported_in_place_of_a_worker_cost_no_call_again(desk: Desk) -> None:
    made = await _experiment(desk)
    assert made.run_id is not None
    experiments, results = desk.experiments.experiments, desk.experiments.results
    first, *rest = (await results.page(desk.actor, made.id, ALL)).items
    await results.report(desk.actor, made.id, Reported(first.row_id, "2"))
    await experiments.cancel(desk.actor, made.id)
    await desk.ledger.sweeper.close_cancelled()
    again = await experiments.rerun(desk.actor, made.id, Again.FAILED)
    assert (again.state, again.tally.done) == (State.RUNNING, 1)
    assert await desk.ledger.states(made.run_id) == {"cancelled": 1, "waiting": len(rest)}


@pytest.mark.parametrize(
    ("draft", "problem"),
    [
        ({"mapping": {"question": "nothing"}}, BadMapping),
        ({"mapping": {"answer": "question"}}, BadMapping),
        ({"split": "no such split"}, ExperimentEmpty),
        ({"dataset_version": 99}, UnknownDataset),
    ],
)
async def test_what_cannot_be_made_is_refused_and_leaves_nothing(
    desk: Desk, draft: dict[str, object], problem: type[Problem]
) -> None:
    dataset = await desk.dataset(*ROWS)
    given = {"name": "x", "dataset_id": dataset, "prompt_version_id": VERSION, "mapping": {}, **draft}
    with pytest.raises(problem):
        await desk.experiments.experiments.create(desk.actor, Draft(**given))  # type: ignore[arg-type]
    assert await desk.ledger.rows("SELECT id FROM experiments UNION SELECT id FROM job_runs") == []


async def test_there_are_no_more_rows_than_the_instance_allows(migrated_database: MigratedDatabase) -> None:
    async with desk_on(migrated_database, rows_max=2) as desk:
        with pytest.raises(ExperimentTooLarge):
            await _experiment(desk)


async def test_others_know_nothing_of_it(desk: Desk) -> None:
    made = await _experiment(desk)
    stranger = await desk.colleague()
    for call in (
        desk.experiments.experiments.get(stranger, made.id),
        desk.experiments.experiments.cancel(stranger, made.id),
        desk.experiments.experiments.delete(stranger, made.id),
        desk.experiments.results.page(stranger, made.id, ALL),
        desk.experiments.results.report(stranger, made.id, Reported(uuid4(), "x")),
        desk.experiments.results.compare(stranger, [made.id], PageRequest(5)),
    ):
        with pytest.raises(UnknownExperiment):
            await call
    assert (await desk.experiments.experiments.page(stranger, PageRequest(50))).items == ()


async def test_watching_ends_with_the_experiment(desk: Desk) -> None:
    made = await _experiment(desk, external=True)
    await desk.experiments.experiments.cancel(desk.actor, made.id)
    assert [one.state async for one in desk.experiments.experiments.watch(desk.actor, made.id)] == [State.CANCELLED]


async def test_a_deleted_experiment_is_gone_with_its_results(desk: Desk) -> None:
    made = await _experiment(desk)
    await desk.experiments.experiments.delete(desk.actor, made.id)
    assert await desk.ledger.rows("SELECT id FROM experiment_results") == []
    assert made.run_id is not None
    assert (await desk.ledger.run(made.run_id)).state == "cancelled"
