"""Prompts on a real Postgres: names, versions, labels, and who sees them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import uuid4

import anyio
import pytest

from arcane.kit.actor import Tenant
from arcane.kit.pagination import PageRequest
from arcane.messaging.generation import Role, Tool
from arcane.models.problems import ModelConfigurationInUse
from arcane.prompts.drafts import PromptKind
from arcane.prompts.problems import (
    InvalidPrompt,
    PromptLimit,
    PromptNameTaken,
    UnknownPrompt,
    UnknownPromptVersion,
)
from arcane.prompts.service import PromptChange
from tests.support.postgres import MigratedDatabase
from tests.support.prompts import Place, PromptBench, prompts_on

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]

ALL = PageRequest(50)


@pytest.fixture
async def bench(migrated_database: MigratedDatabase) -> AsyncIterator[PromptBench]:
    async with prompts_on(migrated_database, prompts=3, versions=12, labels=3) as made:
        yield made


@pytest.fixture
async def place(bench: PromptBench) -> Place:
    return await bench.place()


async def test_the_first_version_is_v0_and_promoted(bench: PromptBench, place: Place) -> None:
    change = PromptChange(name="Support answer", description="What we say", extra={"team": "help"})
    prompt, version = await bench.service.create(place.actor, change, place.draft("Be kind.", "{{question}}"))
    assert (version.name, version.kind, version.variables) == ("v0", PromptKind.CHAT, ["question"])
    assert [(one.label, one.number, one.set_by) for one in prompt.labels] == [("production", 0, "Ada")]
    assert (prompt.latest, prompt.extra, prompt.created_by) == (0, {"team": "help"}, "Ada")
    for reference in (str(prompt.id), "Support answer"):
        assert await bench.service.get(place.actor, reference) == prompt


async def test_prompts_are_named_within_their_project_alone(bench: PromptBench, place: Place) -> None:
    mine, _ = await bench.service.create(place.actor, PromptChange(name="mine"), place.draft())
    other = await bench.place()
    theirs, _ = await bench.service.create(other.actor, PromptChange(name="theirs"), other.draft())
    assert await bench.service.names(place.actor, [mine.id, theirs.id, uuid4()]) == {mine.id: "mine"}
    assert await bench.service.names(place.actor, []) == {}


async def test_a_version_is_found_by_number_id_label_and_as_the_latest(bench: PromptBench, place: Place) -> None:
    _, first = await bench.service.create(place.actor, PromptChange(name="p"), place.draft())
    second = await bench.service.add_version(place.actor, "p", place.draft("Bye {{name}}"))
    third = await bench.service.add_version(place.actor, "p", place.draft("So {{name}}"))
    await bench.service.set_label(place.actor, "p", "staging", "v1")
    found = {
        reference: (await bench.service.version(place.actor, "p", reference)).number
        for reference in ("", "production", "staging", "latest", "v1", "1", str(third.id))
    }
    assert found == {"": 0, "production": 0, "staging": 1, "latest": 2, "v1": 1, "1": 1, str(third.id): 2}
    assert (await bench.service.version_by_id(place.actor, second.id))[1] == second
    for unknown in ("v9", "canary", str(uuid4()), "v999999999"):
        with pytest.raises(UnknownPromptVersion):
            await bench.service.version(place.actor, "p", unknown)
    async with bench.service.database.transaction(Tenant(place.actor.organisation_id)) as session:
        assert await bench.service.version_spec(session, first.id) == (first.spec, place.model)


async def test_versions_made_at_once_get_a_number_each(bench: PromptBench, place: Place) -> None:
    await bench.service.create(place.actor, PromptChange(name="p"), place.draft())
    made: list[int] = []

    async def add(text: str) -> None:
        made.append((await bench.service.add_version(place.actor, "p", place.draft(text))).number)

    async with anyio.create_task_group() as group:
        for number in range(8):
            group.start_soon(add, f"say {number}")
    assert sorted(made) == list(range(1, 9))
    assert (await bench.service.get(place.actor, "p")).latest == 8


async def test_a_label_points_at_one_version_and_moves(bench: PromptBench, place: Place) -> None:
    await bench.service.create(place.actor, PromptChange(name="p"), place.draft())
    await bench.service.add_version(place.actor, "p", place.draft("Bye"))
    moved = await bench.service.set_label(place.actor, "p", "production", "latest")
    assert [(one.label, one.number) for one in moved.labels] == [("production", 1)]
    assert moved.promoted is not None
    assert moved.labels_of(1) == ("production",)
    gone = await bench.service.remove_label(place.actor, "p", "production")
    assert gone.promoted is None
    assert (await bench.service.version(place.actor, "p")).number == 1
    with pytest.raises(UnknownPromptVersion):
        await bench.service.remove_label(place.actor, "p", "production")
    for name in ("latest", "v3", "17", "Production", "a b", ""):
        with pytest.raises(InvalidPrompt):
            await bench.service.set_label(place.actor, "p", name, "v0")


async def test_versions_are_paged_newest_first(bench: PromptBench, place: Place) -> None:
    await bench.service.create(place.actor, PromptChange(name="p"), place.draft())
    for number in range(4):
        await bench.service.add_version(place.actor, "p", place.draft(f"say {number}"))
    first = await bench.service.versions(place.actor, "p", PageRequest(3))
    rest = await bench.service.versions(place.actor, "p", PageRequest(3, first.next))
    assert [one.number for one in (*first.items, *rest.items)] == [4, 3, 2, 1, 0]
    assert rest.next is None


async def test_prompts_are_listed_by_name_and_searched(bench: PromptBench, place: Place) -> None:
    for name, description in (("b", "100%"), ("a", ""), ("c x", "")):
        await bench.service.create(place.actor, PromptChange(name=name, description=description), place.draft())
    assert [one.name for one in (await bench.service.page(place.actor, ALL)).items] == ["a", "b", "c x"]
    for search, names in (("X", ["c x"]), ("0%", ["b"]), ("%", ["b"]), ("_", [])):
        assert [one.name for one in (await bench.service.page(place.actor, ALL, search)).items] == names
    assert all(one.promoted for one in (await bench.service.page(place.actor, ALL)).items)


async def test_a_name_is_the_projects_own(bench: PromptBench, place: Place) -> None:
    await bench.service.create(place.actor, PromptChange(name="p"), place.draft())
    await bench.service.create(place.actor, PromptChange(name="q"), place.draft())
    with pytest.raises(PromptNameTaken):
        await bench.service.create(place.actor, PromptChange(name="p"), place.draft())
    with pytest.raises(PromptNameTaken):
        await bench.service.update(place.actor, "q", PromptChange(name="p"))
    other = await bench.place(place.actor.organisation_id)
    await bench.service.create(other.actor, PromptChange(name="p"), other.draft())
    changed = await bench.service.update(place.actor, "q", PromptChange(name="r", extra={"k": 1}))
    assert (changed.name, changed.extra, changed.latest) == ("r", {"k": 1}, 0)


async def test_a_name_like_an_id_is_found(bench: PromptBench, place: Place) -> None:
    name = str(uuid4())
    await bench.service.create(place.actor, PromptChange(name=name), place.draft())
    assert (await bench.service.get(place.actor, name)).name == name


async def test_other_projects_and_organisations_know_nothing_of_it(bench: PromptBench, place: Place) -> None:
    prompt, version = await bench.service.create(place.actor, PromptChange(name="p"), place.draft())
    strangers = (await bench.place(), await bench.place(place.actor.organisation_id))
    for stranger in strangers:
        actor, reference = stranger.actor, str(prompt.id)
        calls = (
            lambda a=actor, r=reference: bench.service.get(a, r),
            lambda a=actor: bench.service.get(a, "p"),
            lambda a=actor, r=reference: bench.service.version(a, r),
            lambda a=actor, r=reference: bench.service.versions(a, r, ALL),
            lambda a=actor, r=reference, s=stranger: bench.service.add_version(a, r, s.draft()),
            lambda a=actor, r=reference: bench.service.set_label(a, r, "x", "v0"),
            lambda a=actor, r=reference: bench.service.remove_label(a, r, "production"),
            lambda a=actor, r=reference: bench.service.update(a, r, PromptChange(name="mine")),
            lambda a=actor, r=reference: bench.service.delete(a, r),
            lambda a=actor: bench.service.version_by_id(a, version.id),
        )
        for call in calls:
            with pytest.raises((UnknownPrompt, UnknownPromptVersion)):
                await call()
        assert (await bench.service.page(actor, ALL)).items == ()
    async with bench.service.database.transaction(strangers[0].actor.tenant) as session:
        with pytest.raises(UnknownPromptVersion):
            await bench.service.version_spec(session, version.id)


async def test_the_model_is_the_organisations_own(bench: PromptBench, place: Place) -> None:
    stranger = await bench.place()
    with pytest.raises(InvalidPrompt) as caught:
        await bench.service.create(place.actor, PromptChange(name="p"), place.draft(model=stranger.model))
    assert [one.pointer for one in caught.value.errors] == ["#/version/model_configuration_id"]
    await bench.service.create(place.actor, PromptChange(name="p"), place.draft())
    with pytest.raises(InvalidPrompt) as caught:
        await bench.service.add_version(place.actor, "p", place.draft(model=stranger.model))
    assert [one.pointer for one in caught.value.errors] == ["#/model_configuration_id"]
    assert (await bench.service.get(place.actor, "p")).latest == 0


async def test_parameters_are_those_of_the_provider(bench: PromptBench, place: Place) -> None:
    for parameters, pointer in (({"temperature": 9}, "temperature"), ({"warmth": 1}, "warmth")):
        with pytest.raises(InvalidPrompt) as caught:
            await bench.service.create(place.actor, PromptChange(name="p"), place.draft(parameters=parameters))
        assert [one.pointer for one in caught.value.errors] == [f"#/version/parameters/{pointer}"]


async def test_a_model_that_a_version_was_made_for_stays(bench: PromptBench, place: Place) -> None:
    await bench.service.create(place.actor, PromptChange(name="p"), place.draft())
    with pytest.raises(ModelConfigurationInUse):
        await bench.models.delete(place.actor, place.model)
    await bench.service.delete(place.actor, "p")
    await bench.models.delete(place.actor, place.model)


async def test_there_are_limits(bench: PromptBench, place: Place) -> None:
    for name in "abc":
        await bench.service.create(place.actor, PromptChange(name=name), place.draft())
    with pytest.raises(PromptLimit):
        await bench.service.create(place.actor, PromptChange(name="d"), place.draft())
    for label in ("x", "y"):
        await bench.service.set_label(place.actor, "a", label, "v0")
    with pytest.raises(PromptLimit):
        await bench.service.set_label(place.actor, "a", "z", "v0")
    for number in range(1, 12):
        await bench.service.add_version(place.actor, "a", place.draft(str(number)))
    with pytest.raises(PromptLimit):
        await bench.service.add_version(place.actor, "a", place.draft("one too many"))


async def test_what_changed_is_in_the_audit_log_and_what_it_says_is_not(bench: PromptBench, place: Place) -> None:
    await bench.service.create(place.actor, PromptChange(name="p"), place.draft("very secret words"))
    await bench.service.add_version(place.actor, "p", place.draft("other words"))
    await bench.service.set_label(place.actor, "p", "production", "v1")
    await bench.service.set_label(place.actor, "p", "staging", "v1")
    await bench.service.set_label(place.actor, "p", "staging", "v1")
    await bench.service.remove_label(place.actor, "p", "staging")
    await bench.service.update(place.actor, "p", PromptChange(name="q"))
    await bench.service.delete(place.actor, "q")
    rows = await bench.sql(
        "SELECT action, (before::text || after::text) AS said FROM audit_entries "
        "WHERE project_id = $1 AND action LIKE 'prompt.%' ORDER BY id",
        place.actor.project_id,
    )
    assert [row["action"] for row in rows] == [
        "prompt.created", "prompt.version_created", "prompt.promoted", "prompt.version_created", "prompt.promoted",
        "prompt.labelled", "prompt.label_removed", "prompt.updated", "prompt.deleted",
    ]  # fmt: skip
    assert not any("words" in (row["said"] or "") for row in rows)
    for table in ("prompts", "prompt_versions", "prompt_labels"):
        assert await bench.sql(f"SELECT 1 FROM {table} WHERE project_id = $1", place.actor.project_id) == []


async def test_what_a_version_says_comes_back_as_it_was(bench: PromptBench, place: Place) -> None:
    tool = Tool(
        name="look", description="Looks", parameters={"type": "object", "properties": {"q": {"type": "string"}}}
    )
    draft = place.draft(
        "Be\n\tkind ✓", "{{q}}",
        tools=(tool,), tool_choice="look", parameters={"temperature": 0.5, "stop": ["x"]},
        response_schema={"type": "object", "properties": {"a": {"type": "number"}}, "required": ["a"]},
    )  # fmt: skip
    _, version = await bench.service.create(place.actor, PromptChange(name="p"), draft)
    again = await bench.service.version(place.actor, "p", "v0")
    assert again == version
    assert (again.spec, again.draft.digest) == (draft.spec, draft.digest)
    text = replace(place.draft("Say {{x}}"), kind=PromptKind.TEXT)
    stored = await bench.service.add_version(place.actor, "p", text)
    assert (stored.kind, [one.role for one in stored.spec.messages]) == (PromptKind.TEXT, [Role.USER])
