"""Scores: what is measured of an answer, and by which scorer. Those that everybody has belong to no organisation."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    Double,
    ForeignKeyConstraint,
    Index,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from arcane.access.tables import Project
from arcane.kit.tables import Row, now
from arcane.models.tables import ModelConfiguration

_TIME = DateTime(timezone=True)


def _in_project(table: str) -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["organisation_id", "project_id"],
        [f"{Project.__tablename__}.organisation_id", f"{Project.__tablename__}.id"],
        name=f"fk_{table}_project_id_projects",
        ondelete="CASCADE",
    )


def _model(table: str, column: str) -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["organisation_id", column],
        [f"{ModelConfiguration.__tablename__}.organisation_id", f"{ModelConfiguration.__tablename__}.id"],
        name=f"fk_{table}_{column}",
        deferrable=True,
        initially="IMMEDIATE",
    )


class Score(Row, table=True):
    """A score. `scorer` is the key of the scorer that gives it, None when people do.

    `labels` are pairs of label and value; of an ordinal score the worst is first. `ordinal` may say which labels are
    acceptable and from which rank on (`acceptable_set`, `threshold_rank`). Without a project it is one of the built-in
    ones, which every project has and nobody changes.
    """

    __tablename__ = "scores"
    __table_args__ = (
        _in_project("scores"),
        _model("scores", "model_id"),
        _model("scores", "embedding_id"),
        CheckConstraint("scale IN ('numeric', 'ordinal', 'nominal')", name="scale"),
        CheckConstraint("(organisation_id IS NULL) = (project_id IS NULL)", name="of_a_project_or_of_all"),
        CheckConstraint("version > 0", name="version_positive"),
        Index("uq_scores_name", "project_id", text("lower(name)"), unique=True),
        Index(None, "organisation_id", "project_id"),
        Index(None, "organisation_id", "model_id"),
        Index(None, "organisation_id", "embedding_id"),
    )

    organisation_id: UUID | None = None
    project_id: UUID | None = None
    name: str = Field(sa_type=Text)
    description: str = Field(default="", sa_type=Text)
    scale: str = Field(sa_type=Text)
    labels: list[list[Any]] = Field(sa_type=JSONB)
    ordinal: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    lowest: float | None = Field(default=None, sa_type=Double)
    highest: float | None = Field(default=None, sa_type=Double)
    lower_is_better: bool = False
    scorer: str | None = Field(default=None, sa_type=Text)
    settings: dict[str, Any] = Field(sa_type=JSONB)
    model_id: UUID | None = None
    embedding_id: UUID | None = None
    version: int = Field(default=1)
    created_by: str = Field(sa_type=Text)
    updated_at: datetime = Field(default_factory=now, sa_type=_TIME)


class ScoreModels(Row, table=True):
    """The models that give a project's scores where a score names none, as the built-in ones do not."""

    __tablename__ = "score_models"
    __table_args__ = (
        _in_project("score_models"),
        _model("score_models", "model_id"),
        _model("score_models", "embedding_id"),
        UniqueConstraint("organisation_id", "project_id", name="uq_score_models_project"),
        Index(None, "organisation_id", "model_id"),
        Index(None, "organisation_id", "embedding_id"),
    )

    organisation_id: UUID
    project_id: UUID
    model_id: UUID | None = None
    embedding_id: UUID | None = None


class AnnouncedScorer(Row, table=True):
    """A scorer as a worker announced it last, so that forms work while no worker is there. The instance's."""

    __tablename__ = "announced_scorers"
    __table_args__ = (UniqueConstraint("key"),)

    key: str = Field(sa_type=Text)
    description: dict[str, Any] = Field(sa_type=JSONB)
    announced_at: datetime = Field(default_factory=now, sa_type=_TIME)
