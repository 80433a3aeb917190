"""Selects prompts inside one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.kit.actor import Actor
from arcane.kit.keyset import Keyset
from arcane.kit.pagination import Cursors, Page, PageRequest
from arcane.prompts.tables import Prompt, PromptLabel, PromptVersion

_BY_NAME = Keyset("prompts", (col(Prompt.name), col(Prompt.id)), tuple[str, UUID])
_NEWEST = Keyset("prompt-versions", (col(PromptVersion.number),), tuple[int], descending=True)


@dataclass(frozen=True, slots=True)
class PromptRepository:
    """Reads within what one actor may see; writing is `session.add`."""

    session: AsyncSession

    def visible_to(self, actor: Actor) -> Select[Any]:
        """Selects the prompts of the actor's project."""
        return select(Prompt).where(
            col(Prompt.organisation_id) == actor.organisation_id, col(Prompt.project_id) == actor.project_id
        )

    async def page(self, actor: Actor, request: PageRequest, cursors: Cursors, search: str) -> Page[Prompt]:
        """Returns a page, by name; of those alone whose name or description holds `search`."""
        statement = self.visible_to(actor)
        if search:
            found = col(Prompt.name).icontains(search, autoescape=True)
            statement = statement.where(found | col(Prompt.description).icontains(search, autoescape=True))
        rows = (await self.session.scalars(_BY_NAME.select_after(statement, request, cursors))).all()
        return _BY_NAME.page(rows, request, cursors, lambda row: (row.name, row.id))

    async def names(self, actor: Actor, prompts: Sequence[UUID]) -> dict[UUID, str]:
        """Returns the names of these prompts of the actor's project, by id."""
        rows = await self.session.scalars(self.visible_to(actor).where(col(Prompt.id).in_(prompts)))
        return {row.id: row.name for row in rows.all()}

    async def count(self, actor: Actor) -> int:
        """Returns how many prompts the actor's project has."""
        statement = select(func.count()).select_from(self.visible_to(actor).subquery())
        return (await self.session.scalars(statement)).one()

    async def find(self, actor: Actor, reference: str, *, for_change: bool = False) -> Prompt | None:
        """Returns the prompt with this id, or else with this name; its row is locked when it is about to change."""
        statement = self.visible_to(actor)
        if for_change:
            statement = statement.with_for_update()
        prompt_id = _uuid(reference)
        found: Prompt | None = None
        if prompt_id is not None:
            found = (await self.session.scalars(statement.where(col(Prompt.id) == prompt_id))).one_or_none()
        if found is None:
            found = (await self.session.scalars(statement.where(col(Prompt.name) == reference))).one_or_none()
        return found

    async def labels(self, prompts: Sequence[UUID]) -> dict[UUID, list[PromptLabel]]:
        """Returns the labels of prompts that the actor was shown."""
        statement = select(PromptLabel).where(col(PromptLabel.prompt_id).in_(prompts))
        found: dict[UUID, list[PromptLabel]] = {prompt: [] for prompt in prompts}
        for label in (await self.session.scalars(statement)).all():
            found[label.prompt_id].append(label)
        return found

    async def label(self, prompt: Prompt, label: str) -> PromptLabel | None:
        """Returns the label of the prompt."""
        statement = select(PromptLabel).where(col(PromptLabel.prompt_id) == prompt.id, col(PromptLabel.label) == label)
        found: PromptLabel | None = (await self.session.scalars(statement)).one_or_none()
        return found

    async def versions(self, prompt: Prompt, request: PageRequest, cursors: Cursors) -> Page[PromptVersion]:
        """Returns a page of the prompt's versions, newest first."""
        statement = select(PromptVersion).where(col(PromptVersion.prompt_id) == prompt.id)
        rows = (await self.session.scalars(_NEWEST.select_after(statement, request, cursors))).all()
        return _NEWEST.page(rows, request, cursors, lambda row: (row.number,))

    async def version(self, prompt: Prompt, *, number: int) -> PromptVersion | None:
        """Returns the prompt's version of this number."""
        statement = select(PromptVersion).where(
            col(PromptVersion.prompt_id) == prompt.id, col(PromptVersion.number) == number
        )
        found: PromptVersion | None = (await self.session.scalars(statement)).one_or_none()
        return found

    async def version_by_id(self, version_id: UUID, prompt: Prompt | None = None) -> PromptVersion | None:
        """Returns the version with this id: of the prompt, or of whatever the transaction's tenant has."""
        statement = select(PromptVersion).where(col(PromptVersion.id) == version_id)
        if prompt is not None:
            statement = statement.where(col(PromptVersion.prompt_id) == prompt.id)
        found: PromptVersion | None = (await self.session.scalars(statement)).one_or_none()
        return found


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
