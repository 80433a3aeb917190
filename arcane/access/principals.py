"""From who somebody is to what they may do at one place. Pure: everything it needs has been read before.

The rules, all of them:
- The instance owner holds `*` everywhere.
- In an organisation counts the one role the member has there. Project roles never count.
- In a project count the project roles, cut down to project permissions, and the organisation role.
- A project is known to its members, and to whoever holds `projects:read` by organisation role.
- An API key is known in its project only, and counts as its scope's role there.
- Whoever is not known at a place is a stranger: 404.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from arcane.access.permissions import (
    OWNER,
    PROJECTS_READ,
    SYSTEM_ROLES,
    KeyScope,
    Level,
    within,
)
from arcane.kit.actor import Actor, ActorKind
from arcane.kit.problems import NotFound

NOTHING_HERE = "there is nothing here that you can see"
SYSTEM = Actor(ActorKind.SYSTEM, UUID(int=0), "Arcane", frozenset({"*"}))
"""The process itself, at start-up and in commands."""


def anonymous(name: str) -> Actor:
    """Returns somebody who is not signed in and calls themselves `name`."""
    return Actor(ActorKind.ANONYMOUS, UUID(int=0), name, frozenset())


@dataclass(frozen=True, slots=True)
class Place:
    """What an address names: an organisation, or a project in one."""

    organisation_id: UUID
    organisation_slug: str
    project_id: UUID | None = None
    project_slug: str | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """A role somebody has at a place. `role_id` None: a project member without a role."""

    organisation_id: UUID
    project_id: UUID | None
    role_id: UUID | None
    permissions: frozenset[str]

    @classmethod
    def of(cls, place: tuple[UUID, UUID | None], role_id: UUID | None, stored: Iterable[str] | None) -> Grant:
        """Returns the grant of a role: a system role by what the code says, a custom one within its level."""
        organisation_id, project_id = place
        level = Level.ORGANISATION if project_id is None else Level.PROJECT
        system = SYSTEM_ROLES.get(role_id) if role_id is not None else None
        permissions = system.permissions if system is not None else frozenset(stored or ())
        return cls(organisation_id, project_id, role_id, permissions & within(level))


def held_at(grants: Iterable[Grant], place: Place) -> tuple[frozenset[str], list[UUID]]:
    """Returns the permissions and roles that somebody with these grants has at `place`; NotFound for a stranger."""
    here = [g for g in grants if g.organisation_id == place.organisation_id]
    general = [g for g in here if g.project_id is None]
    if not general:
        raise NotFound(NOTHING_HERE)
    special = [g for g in here if place.project_id is not None and g.project_id == place.project_id]
    held = frozenset[str]().union(*(g.permissions for g in general))
    if place.project_id is not None and not special and PROJECTS_READ not in held:
        raise NotFound(NOTHING_HERE)
    held = held.union(*(g.permissions for g in special))
    return held, [g.role_id for g in (*general, *special) if g.role_id is not None]


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Whose browser this is. On `request.state.session` of every request that came with a valid cookie."""

    user_id: UUID
    name: str
    email: str
    is_owner: bool
    session_id: UUID
    csrf_token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class UserPrincipal:
    """A signed-in user and every role they have anywhere."""

    session: SignedIn
    grants: tuple[Grant, ...]

    @property
    def expires_at(self) -> datetime | None:
        """When the session ends."""
        return self.session.expires_at

    def actor_at(self, place: Place | None) -> Actor:
        """Returns the actor for `place`, or for the instance; raises NotFound for a stranger."""
        session = self.session
        if session.is_owner:
            return self._actor(place, frozenset({"*"}), [OWNER.id])
        if place is None:
            return self._actor(None, frozenset(), [])
        permissions, roles = held_at(self.grants, place)
        return self._actor(place, permissions, roles)

    def _actor(self, place: Place | None, permissions: frozenset[str], roles: list[UUID]) -> Actor:
        return Actor(
            ActorKind.USER,
            self.session.user_id,
            self.session.name,
            permissions,
            place.organisation_id if place else None,
            place.project_id if place else None,
            frozenset(roles),
        )


@dataclass(frozen=True, slots=True)
class KeyPrincipal:
    """An API key that is valid now."""

    key_id: UUID
    name: str
    scope: KeyScope
    expires_at: datetime | None
    organisation_id: UUID
    project_id: UUID

    def actor_at(self, place: Place | None) -> Actor:
        """Returns the actor for `place`; outside its project a key may do nothing, elsewhere it is a stranger."""
        if place is None:
            return Actor(ActorKind.API_KEY, self.key_id, self.name, frozenset())
        if place.organisation_id != self.organisation_id:
            raise NotFound(NOTHING_HERE)
        if place.project_id is None:
            return Actor(ActorKind.API_KEY, self.key_id, self.name, frozenset(), self.organisation_id)
        if place.project_id != self.project_id:
            raise NotFound(NOTHING_HERE)
        return self.actor_in_project()

    def actor_in_project(self) -> Actor:
        """Returns the actor in the key's own project."""
        role = self.scope.role
        return Actor(
            ActorKind.API_KEY,
            self.key_id,
            self.name,
            role.permissions,
            self.organisation_id,
            self.project_id,
            frozenset({role.id}),
        )


Principal = UserPrincipal | KeyPrincipal
