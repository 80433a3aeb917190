"""Selects projects and their members."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, exists, false
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.access.permissions import PROJECTS_READ
from arcane.access.tables import Project, ProjectMember, ProjectMemberRole, Role, User
from arcane.access.views import ProjectMemberView, RoleName
from arcane.kit.actor import Actor, ActorKind
from arcane.kit.keyset import Keyset
from arcane.kit.pagination import Cursors, Page, PageRequest

_BY_AGE = Keyset("projects", (col(Project.id),), tuple[UUID])
_MEMBERS_BY_AGE = Keyset("project_members", (col(ProjectMember.id),), tuple[UUID])


@dataclass(frozen=True, slots=True)
class ProjectRepository:
    """Selects inside one transaction."""

    session: AsyncSession

    def visible_to(self, actor: Actor) -> Select[Any]:
        """Selects the actor's project; at organisation scope all for whoever may read all, else those joined."""
        statement = select(Project).where(col(Project.organisation_id) == actor.organisation_id)
        if actor.project_id is not None:
            return statement.where(col(Project.id) == actor.project_id)
        if actor.may(PROJECTS_READ):
            return statement
        if actor.kind is not ActorKind.USER:
            return statement.where(false())
        mine = exists().where(col(ProjectMember.project_id) == col(Project.id), col(ProjectMember.user_id) == actor.id)
        return statement.where(mine)

    async def page(self, actor: Actor, request: PageRequest, cursors: Cursors) -> Page[Project]:
        """Returns a page, oldest first."""
        rows = (await self.session.scalars(_BY_AGE.select_after(self.visible_to(actor), request, cursors))).all()
        return _BY_AGE.page(rows, request, cursors, lambda project: (project.id,))

    async def get(self, actor: Actor, project_id: UUID) -> Project | None:
        """Returns one project."""
        found: Project | None = (
            await self.session.scalars(self.visible_to(actor).where(col(Project.id) == project_id))
        ).first()
        return found


@dataclass(frozen=True, slots=True)
class ProjectMemberRepository:
    """Selects inside one transaction."""

    session: AsyncSession

    def visible_to(self, actor: Actor) -> Select[Any]:
        """Selects the memberships of the actor's project, with user."""
        statement: Any = select(ProjectMember, User).join(User, col(User.id) == col(ProjectMember.user_id))
        narrowed: Select[Any] = statement.where(
            col(ProjectMember.organisation_id) == actor.organisation_id,
            col(ProjectMember.project_id) == actor.project_id,
        )
        return narrowed

    async def page(self, actor: Actor, request: PageRequest, cursors: Cursors) -> Page[ProjectMemberView]:
        """Returns a page, whoever joined first first."""
        statement = _MEMBERS_BY_AGE.select_after(self.visible_to(actor), request, cursors)
        rows = (await self.session.execute(statement)).all()
        roles = await self._roles_of([member.id for member, _ in rows])
        views = [_view(member, user, roles.get(member.id, [])) for member, user in rows]
        return _MEMBERS_BY_AGE.page(views, request, cursors, lambda view: (view.member_id,))

    async def get(self, actor: Actor, user_id: UUID) -> ProjectMemberView | None:
        """Returns one member."""
        statement = self.visible_to(actor).where(col(ProjectMember.user_id) == user_id)
        row = (await self.session.execute(statement)).first()
        if row is None:
            return None
        member, user = row
        return _view(member, user, (await self._roles_of([member.id])).get(member.id, []))

    async def remove(self, actor: Actor, member: ProjectMemberView) -> None:
        """The member and their roles are gone from the project."""
        await self.session.execute(
            delete(ProjectMember)
            .where(col(ProjectMember.id) == member.member_id)
            .where(col(ProjectMember.project_id) == actor.project_id)
        )

    async def take_role(self, actor: Actor, member: ProjectMemberView, role_id: UUID) -> None:
        """The member does not hold the role any more."""
        await self.session.execute(
            delete(ProjectMemberRole)
            .where(col(ProjectMemberRole.member_id) == member.member_id)
            .where(col(ProjectMemberRole.project_id) == actor.project_id)
            .where(col(ProjectMemberRole.role_id) == role_id)
        )

    async def _roles_of(self, member_ids: Iterable[UUID]) -> dict[UUID, list[Role]]:
        found: dict[UUID, list[Role]] = {}
        statement = _roles_held().where(col(ProjectMemberRole.member_id).in_(list(member_ids)))
        for member_id, role in (await self.session.execute(statement)).all():
            found.setdefault(member_id, []).append(role)
        return found


def _roles_held() -> Select[Any]:
    """Only ever narrowed to members that were visible."""
    held: Any = select(col(ProjectMemberRole.member_id), Role)
    named: Select[Any] = held.join(Role, col(Role.id) == col(ProjectMemberRole.role_id)).order_by(col(Role.name))
    return named


def _view(member: ProjectMember, user: User, roles: list[Role]) -> ProjectMemberView:
    names = tuple(RoleName(role.id, role.name) for role in roles)
    return ProjectMemberView(member.id, user.id, user.name, user.email, names, member.created_at)
