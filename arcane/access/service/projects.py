"""Projects and who belongs to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.access.names import another_slug, slug_of
from arcane.access.permissions import PROJECT_ADMIN, PROJECTS_ROLES_ASSIGN, covers
from arcane.access.repository.organisations import MemberRepository
from arcane.access.repository.projects import ProjectMemberRepository, ProjectRepository
from arcane.access.repository.roles import RoleRepository
from arcane.access.scope import TraceFilter
from arcane.access.service.base import Service, unique, unknown
from arcane.access.service.organisations import giveable_role
from arcane.access.service.roles import permissions_of
from arcane.access.tables import Project, ProjectMember, ProjectMemberRole
from arcane.access.views import Member, ProjectMemberView
from arcane.kit.actor import Actor, ActorKind
from arcane.kit.pagination import Page, PageRequest
from arcane.kit.problems import Conflict, NotAllowed
from arcane.kit.seen import check_seen
from arcane.kit.tables import now

_SLUG_TAKEN = "another project of the organisation has this short name"
_SLUG = "uq_projects_organisation_id_slug"
_ATTEMPTS = 5
AVAILABLE_MAX = 20


@dataclass(frozen=True, slots=True)
class NewProject:
    """What a project shall be."""

    name: str
    slug: str | None = None
    description: str = ""
    trace_filter: TraceFilter | None = None


@dataclass(frozen=True, slots=True)
class ProjectChange:
    """What a project shall be from now on; None leaves it, `change_filter` says that `trace_filter` is meant.

    `seen` is when the project had last been changed as whoever changes it saw it, to notice another's change.
    """

    name: str | None = None
    slug: str | None = None
    description: str | None = None
    trace_filter: TraceFilter | None = None
    change_filter: bool = False
    seen: datetime | None = None


@dataclass(frozen=True, slots=True)
class ProjectService(Service):
    """Projects of the actor's organisation; members of the actor's project."""

    async def page(self, actor: Actor, request: PageRequest) -> Page[Project]:
        """Returns a page of the organisation's projects that the caller may know."""
        async with self.database.transaction(actor.tenant) as session:
            return await ProjectRepository(session).page(actor, request, self.cursors)

    async def create(self, actor: Actor, wanted: NewProject) -> Project:
        """The project exists, and the member of the organisation who made it is its admin."""
        slug = wanted.slug or slug_of(wanted.name)
        for attempt in range(_ATTEMPTS):
            try:
                return await self._create(actor, wanted, slug)
            except Conflict:
                if wanted.slug is not None or attempt == _ATTEMPTS - 1:
                    raise
                slug = another_slug(slug)
        raise AssertionError("unreachable")

    async def get(self, actor: Actor) -> Project:
        """Returns the actor's project."""
        async with self.database.transaction(actor.tenant) as session:
            return await _present(session, actor)

    async def update(self, actor: Actor, wanted: ProjectChange) -> Project:
        """The project is as wanted; raises Conflict when somebody else changed what was seen."""
        async with self.database.transaction(actor.tenant) as session:
            row = await _present(session, actor)
            await session.refresh(row, with_for_update=True)
            check_seen("project", wanted.seen, row.updated_at)
            before = shown(row)
            async with unique(session, _SLUG, _SLUG_TAKEN):
                row.name, row.slug = wanted.name or row.name, wanted.slug or row.slug
                row.description = row.description if wanted.description is None else wanted.description
                row.updated_at = now()
                if wanted.change_filter:
                    _set_filter(row, wanted.trace_filter)
            await self.audit.record(session, actor, "project.updated", ("project", row.id), before, shown(row))
            await self.changed(session)
            return row

    async def delete(self, actor: Actor) -> None:
        """The project and everything in it are gone."""
        async with self.database.transaction(actor.tenant) as session:
            row = await _present(session, actor)
            await self.audit.record(session, actor, "project.deleted", ("project", row.id), before=shown(row))
            await session.delete(row)
            await session.flush()
            await self.changed(session)

    async def members(self, actor: Actor, request: PageRequest) -> Page[ProjectMemberView]:
        """Returns a page of the project's members."""
        async with self.database.transaction(actor.tenant) as session:
            return await ProjectMemberRepository(session).page(actor, request, self.cursors)

    async def available(self, actor: Actor, text: str, limit: int = AVAILABLE_MAX) -> list[Member]:
        """Returns some members of the organisation whose name or address contains `text`."""
        async with self.database.transaction(actor.tenant) as session:
            return await MemberRepository(session).search(actor, text, limit)

    async def add_member(self, actor: Actor, user_id: UUID, role_ids: Sequence[UUID]) -> ProjectMemberView:
        """A member of the organisation belongs to the project, with these roles."""
        if role_ids and not actor.may(PROJECTS_ROLES_ASSIGN):
            raise NotAllowed("you may add members, but not give them roles", permission=PROJECTS_ROLES_ASSIGN)
        async with self.database.transaction(actor.tenant) as session:
            if await MemberRepository(session).get(actor, user_id) is None:
                raise unknown("member of the organisation")
            roles = [await giveable_role(session, actor, role_id) for role_id in dict.fromkeys(role_ids)]
            row = ProjectMember(organisation_id=_organisation(actor), project_id=_project(actor), user_id=user_id)
            async with unique(session, "uq_project_members_project_id_user_id", "the user is a member already"):
                session.add(row)
            session.add_all(_holding(row, role.id) for role in roles)
            await session.flush()
            return await self._member_changed(session, actor, user_id, "project_member.added")

    async def remove_member(self, actor: Actor, user_id: UUID) -> None:
        """The user does not belong to the project any more."""
        async with self.database.transaction(actor.tenant) as session:
            members = ProjectMemberRepository(session)
            member = await _member(members, actor, user_id)
            await _check_not_above(session, actor, member)
            await members.remove(actor, member)
            resource = ("project_member", user_id)
            await self.audit.record(session, actor, "project_member.removed", resource, before=_shown_member(member))
            await self.changed(session, f"user:{user_id}")

    async def assign_role(self, actor: Actor, user_id: UUID, role_id: UUID) -> ProjectMemberView:
        """The member holds the role; nobody gives more than they hold themselves."""
        async with self.database.transaction(actor.tenant) as session:
            member = await _member(ProjectMemberRepository(session), actor, user_id)
            role = await giveable_role(session, actor, role_id)
            if any(held.id == role.id for held in member.roles):
                return member
            row = ProjectMember(
                id=member.member_id, organisation_id=_organisation(actor), project_id=_project(actor), user_id=user_id
            )
            async with unique(session, "uq_project_member_roles_member_id_role_id", "the member has the role already"):
                session.add(_holding(row, role.id))
            return await self._member_changed(session, actor, user_id, "project_role.assigned", member)

    async def remove_role(self, actor: Actor, user_id: UUID, role_id: UUID) -> ProjectMemberView:
        """The member does not hold the role any more."""
        async with self.database.transaction(actor.tenant) as session:
            members = ProjectMemberRepository(session)
            member = await _member(members, actor, user_id)
            if all(held.id != role_id for held in member.roles):
                raise unknown("role of this member")
            await giveable_role(session, actor, role_id)
            await members.take_role(actor, member, role_id)
            return await self._member_changed(session, actor, user_id, "project_role.removed", member)

    async def _create(self, actor: Actor, wanted: NewProject, slug: str) -> Project:
        async with self.database.transaction(actor.tenant) as session:
            row = Project(
                organisation_id=_organisation(actor), name=wanted.name, slug=slug, description=wanted.description
            )
            _set_filter(row, wanted.trace_filter)
            async with unique(session, _SLUG, _SLUG_TAKEN):
                session.add(row)
            await self._admit_author(session, actor, row)
            scoped = replace(actor, project_id=row.id)
            await self.audit.record(session, scoped, "project.created", ("project", row.id), after=shown(row))
            await self.changed(session)
            return row

    async def _admit_author(self, session: AsyncSession, actor: Actor, project: Project) -> None:
        """The instance owner need not belong to the organisation, and then does not belong to the project."""
        if actor.kind is not ActorKind.USER or await MemberRepository(session).get(actor, actor.id) is None:
            return
        member = ProjectMember(organisation_id=project.organisation_id, project_id=project.id, user_id=actor.id)
        session.add(member)
        await session.flush()
        session.add(_holding(member, PROJECT_ADMIN.id))

    async def _member_changed(
        self,
        session: AsyncSession,
        actor: Actor,
        user_id: UUID,
        action: str,
        before: ProjectMemberView | None = None,
    ) -> ProjectMemberView:
        after = await _member(ProjectMemberRepository(session), actor, user_id)
        old = None if before is None else _shown_member(before)
        await self.audit.record(session, actor, action, ("project_member", user_id), old, _shown_member(after))
        await self.changed(session, f"user:{user_id}")
        return after


