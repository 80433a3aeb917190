"""Judging and answering are no way round the permission to read what is judged, and what is asked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from arcane.datasets.sources import Scope
from arcane.evaluations.words import Draft, SearchDraft
from arcane.experiments.words import Draft as ExperimentDraft
from arcane.kit.ids import new_id
from arcane.kit.problems import NotAllowed
from tests.support.evaluating import MOOD, Desk

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]


@pytest.mark.parametrize(
    ("needed", "about"),
    [
        ("datasets:read", {"scope": Scope.DATASET}),
        ("experiments:read", {"scope": Scope.EXPERIMENTS, "dataset_id": None, "experiment_ids": (new_id(),)}),
        ("traces:read", {"scope": Scope.TRACES, "dataset_id": None, "search": SearchDraft(query="{}", start=0, end=9)}),
        ("traces:read", {"scope": Scope.LIVE, "dataset_id": None, "search": SearchDraft(query="{}"), "capture": True}),
    ],
)
async def test_nobody_has_judged_what_they_may_not_read(desk: Desk, needed: str, about: dict[str, Any]) -> None:
    allowed = replace(desk.actor, permissions=desk.actor.permissions - {needed})
    given = {"name": "Moods", "dataset_id": new_id(), "scores": (MOOD,), "mappings": {}, **about}
    draft = Draft(**given)
    for ask in (desk.evaluations.evaluations.create, desk.evaluations.evaluations.estimate):
        with pytest.raises(NotAllowed) as refused:
            await ask(allowed, draft)
        assert refused.value.members["permission"] == needed


async def test_an_experiment_shows_no_dataset_that_whoever_makes_it_may_not_read(desk: Desk) -> None:
    dataset = await desk.dataset({"question": "secret"})
    blind = replace(desk.actor, permissions=desk.actor.permissions - {"datasets:read"})
    with pytest.raises(NotAllowed):
        await desk.experiments.experiments.create(blind, ExperimentDraft(name="Peek", dataset_id=dataset, mapping={}))
