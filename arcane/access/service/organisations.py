"""Organisations and who belongs to them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.access.names import another_slug, slug_of
from arcane.access.permissions import ORGANISATION_ADMIN, covers
from arcane.access.repository.organisations import MemberRepository, OrganisationRepository
from arcane.access.repository.roles import RoleRepository
from arcane.access.service.base import Service, unique, unknown
from arcane.access.service.roles import permissions_of
from arcane.access.tables import Organisation, OrganisationMember, Role
from arcane.access.views import Member
from arcane.kit.actor import Actor, ActorKind
from arcane.kit.ids import new_id
from arcane.kit.pagination import Page, PageRequest
from arcane.kit.problems import Conflict, NotAllowed
from arcane.kit.tables import now

_SLUG_TAKEN = "another organisation has this short name"
_LAST_ADMIN = "the last admin of an organisation stays one; make somebody else admin first"
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class OrganisationService(Service):
    """Organisations; at instance scope those of the caller."""

    async def page(self, actor: Actor, request: PageRequest) -> Page[Organisation]:
        """Returns a page of the organisations the caller belongs to; of all for the instance owner."""
        async with self.database.transaction(actor.tenant) as session:
            return await OrganisationRepository(session).page(actor, request, self.cursors)

    async def create(self, actor: Actor, name: str, slug: str | None = None) -> Organisation:
        """The organisation exists, and the user who made it is its admin."""
        if actor.kind is ActorKind.API_KEY:
            raise NotAllowed("an API key works in its project only")
        wanted = slug or slug_of(name)
        for attempt in range(_ATTEMPTS):
            try:
                return await self._create(actor, name, wanted)
            except Conflict:
                if slug is not None or attempt == _ATTEMPTS - 1:
                    raise
                wanted = another_slug(wanted)
        raise AssertionError("unreachable")

    async def get(self, actor: Actor) -> Organisation:
        """Returns the actor's organisation."""
        async with self.database.transaction(actor.tenant) as session:
            return await _present(OrganisationRepository(session), actor)

    async def update(self, actor: Actor, *, name: str | None = None, slug: str | None = None) -> Organisation:
        """The organisation has the new name or short name; what is None stays."""
        async with self.database.transaction(actor.tenant) as session:
            row = await _present(OrganisationRepository(session), actor)
            before = shown(row)
            async with unique(session, "uq_organisations_slug", _SLUG_TAKEN):
                row.name, row.slug, row.updated_at = name or row.name, slug or row.slug, now()
            await self.audit.record(
                session, actor, "organisation.updated", ("organisation", row.id), before, shown(row)
            )
            await self.changed(session)
            return row

    async def delete(self, actor: Actor) -> None:
        """The organisation and everything in it are gone; its audit entries stay with the instance."""
        async with self.database.transaction(actor.tenant) as session:
            row = await _present(OrganisationRepository(session), actor)
            await self.audit.record(session, actor, "organisation.deleted", ("organisation", row.id), shown(row))
            await OrganisationRepository(session).delete(row)
            await self.changed(session)

    async def members(self, actor: Actor, request: PageRequest) -> Page[Member]:
        """Returns a page of the members."""
        async with self.database.transaction(actor.tenant) as session:
            return await MemberRepository(session).page(actor, request, self.cursors)

    async def set_role(self, actor: Actor, user_id: UUID, role_id: UUID) -> Member:
        """The member has this role; nobody gives, or takes away, more than they hold themselves."""
        async with self.database.transaction(actor.tenant) as session:
            await OrganisationRepository(session).lock(actor)
            members = MemberRepository(session)
            row, before = await _member(members, actor, user_id)
            role = await giveable_role(session, actor, role_id)
            held = await RoleRepository(session).get(actor, before.role_id)
            if held is not None and not covers(actor.permissions, permissions_of(held)):
                raise NotAllowed("the member has more permissions than you")
            if role.id != ORGANISATION_ADMIN.id and await members.is_only_admin(actor, user_id):
                raise Conflict(_LAST_ADMIN)
            row.role_id = role.id
            await session.flush()
            after = replace(before, role_id=role.id, role_name=role.name)
            resource = ("organisation_member", user_id)
            await self.audit.record(
                session, actor, "organisation.user.role.assigned", resource, _shown_member(before), _shown_member(after)
            )
            await self.changed(session, f"user:{user_id}")
            return after

    async def remove_member(self, actor: Actor, user_id: UUID) -> None:
        """The user belongs neither to the organisation nor to any of its projects."""
        async with self.database.transaction(actor.tenant) as session:
            await OrganisationRepository(session).lock(actor)
            members = MemberRepository(session)
            row, before = await _member(members, actor, user_id)
            held = await RoleRepository(session).get(actor, before.role_id)
            if held is not None and not covers(actor.permissions, permissions_of(held)):
                raise NotAllowed("the member has more permissions than you")
            if await members.is_only_admin(actor, user_id):
                raise Conflict(_LAST_ADMIN)
            await session.delete(row)
            resource = ("organisation_member", user_id)
            await self.audit.record(session, actor, "organisation.user.removed", resource, _shown_member(before))
            await self.changed(session, f"user:{user_id}")

    async def _create(self, actor: Actor, name: str, slug: str) -> Organisation:
        row = Organisation(id=new_id(), name=name, slug=slug)
        scoped = replace(actor, organisation_id=row.id)
        async with self.database.transaction(scoped.tenant) as session:
            async with unique(session, "uq_organisations_slug", _SLUG_TAKEN):
                session.add(row)
            if actor.kind is ActorKind.USER:
                session.add(OrganisationMember(organisation_id=row.id, user_id=actor.id, role_id=ORGANISATION_ADMIN.id))
            await self.audit.record(session, scoped, "organisation.created", ("organisation", row.id), after=shown(row))
            await self.changed(session)
            return row


async def giveable_role(session: AsyncSession, actor: Actor, role_id: UUID) -> Role:
    """Returns a role of the actor's scope and level that holds nothing the actor does not hold."""
    role = await RoleRepository(session).get(actor, role_id)
    if role is None:
        raise unknown("role")
    if not covers(actor.permissions, permissions_of(role)):
        raise NotAllowed("the role holds permissions that you do not hold")
    return role


def shown(row: Organisation) -> dict[str, object]:
    """Returns what the audit log keeps of an organisation."""
    return {"name": row.name, "slug": row.slug}


def _shown_member(member: Member) -> dict[str, object]:
    return {"email": member.email, "role": member.role_name, "role_id": member.role_id}


async def _present(organisations: OrganisationRepository, actor: Actor) -> Organisation:
    row = await organisations.get(actor)
    if row is None:
        raise unknown("organisation")
    return row


async def _member(members: MemberRepository, actor: Actor, user_id: UUID) -> tuple[OrganisationMember, Member]:
    found = await members.get(actor, user_id)
    if found is None:
        raise unknown("member")
    return found
