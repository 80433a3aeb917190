"""Prompts of projects, their versions, the labels that point at versions, and what became of runs.

A version is never changed and its number never given again. A run that began with a span of a trace keeps no text.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    Float,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from arcane.access.tables import Project
from arcane.kit.tables import Row, now
from arcane.models.tables import ModelConfiguration

_TIME: Any = DateTime(timezone=True)


def _of_a_project(table: str) -> ForeignKeyConstraint:
    projects = Project.__tablename__
    return ForeignKeyConstraint(
        ["organisation_id", "project_id"],
        [f"{projects}.organisation_id", f"{projects}.id"],
        name=f"fk_{table}_project_id_projects",
        ondelete="CASCADE",
    )


class Prompt(Row, table=True):
    """A prompt: a name under which versions are kept. `next_number` is the number of the next version."""

    __tablename__ = "prompts"
    __table_args__ = (
        _of_a_project("prompts"),
        UniqueConstraint("organisation_id", "project_id", "id"),
        UniqueConstraint("project_id", "name", name="uq_prompts_name"),
        CheckConstraint("next_number >= 0", name="next_number"),
    )

    organisation_id: UUID
    project_id: UUID
    name: str = Field(sa_type=Text)
    description: str = Field(default="", sa_type=Text)
    extra: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    next_number: int = Field(default=0)
    created_by: str = Field(sa_type=Text)
    updated_at: datetime = Field(default_factory=now, sa_type=_TIME)


class PromptVersion(Row, table=True):
    """One version: `spec` is a PromptSpec, `digest` that of all it says, for finding out whether anything changed."""

    __tablename__ = "prompt_versions"
    __table_args__ = (
        ForeignKeyConstraint(
            ["organisation_id", "project_id", "prompt_id"],
            ["prompts.organisation_id", "prompts.project_id", "prompts.id"],
            name="fk_prompt_versions_prompt_id_prompts",
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(
            ["organisation_id", "model_configuration_id"],
            [f"{ModelConfiguration.__tablename__}.{name}" for name in ("organisation_id", "id")],
            name="fk_prompt_versions_model_configuration_id_model_configurations",
            deferrable=True,
            initially="IMMEDIATE",
        ),
        UniqueConstraint("prompt_id", "number"),
        UniqueConstraint("organisation_id", "project_id", "prompt_id", "id", name="uq_prompt_versions_place"),
        Index(None, "organisation_id", "model_configuration_id"),
        CheckConstraint("kind IN ('chat', 'text')", name="kind"),
    )

    organisation_id: UUID
    project_id: UUID
    prompt_id: UUID
    number: int
    kind: str = Field(sa_type=Text)
    description: str = Field(default="", sa_type=Text)
    spec: dict[str, Any] = Field(sa_type=JSONB)
    digest: bytes = Field(sa_type=LargeBinary)
    model_configuration_id: UUID
    created_by: str = Field(sa_type=Text)


class PromptLabel(Row, table=True):
    """A label of a prompt, and the one version it points at."""

    __tablename__ = "prompt_labels"
    __table_args__ = (
        ForeignKeyConstraint(
            ["organisation_id", "project_id", "prompt_id", "version_id"],
            [f"prompt_versions.{name}" for name in ("organisation_id", "project_id", "prompt_id", "id")],
            name="fk_prompt_labels_version_id_prompt_versions",
            ondelete="CASCADE",
        ),
        UniqueConstraint("prompt_id", "label"),
        Index("ix_prompt_labels_version", "organisation_id", "project_id", "prompt_id", "version_id"),
    )

    organisation_id: UUID
    project_id: UUID
    prompt_id: UUID
    version_id: UUID
    number: int
    label: str = Field(sa_type=Text)
    set_by: str = Field(sa_type=Text)
    updated_at: datetime = Field(default_factory=now, sa_type=_TIME)


class PromptRun(Row, table=True):
    """One run of a version or of a draft. `trace` names the span a draft began with; such a run keeps no text."""

    __tablename__ = "prompt_runs"
    __table_args__ = (
        _of_a_project("prompt_runs"),
        Index(None, "project_id", "id"),
        Index(None, "organisation_id", "project_id", "prompt_id", "id"),
        Index(None, "created_at"),
        CheckConstraint("status IN ('running', 'done', 'failed', 'cancelled')", name="status"),
        CheckConstraint("trace IS NULL OR (inputs IS NULL AND output IS NULL)", name="no_content_of_traces"),
    )

    organisation_id: UUID
    project_id: UUID
    prompt_id: UUID | None = None
    version_id: UUID | None = None
    version_number: int | None = None
    digest: bytes = Field(sa_type=LargeBinary)
    trace: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    model_configuration_id: UUID
    model: str = Field(default="", sa_type=Text)
    status: str = Field(sa_type=Text)
    error: str = Field(default="", sa_type=Text)
    input_tokens: int = Field(default=0)
    output_tokens: int = Field(default=0)
    cost_usd: float | None = Field(default=None, sa_type=Float)
    latency_ms: float | None = Field(default=None, sa_type=Float)
    inputs: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    output: str | None = Field(default=None, sa_type=Text)
    cut: bool = False
    created_by: str = Field(sa_type=Text)
    ended_at: datetime | None = Field(default=None, sa_type=_TIME)
