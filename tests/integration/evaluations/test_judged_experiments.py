"""Evaluations over the answers of experiments."""

from __future__ import annotations

from typing import Any
from uuid import RFC_4122, UUID

import pytest

from arcane.datasets.sources import Scope
from arcane.evaluations.words import Draft, EvaluationView, SubjectsRequest
from arcane.experiments.problems import ExperimentsDiffer
from arcane.experiments.words import Draft as ExperimentDraft
from arcane.experiments.words import Reported, ResultsRequest
from arcane.kit.pagination import PageRequest
from tests.support.evaluating import EXACT, Desk, judged

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]
ROWS = tuple({"question": f"{n}+{n}", "reference": str(2 * n), "response": str(n)} for n in range(1, 4))
COLUMNS = ("question", "reference", "response")
ALL = SubjectsRequest(PageRequest(50))


async def _answered(desk: Desk, dataset: UUID, *texts: str) -> UUID:
    """Returns an experiment that answered the first rows."""
    draft = ExperimentDraft(name=f"Model {texts[0]}", dataset_id=dataset, mapping={})
    made = await desk.experiments.experiments.create(desk.actor, draft)
    rows = (await desk.experiments.results.page(desk.actor, made.id, ResultsRequest(PageRequest(50)))).items
    for row, text in zip(rows, texts, strict=False):
        await desk.experiments.results.report(desk.actor, made.id, Reported(row.row_id, text))
    return made.id


async def _over(desk: Desk, *experiments: UUID, **more: Any) -> EvaluationView:
    given = {"name": "x", "scope": Scope.EXPERIMENTS, "experiment_ids": experiments, "scores": (EXACT,), **more}
    return await desk.evaluations.evaluations.create(desk.actor, Draft(**{"mappings": {}, **given}))


async def test_answers_of_experiments_are_judged_and_can_be_paired(desk: Desk) -> None:
    dataset = await desk.dataset(*ROWS, columns=COLUMNS)
    a, b = await _answered(desk, dataset, "2", "4"), await _answered(desk, dataset, "3", "4", "6")
    made = await _over(desk, a, b)
    assert (made.tally.total, made.scores[0].mapping["response"]) == (5, "experiment:output")
    assert made.run_id is not None
    work = await desk.work(made.run_id)
    await desk.take(made.run_id, [judged(job, float(one["response"] == one["reference"])) for job, one in work.items()])
    verdicts = desk.evaluations.verdicts
    means = {one.experiment_id: one.mean for one in await verdicts.summaries(desk.actor, made.id)}
    assert means == {a: 1.0, b: pytest.approx(2 / 3)}
    of_a = await verdicts.values(desk.actor, made.id, EXACT, a)
    of_b = await verdicts.values(desk.actor, made.id, EXACT, b)
    assert sorted((of_a[row][0], of_b[row][0]) for row in of_a) == [(1.0, 0.0), (1.0, 1.0)]
    only = await verdicts.subjects(desk.actor, made.id, SubjectsRequest(PageRequest(50), experiment_id=a))
    assert [one.output for one in only.items] == ["2", "4"]


async def test_answers_to_a_row_stand_in_the_order_of_the_experiments(desk: Desk) -> None:
    dataset = await desk.dataset(*ROWS, columns=COLUMNS)
    a, b, c, d = [await _answered(desk, dataset, "2", "4", "6") for _ in range(4)]
    made = await _over(desk, c, a, d, b)
    judged_in_order = (await desk.evaluations.verdicts.subjects(desk.actor, made.id, ALL)).items
    assert [(one.ordinal, one.experiment_id) for one in judged_in_order] == [
        (ordinal, experiment)
        for ordinal in sorted({one.ordinal for one in judged_in_order})
        for experiment in (c, a, d, b)
    ]
    assert {(one.id.version, one.id.variant) for one in judged_in_order} == {(7, RFC_4122)}


async def test_experiments_over_different_datasets_are_not_judged_together(desk: Desk) -> None:
    one, two = [await desk.dataset(*ROWS, columns=COLUMNS) for _ in range(2)]
    with pytest.raises(ExperimentsDiffer):
        await _over(desk, await _answered(desk, one, "2"), await _answered(desk, two, "2"))
