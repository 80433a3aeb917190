"""Roles an organisation or a project makes for itself, within what its level and its author may hold."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from arcane.access.permissions import LEVELS, SYSTEM_ROLES, Level, covers, within
from arcane.access.repository.roles import RoleRepository
from arcane.access.service.base import Service, unique, unknown
from arcane.access.tables import Role
from arcane.kit.actor import Actor
from arcane.kit.pagination import Page, PageRequest
from arcane.kit.problems import Conflict, MalformedInput, NotAllowed
from arcane.kit.seen import check_seen
from arcane.kit.tables import now

_NAME_TAKEN = "another role here has this name"


@dataclass(frozen=True, slots=True)
class RoleChange:
    """What a custom role shall be; None leaves it as it is. `seen` is when what was seen had last been changed."""

    name: str | None = None
    description: str | None = None
    permissions: Sequence[str] | None = None
    seen: datetime | None = None


@dataclass(frozen=True, slots=True)
class RoleService(Service):
    """Roles of the actor's scope: the organisation's at organisation scope, the project's inside a project."""

    async def page(self, actor: Actor, request: PageRequest) -> Page[Role]:
        """Returns a page of the roles that can be given in this scope."""
        async with self.database.transaction(actor.tenant) as session:
            return await RoleRepository(session).page(actor, request, self.cursors)

    async def nameable(self, actor: Actor) -> list[Role]:
        """Returns every role somebody in the actor's project may have come in with."""
        async with self.database.transaction(actor.tenant) as session:
            return await RoleRepository(session).nameable(actor)

    async def get(self, actor: Actor, role_id: UUID) -> Role:
        """Returns one role of this scope."""
        async with self.database.transaction(actor.tenant) as session:
            return await _present(RoleRepository(session), actor, role_id)

    async def create(self, actor: Actor, wanted: RoleChange) -> Role:
        """The role exists and can be given in this scope."""
        level = _level(actor)
        row = Role(
            organisation_id=actor.organisation_id,
            project_id=actor.project_id,
            level=level.value,
            name=wanted.name or "",
            description=wanted.description or "",
            permissions=_checked(actor, level, wanted.permissions or ()),
        )
        async with self.database.transaction(actor.tenant) as session:
            async with unique(session, "uq_roles_name", _NAME_TAKEN):
                session.add(row)
            await self.audit.record(session, actor, "role.created", ("role", row.id), after=_shown(row))
            await self.changed(session)
            return row

    async def update(self, actor: Actor, role_id: UUID, wanted: RoleChange) -> Role:
        """The role is as wanted, for everybody who holds it, now; raises Conflict when somebody else changed it."""
        async with self.database.transaction(actor.tenant) as session:
            row = await _custom(RoleRepository(session), actor, role_id)
            await session.refresh(row, with_for_update=True)
            check_seen("role", wanted.seen, row.updated_at)
            before = _shown(row)
            async with unique(session, "uq_roles_name", _NAME_TAKEN):
                row.name = wanted.name if wanted.name is not None else row.name
                row.description = wanted.description if wanted.description is not None else row.description
                if wanted.permissions is not None:
                    row.permissions = _checked(actor, Level(row.level), wanted.permissions)
                row.updated_at = now()
            await self.audit.record(session, actor, "role.updated", ("role", row.id), before, _shown(row))
            await self.changed(session)
            return row

    async def delete(self, actor: Actor, role_id: UUID) -> None:
        """The role is gone; one that somebody holds stays."""
        async with self.database.transaction(actor.tenant) as session:
            roles = RoleRepository(session)
            row = await _custom(roles, actor, role_id)
            if await roles.is_used(row):
                raise Conflict("somebody has this role or is invited to it; give them another one first")
            await session.delete(row)
            await self.audit.record(session, actor, "role.deleted", ("role", row.id), before=_shown(row))
            await self.changed(session)


def permissions_of(role: Role) -> frozenset[str]:
    """Returns what a role holds: a system role by the code, a custom one what is stored, within its level."""
    system = SYSTEM_ROLES.get(role.id)
    held = system.permissions if system is not None else frozenset(role.permissions)
    return held & within(Level(role.level))


def _level(actor: Actor) -> Level:
    return Level.ORGANISATION if actor.project_id is None else Level.PROJECT


def _checked(actor: Actor, level: Level, wanted: Collection[str]) -> list[str]:
    """Refuses what does not exist, what is above the level, and what the author does not hold."""
    errors = [
        {"pointer": f"#/permissions/{index}", "detail": _why_not(permission, level)}
        for index, permission in enumerate(wanted)
        if permission not in within(level)
    ]
    if errors or not wanted:
        raise MalformedInput(f"a role of this {level.value} holds one or more of its permissions", errors=errors)
    if not covers(actor.permissions, wanted):
        raise NotAllowed("a role cannot hold permissions that you do not hold")
    return [permission for permission in LEVELS if permission in set(wanted)]


def _why_not(permission: str, level: Level) -> str:
    return f"no role of this {level.value} may hold it" if permission in LEVELS else "there is no such permission"


def _shown(row: Role) -> dict[str, object]:
    return {"name": row.name, "description": row.description, "permissions": list(row.permissions)}


async def _present(roles: RoleRepository, actor: Actor, role_id: UUID) -> Role:
    row = await roles.get(actor, role_id)
    if row is None:
        raise unknown("role")
    return row


async def _custom(roles: RoleRepository, actor: Actor, role_id: UUID) -> Role:
    row = await _present(roles, actor, role_id)
    if row.is_system:
        raise Conflict("the roles of the system cannot be changed")
    if not covers(actor.permissions, row.permissions):
        raise NotAllowed("the role holds permissions that you do not hold")
    return row
