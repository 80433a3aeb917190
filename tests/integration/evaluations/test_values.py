"""Values that an evaluation can work out nothing of are not taken from anybody."""

from __future__ import annotations

from dataclasses import replace

import pytest

from arcane.datasets.sources import Scope
from arcane.evaluations.problems import BadValue
from arcane.evaluations.words import Draft, Given, SubjectsRequest, Verdict
from arcane.kit.pagination import PageRequest
from tests.support.evaluating import EXACT, Desk, judged

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]
COLUMNS = ("question", "reference", "response")
ALL = SubjectsRequest(PageRequest(50))


async def test_values_that_have_no_mean_are_not_taken(desk: Desk) -> None:
    desk.scores.scores[EXACT] = replace(desk.scores.scores[EXACT], lowest=None, highest=None)
    dataset = await desk.dataset(*({"question": q, "reference": q, "response": q} for q in "abc"), columns=COLUMNS)
    draft = Draft(name="Sums", scope=Scope.DATASET, dataset_id=dataset, scores=(EXACT,), mappings={})
    made = await desk.evaluations.evaluations.create(desk.actor, draft)
    assert made.run_id is not None
    one, two, three = sorted(await desk.work(made.run_id))
    await desk.take(made.run_id, [judged(one, 1e308), judged(two, 1e308), judged(three, 1e99)], ended=False)
    (summary,) = await desk.evaluations.verdicts.summaries(desk.actor, made.id)
    assert (summary.done, summary.failed, summary.mean) == (1, 2, 1e99)
    page = await desk.evaluations.verdicts.subjects(desk.actor, made.id, ALL)
    given = Verdict(value=-1e308, subject_id=page.items[0].id)
    with pytest.raises(BadValue, match="1e100"):
        await desk.evaluations.verdicts.give(desk.actor, made.id, {EXACT: [given]}, Given.PERSON)
