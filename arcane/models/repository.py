"""Selects model configurations inside one transaction."""

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
from arcane.models.tables import ModelConfiguration

_BY_NAME = Keyset("model-configurations", (col(ModelConfiguration.name), col(ModelConfiguration.id)), tuple[str, UUID])


@dataclass(frozen=True, slots=True)
class ModelRepository:
    """Reads within what one actor may see; writing is `session.add`."""

    session: AsyncSession

    def visible_to(self, actor: Actor) -> Select[Any]:
        """Selects the configurations of the actor's organisation: all its projects share them."""
        return select(ModelConfiguration).where(col(ModelConfiguration.organisation_id) == actor.organisation_id)

    async def page(self, actor: Actor, request: PageRequest, cursors: Cursors) -> Page[ModelConfiguration]:
        """Returns a page, by name."""
        statement = _BY_NAME.select_after(self.visible_to(actor), request, cursors)
        rows = (await self.session.scalars(statement)).all()
        return _BY_NAME.page(rows, request, cursors, lambda row: (row.name, row.id))

    async def find(
        self, actor: Actor, configuration_id: UUID, *, for_change: bool = False
    ) -> ModelConfiguration | None:
        """Returns the configuration, with its row locked when it is about to change."""
        statement = self.visible_to(actor).where(col(ModelConfiguration.id) == configuration_id)
        if for_change:
            statement = statement.with_for_update()
        found: ModelConfiguration | None = (await self.session.scalars(statement)).one_or_none()
        return found

    async def in_organisation(self, organisation_id: UUID, configuration_id: UUID) -> ModelConfiguration | None:
        """Returns the configuration of an organisation, for work that no person is waiting for."""
        statement = (
            select(ModelConfiguration)
            .where(col(ModelConfiguration.organisation_id) == organisation_id)
            .where(col(ModelConfiguration.id) == configuration_id)
        )
        return (await self.session.scalars(statement)).one_or_none()

    async def name_is_taken(self, actor: Actor, name: str, *, other_than: UUID) -> bool:
        """True when another configuration of the organisation has the name, in whatever case."""
        statement = (
            self.visible_to(actor)
            .where(func.lower(col(ModelConfiguration.name)) == func.lower(name))
            .where(col(ModelConfiguration.id) != other_than)
        )
        return (await self.session.scalars(statement.limit(1))).one_or_none() is not None

    async def count(self, actor: Actor) -> int:
        """Returns how many configurations the actor's organisation has."""
        statement = select(func.count()).select_from(self.visible_to(actor).subquery())
        return (await self.session.scalars(statement)).one()

    async def batch_after(self, last: UUID | None, size: int) -> Sequence[ModelConfiguration]:
        """Returns the next configurations of the whole instance by id, locked; for key rotation."""
        statement = select(ModelConfiguration).order_by(col(ModelConfiguration.id)).limit(size).with_for_update()
        if last is not None:
            statement = statement.where(col(ModelConfiguration.id) > last)
        return (await self.session.scalars(statement)).all()
