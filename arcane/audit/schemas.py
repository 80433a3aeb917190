"""What the audit endpoints answer."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import ConfigDict

from arcane.audit.tables import AuditEntry
from arcane.kit.schema import Schema


class AuditActor(Schema):
    """Who did it. `id` is null for the system and for somebody who was not signed in."""

    model_config = ConfigDict(from_attributes=True)

    kind: Literal["user", "api_key", "system", "anonymous"]
    id: UUID | None
    name: str


class AuditResource(Schema):
    """What it was done to."""

    kind: str
    id: str | None


class AuditEntryOut(Schema):
    """One thing that happened; `before` and `after` hold what changed, secrets masked."""

    id: UUID
    at: datetime
    action: str
    actor: AuditActor
    resource: AuditResource
    organisation_id: UUID | None
    project_id: UUID | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None

    @classmethod
    def of(cls, entry: AuditEntry) -> AuditEntryOut:
        """Returns `entry` as it is shown."""
        return cls(
            id=entry.id,
            at=entry.created_at,
            action=entry.action,
            actor=AuditActor.model_validate({"kind": entry.actor_kind, "id": entry.actor_id, "name": entry.actor_name}),
            resource=AuditResource(kind=entry.resource_kind, id=entry.resource_id),
            organisation_id=entry.organisation_id,
            project_id=entry.project_id,
            before=entry.before,
            after=entry.after,
        )


class AuditEntries(Schema):
    """A page of entries, newest first."""

    items: list[AuditEntryOut]
    next: str | None
