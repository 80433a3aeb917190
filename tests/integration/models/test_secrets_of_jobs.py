"""Which secrets a worker gets for a job that was made with a model as it was then."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest

from arcane.messaging.generation import ModelSpec
from arcane.models.configure import Change
from arcane.models.views import ModelView
from tests.support.postgres import MigratedDatabase
from tests.support.prompts import Place, PromptBench, prompts_on

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]
OLD, NEW = "http://127.0.0.1:9/v1", "https://models.example.com/v1"


@pytest.fixture
async def bench(migrated_database: MigratedDatabase) -> AsyncIterator[PromptBench]:
    async with prompts_on(migrated_database) as made:
        yield made


async def _pinned(bench: PromptBench, place: Place) -> tuple[UUID, ModelSpec]:
    """Returns the organisation, and the model as a job keeps it."""
    organisation = place.actor.organisation_id
    assert organisation is not None
    async with bench.service.database.transaction(place.actor.tenant) as session:
        return organisation, await bench.models.spec(session, organisation, place.model)


async def _moved(bench: PromptBench, place: Place, address: str, key: str) -> ModelView:
    change = Change(settings={"base_url": address, "api_key": key})
    return await bench.models.update(place.actor, place.model, change)


async def test_a_key_is_not_sent_where_a_job_was_led_before_it_was_entered(bench: PromptBench) -> None:
    place = await bench.place()
    organisation, pinned = await _pinned(bench, place)
    assert await bench.models.secrets(organisation, pinned) == {"api_key": "sk-test"}
    await _moved(bench, place, NEW, "sk-of-the-new-host")
    assert await bench.models.secrets(organisation, pinned) is None
    _, again = await _pinned(bench, place)
    assert await bench.models.secrets(organisation, again) == {"api_key": "sk-of-the-new-host"}


async def test_a_new_key_for_the_same_host_reaches_jobs_that_wait(bench: PromptBench) -> None:
    place = await bench.place()
    organisation, pinned = await _pinned(bench, place)
    await _moved(bench, place, f"{OLD}/v2", "sk-rotated")
    assert await bench.models.secrets(organisation, pinned) == {"api_key": "sk-rotated"}


async def test_there_is_no_key_of_what_was_deleted_or_is_another_organisations(bench: PromptBench) -> None:
    place = await bench.place()
    organisation, pinned = await _pinned(bench, place)
    assert await bench.models.secrets(uuid4(), pinned) is None
    await bench.models.delete(place.actor, place.model)
    assert await bench.models.secrets(organisation, pinned) is None