def shown(row: Project) -> dict[str, object]:
    """Returns what the audit log keeps of a project."""
    return {
        "name": row.name,
        "slug": row.slug,
        "description": row.description,
        "trace_filter_attribute_name": row.trace_filter_attribute_name,
        "trace_filter_attribute_value": row.trace_filter_attribute_value,
    }


def _shown_member(member: ProjectMemberView) -> dict[str, object]:
    return {"email": member.email, "roles": [role.name for role in member.roles]}


def _set_filter(row: Project, wanted: TraceFilter | None) -> None:
    row.trace_filter_attribute_name = wanted.attribute_name if wanted else None
    row.trace_filter_attribute_value = wanted.attribute_value if wanted else None


def _holding(member: ProjectMember, role_id: UUID) -> ProjectMemberRole:
    return ProjectMemberRole(
        organisation_id=member.organisation_id, project_id=member.project_id, member_id=member.id, role_id=role_id
    )


async def _present(session: AsyncSession, actor: Actor) -> Project:
    row = await ProjectRepository(session).get(actor, _project(actor))
    if row is None:
        raise unknown("project")
    return row


async def _member(members: ProjectMemberRepository, actor: Actor, user_id: UUID) -> ProjectMemberView:
    found = await members.get(actor, user_id)
    if found is None:
        raise unknown("member")
    return found


async def _check_not_above(session: AsyncSession, actor: Actor, member: ProjectMemberView) -> None:
    for held in member.roles:
        role = await RoleRepository(session).get(actor, held.id)
        if role is not None and not covers(actor.permissions, permissions_of(role)):
            raise NotAllowed("the member has more permissions than you")


def _organisation(actor: Actor) -> UUID:
    if actor.organisation_id is None:
        raise unknown("organisation")
    return actor.organisation_id


def _project(actor: Actor) -> UUID:
    if actor.project_id is None:
        raise unknown("project")
    return actor.project_id
