"""Experiments and the result of each row. What they pin is named by id and kept in `pinned` as it is shown."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    Double,
    ForeignKeyConstraint,
    Index,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from arcane.access.tables import Organisation, Project
from arcane.kit.tables import Row

_TIME = DateTime(timezone=True)


class Experiment(Row, table=True):
    """A prompt version and a model over a version of a dataset; without a prompt, results come from outside.

    The counts grow in the transaction that takes results, so that lists and budgets cost nothing.
    """

    __tablename__ = "experiments"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id"], [f"{Organisation.__tablename__}.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(
            ["organisation_id", "project_id"],
            [f"{Project.__tablename__}.organisation_id", f"{Project.__tablename__}.id"],
            name="fk_experiments_project_id_projects",
            ondelete="CASCADE",
        ),
        UniqueConstraint("organisation_id", "id"),
        CheckConstraint("state IN ('running', 'paused', 'stopped', 'cancelled', 'done')", name="state"),
        Index("ix_experiments_newest", "organisation_id", "project_id", "id"),
        Index(None, "dataset_id"),
        Index(None, "run_id"),
    )

    organisation_id: UUID
    project_id: UUID
    name: str = Field(sa_type=Text)
    description: str = Field(default="", sa_type=Text)
    prompt_version_id: UUID | None = None
    model_configuration_id: UUID | None = None
    dataset_id: UUID
    dataset_version: int
    split: str | None = Field(default=None, sa_type=Text)
    mapping: dict[str, str] = Field(sa_type=JSONB)
    pinned: dict[str, Any] = Field(sa_type=JSONB)
    state: str = Field(sa_type=Text)
    run_id: UUID | None = None
    total: int = 0
    done: int = 0
    failed: int = 0
    unpriced: int = 0
    input_tokens: int = Field(default=0, sa_type=BigInteger)
    output_tokens: int = Field(default=0, sa_type=BigInteger)
    cost_usd: float = Field(default=0.0, sa_type=Double)
    created_by: str = Field(sa_type=Text)
    finished_at: datetime | None = Field(default=None, sa_type=_TIME)


class ExperimentResult(Row, table=True):
    """What came of one row. Its id is also the id of the job that works on it."""

    __tablename__ = "experiment_results"
    __table_args__ = (
        ForeignKeyConstraint(
            ["organisation_id", "experiment_id"],
            ["experiments.organisation_id", "experiments.id"],
            name="fk_experiment_results_experiment_id_experiments",
            ondelete="CASCADE",
        ),
        UniqueConstraint("experiment_id", "row_id"),
        CheckConstraint("status IN ('pending', 'running', 'done', 'failed', 'cancelled')", name="status"),
        Index("ix_experiment_results_ordinal", "organisation_id", "experiment_id", "ordinal", "id"),
        Index(None, "experiment_id", "status"),
    )

    organisation_id: UUID
    project_id: UUID
    experiment_id: UUID
    row_id: UUID
    ordinal: int = Field(sa_type=BigInteger)
    status: str = Field(sa_type=Text)
    output: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": ""})
    tool_calls: list[dict[str, Any]] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    structured: Any = Field(default=None, sa_type=JSONB(none_as_null=True), nullable=True)
    finish_reason: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": ""})
    model: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": ""})
    error: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": ""})
    attempts: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    latency_ms: float | None = Field(default=None, sa_type=Double)
    input_tokens: int | None = Field(default=None, sa_type=BigInteger)
    output_tokens: int | None = Field(default=None, sa_type=BigInteger)
    cost_usd: float | None = Field(default=None, sa_type=Double)
    finished_at: datetime | None = Field(default=None, sa_type=_TIME)
