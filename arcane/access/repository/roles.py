"""Selects roles: the system's, and those an organisation or a project made for itself."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, exists, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.access.permissions import Level
from arcane.access.tables import Invitation, OrganisationMember, ProjectMemberRole, Role
from arcane.kit.actor import Actor
from arcane.kit.keyset import Keyset
from arcane.kit.pagination import Cursors, Page, PageRequest

_BY_AGE = Keyset("roles", (col(Role.id),), tuple[UUID])


@dataclass(frozen=True, slots=True)
class RoleRepository:
    """Selects inside one transaction."""

    session: AsyncSession

    def visible_to(self, actor: Actor) -> Select[Any]:
        """Selects the roles that can be given to somebody in the actor's scope, and no other level's."""
        if actor.project_id is not None:
            return select(Role).where(self._of_project(actor))
        return select(Role).where(self._of_organisation(actor))

    def nameable_by(self, actor: Actor) -> Select[Any]:
        """Selects every role that somebody in the actor's project may have come in with."""
        return select(Role).where(or_(self._of_project(actor), self._of_organisation(actor)))

    async def page(self, actor: Actor, request: PageRequest, cursors: Cursors) -> Page[Role]:
        """Returns a page; the system's roles come first."""
        rows = (await self.session.scalars(_BY_AGE.select_after(self.visible_to(actor), request, cursors))).all()
        return _BY_AGE.page(rows, request, cursors, lambda role: (role.id,))

    async def get(self, actor: Actor, role_id: UUID) -> Role | None:
        """Returns one role of the actor's scope and level."""
        found: Role | None = (await self.session.scalars(self.visible_to(actor).where(col(Role.id) == role_id))).first()
        return found

    async def nameable(self, actor: Actor, role_ids: Collection[UUID] | None = None) -> list[Role]:
        """Returns those of `role_ids` (or all) that can be named in the actor's project."""
        statement = self.nameable_by(actor).order_by(col(Role.id))
        if role_ids is not None:
            statement = statement.where(col(Role.id).in_(list(role_ids)))
        return list((await self.session.scalars(statement)).all())

    async def is_used(self, role: Role) -> bool:
        """True when somebody holds the role or is invited to it."""
        used = or_(
            exists().where(col(OrganisationMember.role_id) == role.id),
            exists().where(col(ProjectMemberRole.role_id) == role.id),
            exists().where(
                or_(col(Invitation.role_id) == role.id, col(Invitation.project_role_id) == role.id),
                col(Invitation.status) == "pending",
            ),
        )
        return bool(await self.session.scalar(Select(used)))

    def _of_project(self, actor: Actor) -> Any:
        return or_(
            and_(col(Role.is_system), col(Role.level) == Level.PROJECT.value),
            and_(
                col(Role.organisation_id) == actor.organisation_id,
                col(Role.project_id) == actor.project_id,
                col(Role.level) == Level.PROJECT.value,
            ),
        )

    def _of_organisation(self, actor: Actor) -> Any:
        return or_(
            and_(col(Role.is_system), col(Role.level) == Level.ORGANISATION.value),
            and_(
                col(Role.organisation_id) == actor.organisation_id,
                col(Role.level) == Level.ORGANISATION.value,
            ),
        )
