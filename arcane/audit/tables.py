"""What happened: one row a change and a sign-in. The application adds rows; it can neither change nor delete one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from arcane.kit.tables import Row


class AuditEntry(Row, table=True):
    """Who did what to which resource, with the public state before and after.

    No foreign keys: an entry outlives what it speaks of.
    """

    __tablename__ = "audit_entries"
    __table_args__ = (
        CheckConstraint("actor_kind IN ('user', 'api_key', 'system', 'anonymous')", name="actor_kind"),
        CheckConstraint("project_id IS NULL OR organisation_id IS NOT NULL", name="project_has_organisation"),
        Index(None, "organisation_id", "id"),
        Index(None, "project_id", "id"),
        Index(None, "created_at"),
    )

    organisation_id: UUID | None = Field(default=None)
    project_id: UUID | None = Field(default=None)
    actor_kind: str = Field(sa_type=Text)
    actor_id: UUID | None = Field(default=None)
    actor_name: str = Field(sa_type=Text)
    action: str = Field(sa_type=Text)
    resource_kind: str = Field(sa_type=Text)
    resource_id: str | None = Field(default=None, sa_type=Text)
    before: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    after: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
