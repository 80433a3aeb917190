"""Model configurations of organisations. Secrets are not in `settings`: each has its own envelope in `secrets`."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, Double, ForeignKeyConstraint, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from arcane.access.tables import Organisation
from arcane.kit.tables import Row, now


class ModelConfiguration(Row, table=True):
    """A model that can be called. `secrets` maps a JSON pointer into `settings` to an envelope (arcane.kit.secrets).

    The price is in US dollars a million tokens, where the organisation knows better than the public list.
    """

    __tablename__ = "model_configurations"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id"], [f"{Organisation.__tablename__}.id"], ondelete="CASCADE"),
        UniqueConstraint("organisation_id", "id"),
        CheckConstraint("version > 0", name="version_positive"),
        CheckConstraint("(price_input_usd IS NULL) = (price_output_usd IS NULL)", name="price_whole"),
        Index("uq_model_configurations_name", "organisation_id", text("lower(name)"), unique=True),
    )

    organisation_id: UUID
    name: str = Field(sa_type=Text)
    provider: str = Field(sa_type=Text)
    model: str = Field(sa_type=Text)
    settings: dict[str, Any] = Field(sa_type=JSONB)
    secrets: dict[str, str] = Field(sa_type=JSONB)
    parameters: dict[str, Any] = Field(sa_type=JSONB)
    price_input_usd: float | None = Field(default=None, sa_type=Double)
    price_output_usd: float | None = Field(default=None, sa_type=Double)
    version: int = Field(default=1)
    created_by: str = Field(sa_type=Text)
    updated_at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True))
