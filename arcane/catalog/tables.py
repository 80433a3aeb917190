"""Datasources of organisations. Secrets are not in `settings`: each has its own envelope in `secrets`."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKeyConstraint, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from arcane.access.tables import Organisation
from arcane.kit.tables import Row, now


class Datasource(Row, table=True):
    """A configured datasource. `secrets` maps a JSON pointer into `settings` to an envelope (arcane.kit.secrets).

    `version` grows with every change that a live adapter has to know of, and with every other one.
    """

    __tablename__ = "datasources"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id"], [f"{Organisation.__tablename__}.id"], ondelete="CASCADE"),
        UniqueConstraint("organisation_id", "id"),
        CheckConstraint("version > 0", name="version_positive"),
        Index("uq_datasources_name", "organisation_id", text("lower(name)"), unique=True),
    )

    organisation_id: UUID
    kind: str = Field(sa_type=Text)
    name: str = Field(sa_type=Text)
    description: str = Field(default="", sa_type=Text)
    settings: dict[str, Any] = Field(sa_type=JSONB)
    secrets: dict[str, str] = Field(sa_type=JSONB)
    version: int = Field(default=1)
    created_by: str = Field(sa_type=Text)
    updated_at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True))
