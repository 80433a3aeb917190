"""Who is asking, and for which tenant. Every service method that reads or changes tenant data takes an Actor."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID


class ActorKind(StrEnum):
    """What signed the request."""

    USER = "user"
    API_KEY = "api_key"
    SYSTEM = "system"
    ANONYMOUS = "anonymous"


@dataclass(frozen=True, slots=True)
class Tenant:
    """What one database transaction may see. It becomes Postgres settings that row-level security reads.

    `instance` opens all organisations and is for the instance owner's pages and for start-up only.
    """

    organisation_id: UUID | None = None
    project_id: UUID | None = None
    user_id: UUID | None = None
    instance: bool = False


@dataclass(frozen=True, slots=True)
class Actor:
    """A caller whose permissions have been worked out for exactly one scope: instance, organisation or project."""

    kind: ActorKind
    id: UUID
    name: str
    permissions: frozenset[str]
    organisation_id: UUID | None = None
    project_id: UUID | None = None
    role_ids: frozenset[UUID] = field(default_factory=frozenset)

    @property
    def tenant(self) -> Tenant:
        """The part of the database this actor's transactions see."""
        return Tenant(
            organisation_id=self.organisation_id,
            project_id=self.project_id,
            user_id=self.id if self.kind is ActorKind.USER else None,
            instance=self.organisation_id is None and "*" in self.permissions,
        )

    def may(self, permission: str) -> bool:
        """True when the actor holds `permission` (or the owner's `*`) in its scope."""
        return permission in self.permissions or "*" in self.permissions
