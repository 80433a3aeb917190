"""Reads audit entries. Writing one is `session.add`; changing one is impossible (the database refuses)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, false
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.audit.tables import AuditEntry
from arcane.kit.actor import Actor
from arcane.kit.keyset import Keyset
from arcane.kit.pagination import Cursors, Page, PageRequest

_NEWEST_FIRST = Keyset("audit", (col(AuditEntry.id),), tuple[UUID], descending=True)
_ESCAPED = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_", "*": "%"})


@dataclass(frozen=True, slots=True)
class AuditRepository:
    """Selects inside one transaction."""

    session: AsyncSession

    def visible_to(self, actor: Actor) -> Select[Any]:
        """Selects the actor's organisation's or project's entries; all of them for the instance owner."""
        statement = select(AuditEntry)
        if actor.organisation_id is None:
            return statement if actor.tenant.instance else statement.where(false())
        statement = statement.where(col(AuditEntry.organisation_id) == actor.organisation_id)
        if actor.project_id is not None:
            statement = statement.where(col(AuditEntry.project_id) == actor.project_id)
        return statement

    async def page(self, actor: Actor, request: PageRequest, cursors: Cursors, action: str | None) -> Page[AuditEntry]:
        """Returns a page, newest first; `action` may hold `*` for any characters."""
        statement = self.visible_to(actor)
        if action:
            statement = statement.where(col(AuditEntry.action).like(action.translate(_ESCAPED)))
        rows = (await self.session.scalars(_NEWEST_FIRST.select_after(statement, request, cursors))).all()
        return _NEWEST_FIRST.page(rows, request, cursors, lambda entry: (entry.id,))
