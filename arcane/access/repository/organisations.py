"""Selects organisations and their members."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, false, func, or_, text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.access.permissions import ORGANISATION_ADMIN
from arcane.access.tables import Organisation, OrganisationMember, Role, User
from arcane.access.views import Member
from arcane.kit.actor import Actor, ActorKind
from arcane.kit.keyset import Keyset
from arcane.kit.pagination import Cursors, Page, PageRequest

_BY_AGE = Keyset("organisations", (col(Organisation.id),), tuple[UUID])
_MEMBERS_BY_AGE = Keyset("organisation_members", (col(OrganisationMember.id),), tuple[UUID])


@dataclass(frozen=True, slots=True)
class OrganisationRepository:
    """Selects inside one transaction."""

    session: AsyncSession

    def visible_to(self, actor: Actor) -> Select[Any]:
        """Selects the actor's organisation; at instance scope those the user belongs to, or all for the owner."""
        statement = select(Organisation)
        if actor.organisation_id is not None:
            return statement.where(col(Organisation.id) == actor.organisation_id)
        if actor.tenant.instance:
            return statement
        if actor.kind is not ActorKind.USER:
            return statement.where(false())
        mine = col(OrganisationMember.organisation_id) == col(Organisation.id)
        return statement.join(OrganisationMember, mine).where(col(OrganisationMember.user_id) == actor.id)

    async def page(self, actor: Actor, request: PageRequest, cursors: Cursors) -> Page[Organisation]:
        """Returns a page, oldest first."""
        statement = _BY_AGE.select_after(self.visible_to(actor), request, cursors)
        rows = (await self.session.scalars(statement)).all()
        return _BY_AGE.page(rows, request, cursors, lambda organisation: (organisation.id,))

    async def delete(self, row: Organisation) -> None:
        """The organisation is gone with everything in it, in whatever order its parts hold on to each other."""
        await self.session.execute(text("SET CONSTRAINTS ALL DEFERRED"))
        await self.session.delete(row)
        await self.session.flush()

    async def get(self, actor: Actor) -> Organisation | None:
        """Returns the actor's organisation."""
        return await self._one(self.visible_to(actor))

    async def lock(self, actor: Actor) -> Organisation | None:
        """Returns the actor's organisation; changes to its members wait for each other from here on."""
        return await self._one(self.visible_to(actor).with_for_update(of=Organisation))

    async def _one(self, statement: Select[Any]) -> Organisation | None:
        found: Organisation | None = (await self.session.scalars(statement)).first()
        return found


@dataclass(frozen=True, slots=True)
class MemberRepository:
    """Selects inside one transaction."""

    session: AsyncSession

    def visible_to(self, actor: Actor) -> Select[Any]:
        """Selects the memberships of the actor's organisation, with user and role."""
        statement: Any = select(OrganisationMember, User, Role)
        joined: Select[Any] = statement.join(User, col(User.id) == col(OrganisationMember.user_id)).join(
            Role, col(Role.id) == col(OrganisationMember.role_id)
        )
        return joined.where(col(OrganisationMember.organisation_id) == actor.organisation_id)

    async def page(self, actor: Actor, request: PageRequest, cursors: Cursors) -> Page[Member]:
        """Returns a page, whoever joined first first."""
        statement = _MEMBERS_BY_AGE.select_after(self.visible_to(actor), request, cursors)
        rows = [_member(*row) for row in (await self.session.execute(statement)).all()]
        return _MEMBERS_BY_AGE.page(rows, request, cursors, lambda member: (member.member_id,))

    async def get(self, actor: Actor, user_id: UUID) -> tuple[OrganisationMember, Member] | None:
        """Returns one membership, to be changed, and how it looks."""
        statement = self.visible_to(actor).where(col(OrganisationMember.user_id) == user_id)
        row = (await self.session.execute(statement)).first()
        return None if row is None else (row[0], _member(*row))

    async def with_email(self, actor: Actor, email: str) -> Member | None:
        """Returns the member with this address."""
        row = (await self.session.execute(self.visible_to(actor).where(col(User.email) == email))).first()
        return None if row is None else _member(*row)

    async def search(self, actor: Actor, text: str, limit: int) -> list[Member]:
        """Returns members whose name or address contains `text`."""
        found = or_(
            func.lower(col(User.name)).contains(text.lower(), autoescape=True),
            col(User.email).contains(text.lower(), autoescape=True),
        )
        statement = self.visible_to(actor).where(found).order_by(col(User.email)).limit(limit)
        return [_member(*row) for row in (await self.session.execute(statement)).all()]

    async def is_only_admin(self, actor: Actor, user_id: UUID) -> bool:
        """True when `user_id` is an Organisation Admin and nobody else is."""
        admins = self.visible_to(actor).where(col(OrganisationMember.role_id) == ORGANISATION_ADMIN.id)
        ids = {row[0].user_id for row in (await self.session.execute(admins)).all()}
        return ids == {user_id}


def _member(member: OrganisationMember, user: User, role: Role) -> Member:
    return Member(member.id, user.id, user.name, user.email, role.id, role.name, member.created_at)
