"""Prompt versions and models, pinned for an experiment."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from arcane.experiments.service.experiments import PinnedPrompt
from arcane.experiments.service.found import project_of
from arcane.kit.actor import Actor
from arcane.kit.database import Database
from arcane.models.service import ModelService
from arcane.prompts.service import PromptService


@dataclass(frozen=True, slots=True)
class StoredPrompts:
    """The prompts and models of the instance (arcane.experiments.service.experiments.Prompts)."""

    database: Database
    prompts: PromptService
    models: ModelService

    async def pinned(self, actor: Actor, version_id: UUID, model_configuration_id: UUID | None) -> PinnedPrompt:
        """Returns the version and the model, its own where none is named.

        Raises UnknownPromptVersion, UnknownModelConfiguration.
        """
        organisation_id, _ = project_of(actor)
        prompt, version = await self.prompts.version_by_id(actor, version_id)
        configuration = model_configuration_id or version.model_configuration_id
        async with self.database.transaction(actor.tenant) as session:
            model = await self.models.spec(session, organisation_id, configuration)
        named = {
            "prompt": {"id": str(prompt.id), "name": prompt.name, "number": version.number},
            "model": {"name": model.model, "provider": model.provider.value},
        }
        return PinnedPrompt(version.spec, model, named)
