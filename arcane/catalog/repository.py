"""Selects datasources inside one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.catalog.tables import Datasource
from arcane.kit.actor import Actor
from arcane.kit.keyset import Keyset
from arcane.kit.pagination import Cursors, Page, PageRequest

_BY_NAME = Keyset("datasources", (col(Datasource.name), col(Datasource.id)), tuple[str, UUID])


@dataclass(frozen=True, slots=True)
class DatasourceRepository:
    """Reads within what one actor may see; writing is `session.add`."""

    session: AsyncSession

    def visible_to(self, actor: Actor) -> Select[Any]:
        """Selects the datasources of the actor's organisation: all its projects share them."""
        return select(Datasource).where(col(Datasource.organisation_id) == actor.organisation_id)

    async def page(self, actor: Actor, request: PageRequest, cursors: Cursors) -> Page[Datasource]:
        """Returns a page, by name."""
        statement = _BY_NAME.select_after(self.visible_to(actor), request, cursors)
        rows = (await self.session.scalars(statement)).all()
        return _BY_NAME.page(rows, request, cursors, lambda row: (row.name, row.id))

    async def all(self, actor: Actor) -> Sequence[Datasource]:
        """Returns every datasource of the actor's organisation, by name."""
        statement = self.visible_to(actor).order_by(col(Datasource.name), col(Datasource.id))
        return (await self.session.scalars(statement)).all()

    async def find(self, actor: Actor, datasource_id: UUID, *, for_change: bool = False) -> Datasource | None:
        """Returns the datasource, with its row locked when it is about to change."""
        statement = self.visible_to(actor).where(col(Datasource.id) == datasource_id)
        if for_change:
            statement = statement.with_for_update()
        found: Datasource | None = (await self.session.scalars(statement)).one_or_none()
        return found

    async def name_is_taken(self, actor: Actor, name: str, *, other_than: UUID) -> bool:
        """True when another datasource of the organisation has the name, in whatever case."""
        statement = (
            self.visible_to(actor)
            .where(func.lower(col(Datasource.name)) == func.lower(name))
            .where(col(Datasource.id) != other_than)
        )
        return (await self.session.scalars(statement.limit(1))).one_or_none() is not None

    async def count(self, actor: Actor) -> int:
        """Returns how many datasources the actor's organisation has."""
        statement = select(func.count()).select_from(self.visible_to(actor).subquery())
        return (await self.session.scalars(statement)).one()

    async def batch_after(self, last: UUID | None, size: int) -> Sequence[Datasource]:
        """Returns the next datasources of the whole instance by id, locked; for key rotation, which has no tenant."""
        statement = select(Datasource).order_by(col(Datasource.id)).limit(size).with_for_update()
        if last is not None:
            statement = statement.where(col(Datasource.id) > last)
        return (await self.session.scalars(statement)).all()
