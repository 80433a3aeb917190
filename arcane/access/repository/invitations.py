"""Selects invitations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.access.tables import Invitation
from arcane.kit.actor import Actor
from arcane.kit.keyset import Keyset
from arcane.kit.pagination import Cursors, Page, PageRequest

_NEWEST_FIRST = Keyset("invitations", (col(Invitation.id),), tuple[UUID], descending=True)


@dataclass(frozen=True, slots=True)
class InvitationRepository:
    """Selects inside one transaction."""

    session: AsyncSession

    def visible_to(self, actor: Actor) -> Select[Any]:
        """Selects the invitations of the actor's organisation."""
        return select(Invitation).where(col(Invitation.organisation_id) == actor.organisation_id)

    async def page(self, actor: Actor, request: PageRequest, cursors: Cursors) -> Page[Invitation]:
        """Returns a page, newest first."""
        statement = _NEWEST_FIRST.select_after(self.visible_to(actor), request, cursors)
        rows = (await self.session.scalars(statement)).all()
        return _NEWEST_FIRST.page(rows, request, cursors, lambda invitation: (invitation.id,))

    async def get(self, actor: Actor, invitation_id: UUID) -> Invitation | None:
        """Returns one invitation; whoever else wants to change it waits."""
        statement = self.visible_to(actor).where(col(Invitation.id) == invitation_id).with_for_update()
        found: Invitation | None = (await self.session.scalars(statement)).first()
        return found

    async def pending_for(self, actor: Actor, email: str) -> Invitation | None:
        """Returns the pending invitation of this address, if there is one."""
        statement = (
            self.visible_to(actor)
            .where(col(Invitation.email) == email, col(Invitation.status) == "pending")
            .with_for_update()
        )
        found: Invitation | None = (await self.session.scalars(statement)).first()
        return found
