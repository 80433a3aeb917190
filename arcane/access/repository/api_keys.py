"""Selects API keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.access.tables import ApiKey
from arcane.kit.actor import Actor
from arcane.kit.keyset import Keyset
from arcane.kit.pagination import Cursors, Page, PageRequest

_NEWEST_FIRST = Keyset("api_keys", (col(ApiKey.id),), tuple[UUID], descending=True)


@dataclass(frozen=True, slots=True)
class ApiKeyRepository:
    """Selects inside one transaction."""

    session: AsyncSession

    def visible_to(self, actor: Actor) -> Select[Any]:
        """Selects the keys of the actor's project."""
        return (
            select(ApiKey)
            .where(col(ApiKey.organisation_id) == actor.organisation_id)
            .where(col(ApiKey.project_id) == actor.project_id)
        )

    async def page(self, actor: Actor, request: PageRequest, cursors: Cursors) -> Page[ApiKey]:
        """Returns a page, newest first."""
        statement = _NEWEST_FIRST.select_after(self.visible_to(actor), request, cursors)
        rows = (await self.session.scalars(statement)).all()
        return _NEWEST_FIRST.page(rows, request, cursors, lambda key: (key.id,))

    async def get(self, actor: Actor, key_id: UUID) -> ApiKey | None:
        """Returns one key."""
        found: ApiKey | None = (
            await self.session.scalars(self.visible_to(actor).where(col(ApiKey.id) == key_id))
        ).first()
        return found

    async def live_count(self, actor: Actor) -> int:
        """Returns how many keys of the project were not revoked."""
        statement = self.visible_to(actor).where(col(ApiKey.revoked_at).is_(None))
        return len((await self.session.scalars(statement)).all())
