"""Scores of projects: made, changed, pinned, walled off; those that everybody has; scorers while no worker is there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from arcane.kit.pagination import PageRequest
from arcane.messaging.scoring import Label, Scale
from arcane.scores.editing import ScoreDraft
from arcane.scores.problems import (
    BuiltInScore,
    InvalidScore,
    ScoreChanged,
    ScoreLimit,
    ScoreModelNeeded,
    ScoreNameTaken,
    UnknownScore,
)
from arcane.scores.views import Models, Ordinal, ScoreView
from tests.support.postgres import MigratedDatabase
from tests.support.scores import ScoreBench, scores_on
from worker.scoring.registry import modules

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]
LABELS = (Label("bad", 0.0), Label("fair", 0.5), Label("good", 1.0))
EXACT = ScoreDraft(name="Same", scorer="exact-match", settings={"ignore_case": True})
JUDGE = ScoreDraft(name="Helpful", scorer="llm-judge", settings={"rubric": "Helpful? {{answer}} {{#tone}}x{{/tone}}"})
PEOPLE = ScoreDraft(name="Taste", scale=Scale.ORDINAL, labels=LABELS, settings={})


@pytest.fixture
async def bench(migrated_database: MigratedDatabase) -> AsyncIterator[ScoreBench]:
    async with scores_on(migrated_database) as bench:
        yield bench


async def every(bench: ScoreBench, actor: Any, limit: int = 7) -> list[ScoreView]:
    found: list[ScoreView] = []
    cursor = None
    while True:
        page = await bench.service.page(actor, PageRequest(limit, cursor))
        found += page.items
        if page.next is None:
            return found
        cursor = page.next


async def test_every_project_has_the_ragas_scores_after_its_own(bench: ScoreBench) -> None:
    actor = await bench.actor()
    await bench.service.create(actor, EXACT)
    own, *built_in = await every(bench, actor)
    assert (own.name, own.built_in) == ("Same", False)
    ragas = {
        (scorer.description.key, scorer.description.name, scorer.description.lowest, scorer.description.lower_is_better)
        for name, scorer in modules()
        if name.startswith("ragas/")
    }
    assert {(str(one.id), one.name, one.lowest, one.lower_is_better) for one in built_in} == ragas
    assert all(one.description and one.inputs and one.workers == ("one",) for one in built_in)
    for refused in (bench.service.update(actor, built_in[0].id, EXACT), bench.service.delete(actor, built_in[0].id)):
        with pytest.raises(BuiltInScore):
            await refused


async def test_a_score_is_made_changed_and_deleted_and_each_is_on_record(bench: ScoreBench) -> None:
    actor = await bench.actor()
    made = await bench.service.create(actor, EXACT)
    assert (made.scorer_name, made.lowest, made.highest, made.version) == ("Exact match", 0.0, 1.0, 1)
    changed = await bench.service.update(actor, made.id, replace(EXACT, name="  Just   the same ", version=1))
    assert (changed.name, changed.version) == ("Just the same", 2)
    with pytest.raises(ScoreChanged):
        await bench.service.update(actor, made.id, replace(EXACT, version=1))
    await bench.service.delete(actor, made.id)
    with pytest.raises(UnknownScore):
        await bench.service.get(actor, made.id)
    entries = await bench.sql("SELECT action FROM audit_entries WHERE resource_kind = 'score' ORDER BY id")
    assert [entry["action"] for entry in entries] == ["score.created", "score.updated", "score.deleted"]


async def test_names_are_unique_in_a_project_and_not_beyond(bench: ScoreBench) -> None:
    actor = await bench.actor()
    await bench.service.create(actor, EXACT)
    for name in ("SAME", "faithfulness"):
        with pytest.raises(ScoreNameTaken):
            await bench.service.create(actor, replace(EXACT, name=name))
    await bench.service.create(await bench.actor(organisation=actor.organisation_id), EXACT)


async def test_another_projects_scores_are_not_there(bench: ScoreBench) -> None:
    actor = await bench.actor()
    made = await bench.service.create(actor, EXACT)
    for stranger in (await bench.actor(), await bench.actor(organisation=actor.organisation_id)):
        assert made.id not in {one.id for one in await every(bench, stranger, 50)}
        for refused in (
            bench.service.get(stranger, made.id),
            bench.service.update(stranger, made.id, EXACT),
            bench.service.delete(stranger, made.id),
        ):
            with pytest.raises(UnknownScore):
                await refused


async def test_a_project_has_so_many_scores(migrated_database: MigratedDatabase) -> None:
    async with scores_on(migrated_database, most=1) as bench:
        actor = await bench.actor()
        await bench.service.create(actor, EXACT)
        with pytest.raises(ScoreLimit):
            await bench.service.create(actor, replace(EXACT, name="Another"))


@pytest.mark.parametrize(
    ("draft", "pointers"),
    [
        (replace(EXACT, name=" "), {"#/name"}),
        (replace(EXACT, scorer="telepathy"), {"#/scorer"}),
        (replace(EXACT, settings={"fuzzy": 1}), {"#/settings"}),
        (replace(EXACT, settings={"ignore_case": "perhaps"}), {"#/settings/ignore_case"}),
        (replace(EXACT, scorer="regex", settings={}), {"#/settings/pattern"}),
        (replace(JUDGE, settings={"rubric": "{{#open}}"}), {"#/settings/rubric"}),
        (replace(EXACT, scorer="python", settings={"code": "x = 1"}), {"#/settings/code"}),
        (replace(PEOPLE, settings={"a": 1}), {"#/settings"}),
        (replace(PEOPLE, labels=()), {"#/labels"}),
        (replace(PEOPLE, labels=(Label("a", 0.0), Label("a", 1.0))), {"#/labels"}),
        (replace(PEOPLE, labels=(Label("a", 0.0), Label("b", 2.0), Label("c", 1.0))), {"#/labels"}),
        (replace(PEOPLE, labels=(Label("a", float("nan")),)), {"#/labels"}),
        (replace(EXACT, labels=LABELS), {"#/labels"}),
        (replace(EXACT, ordinal=Ordinal(("good",))), {"#/ordinal"}),
        (
            replace(PEOPLE, ordinal=Ordinal(("great",), 9)),
            {"#/ordinal/acceptable_set", "#/ordinal/threshold_rank"},
        ),
        (replace(EXACT, lowest=1.0, highest=0.0, name=""), {"#/name", "#/lowest"}),
    ],
)
async def test_what_cannot_work_is_refused_at_its_place(
    bench: ScoreBench, draft: ScoreDraft, pointers: set[str]
) -> None:
    with pytest.raises(InvalidScore) as caught:
        await bench.service.create(await bench.actor(), draft)
    assert {error.pointer for error in caught.value.errors} == pointers


async def test_a_pinned_score_is_whole_and_stays_as_it_was(bench: ScoreBench) -> None:
    actor = await bench.actor()
    model = await bench.model(actor)
    draft = replace(
        JUDGE, scale=Scale.ORDINAL, labels=LABELS, ordinal=Ordinal(("good",), 1), models=Models(model_id=model)
    )
    made = await bench.service.create(actor, draft)
    async with bench.service.database.transaction(actor.tenant) as session:
        pinned = await bench.service.pinned(session, actor, made.id)
    await bench.service.update(actor, made.id, replace(draft, settings={"rubric": "Other? {{other}}"}))
    assert pinned.spec is not None
    assert pinned.spec.settings == JUDGE.settings
    assert pinned.spec.model is not None
    assert pinned.spec.model.configuration == model
    assert (pinned.variables, pinned.required) == (("answer", "tone"), ("answer",))
    assert (pinned.ordinal, pinned.lowest, pinned.highest) == (Ordinal(("good",), 1), 0.0, 1.0)
    manual = await bench.service.create(actor, PEOPLE)
    async with bench.service.database.transaction(actor.tenant) as session:
        assert (await bench.service.pinned(session, actor, manual.id)).spec is None


async def test_scores_that_name_no_model_use_the_projects(bench: ScoreBench) -> None:
    actor = await bench.actor()
    model, other = await bench.model(actor), await bench.model(actor)
    relevancy = next(one for one in await every(bench, actor, 50) if one.name == "Answer relevancy")

    async def pinned(models: Models | None = None) -> Any:
        async with bench.service.database.transaction(actor.tenant) as session:
            return (await bench.service.pinned(session, actor, relevancy.id, models)).spec

    with pytest.raises(ScoreModelNeeded, match="asks a model"):
        await pinned()
    await bench.service.choose_models(actor, Models(model_id=model))
    with pytest.raises(ScoreModelNeeded, match="embed"):
        await pinned()
    await bench.service.choose_models(actor, Models(model, model))
    assert (await pinned()).embedding.configuration == model
    assert (await pinned(Models(other, other))).model.configuration == other
    with pytest.raises(InvalidScore):
        await bench.service.choose_models(actor, Models(await bench.model(await bench.actor())))
    assert await bench.service.models(actor) == Models(model, model)


async def test_scorers_are_known_while_no_worker_is_there(bench: ScoreBench) -> None:
    actor = await bench.actor()
    bench.worker_comes("two")
    kinds = await bench.service.kinds(actor)
    assert kinds[0].workers == ("one", "two")
    await bench.service.scorers.keep()
    bench.workers_go()
    kept = await bench.service.kinds(actor)
    assert [one.description for one in kept] == [one.description for one in kinds]
    assert all(one.workers == () for one in kept)
    assert (await bench.service.create(actor, EXACT)).known


async def test_an_announcement_is_stored_when_it_says_something_new(bench: ScoreBench) -> None:
    await bench.service.scorers.keep()
    before = await bench.sql("SELECT key, announced_at FROM announced_scorers ORDER BY key")
    await bench.service.scorers.keep()
    assert await bench.sql("SELECT key, announced_at FROM announced_scorers ORDER BY key") == before
    assert len(before) == len(dict(modules()))
