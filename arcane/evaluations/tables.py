"""Evaluations, the scores they ask for, what each is about, and the results.

A result belongs to a subject, and a subject to an evaluation: it names what is judged (a row, an experiment's result, a
trace or a span) without a foreign key, so that deleting that breaks nothing that was found out about it.
"""

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
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from arcane.access.tables import Organisation, Project
from arcane.kit.tables import Row

_TIME = DateTime(timezone=True)
_EMPTY = {"server_default": ""}


def _of_evaluation(table: str) -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["organisation_id", "evaluation_id"],
        ["evaluations.organisation_id", "evaluations.id"],
        name=f"fk_{table}_evaluation_id_evaluations",
        ondelete="CASCADE",
    )


class Evaluation(Row, table=True):
    """Scores over something. `reader` says with whose eyes traces are read, `search` which traces those are.

    `watermark` (nanoseconds): every trace of a live evaluation that began before it has been looked at.
    """

    __tablename__ = "evaluations"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id"], [f"{Organisation.__tablename__}.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(
            ["organisation_id", "project_id"],
            [f"{Project.__tablename__}.organisation_id", f"{Project.__tablename__}.id"],
            name="fk_evaluations_project_id_projects",
            ondelete="CASCADE",
        ),
        UniqueConstraint("organisation_id", "id"),
        CheckConstraint("mode IN ('automatic', 'manual')", name="mode"),
        CheckConstraint("scope IN ('dataset', 'experiments', 'traces', 'live')", name="scope"),
        CheckConstraint("state IN ('listing', 'running', 'paused', 'stopped', 'cancelled', 'done')", name="state"),
        Index("ix_evaluations_newest", "organisation_id", "project_id", "id"),
        Index(None, "run_id"),
        Index(
            "ix_evaluations_live",
            "leased_until",
            postgresql_where=text("state = 'listing' OR (scope = 'live' AND state = 'running')"),
        ),
    )

    organisation_id: UUID
    project_id: UUID
    name: str = Field(sa_type=Text)
    description: str = Field(default="", sa_type=Text)
    mode: str = Field(sa_type=Text)
    scope: str = Field(sa_type=Text)
    dataset_id: UUID | None = None
    dataset_version: int | None = None
    split: str | None = Field(default=None, sa_type=Text)
    search: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    reader: dict[str, Any] = Field(sa_type=JSONB)
    pinned: dict[str, Any] = Field(sa_type=JSONB)
    extra: dict[str, Any] = Field(sa_type=JSONB)
    model_configuration_id: UUID | None = None
    capture: bool = False
    state: str = Field(sa_type=Text)
    note: str = Field(default="", sa_type=Text)
    run_id: UUID | None = None
    budget_usd: float | None = Field(default=None, sa_type=Double)
    total: int = 0
    done: int = 0
    failed: int = 0
    unpriced: int = 0
    input_tokens: int = Field(default=0, sa_type=BigInteger)
    output_tokens: int = Field(default=0, sa_type=BigInteger)
    cost_usd: float = Field(default=0.0, sa_type=Double)
    watermark: int | None = Field(default=None, sa_type=BigInteger)
    looked_at: datetime | None = Field(default=None, sa_type=_TIME)
    leased_until: datetime | None = Field(default=None, sa_type=_TIME)
    created_by: str = Field(sa_type=Text)
    finished_at: datetime | None = Field(default=None, sa_type=_TIME)


class EvaluationScore(Row, table=True):
    """A score that an evaluation asks for, as it was when the evaluation was made. No `spec_id`: people give it."""

    __tablename__ = "evaluation_scores"
    __table_args__ = (
        _of_evaluation("evaluation_scores"),
        UniqueConstraint("organisation_id", "evaluation_id", "score_id", name="uq_evaluation_scores_score"),
    )

    organisation_id: UUID
    project_id: UUID
    evaluation_id: UUID
    score_id: UUID
    position: int
    spec_id: UUID | None = None
    mapping: dict[str, str] = Field(sa_type=JSONB)
    pinned: dict[str, Any] = Field(sa_type=JSONB)


class EvaluationExperiment(Row, table=True):
    """An experiment whose results an evaluation judges."""

    __tablename__ = "evaluation_experiments"
    __table_args__ = (
        _of_evaluation("evaluation_experiments"),
        UniqueConstraint(
            "organisation_id", "evaluation_id", "experiment_id", name="uq_evaluation_experiments_experiment"
        ),
    )

    organisation_id: UUID
    project_id: UUID
    evaluation_id: UUID
    experiment_id: UUID
    position: int
    name: str = Field(sa_type=Text)


class Subject(Row, table=True):
    """What is judged: a row of a dataset, a result of an experiment, a trace or a span. `key` names it in there."""

    __tablename__ = "evaluation_subjects"
    __table_args__ = (
        _of_evaluation("evaluation_subjects"),
        UniqueConstraint("evaluation_id", "key"),
        Index("ix_evaluation_subjects_ordinal", "organisation_id", "evaluation_id", "ordinal", "id"),
    )

    organisation_id: UUID
    project_id: UUID
    evaluation_id: UUID
    ordinal: int = Field(sa_type=BigInteger)
    key: str = Field(sa_type=Text)
    row_id: UUID | None = None
    experiment_id: UUID | None = None
    result_id: UUID | None = None
    datasource_id: UUID | None = None
    trace_id: str | None = Field(default=None, sa_type=Text)
    span_id: str | None = Field(default=None, sa_type=Text)
    time_ns: int | None = Field(default=None, sa_type=BigInteger)


class ScoreResult(Row, table=True):
    """What one score says of one subject: from a scorer (its id is then that of the job), a person, or an import."""

    __tablename__ = "score_results"
    __table_args__ = (
        ForeignKeyConstraint(["subject_id"], ["evaluation_subjects.id"], ondelete="CASCADE"),
        UniqueConstraint("subject_id", "score_id"),
        CheckConstraint("status IN ('pending', 'running', 'done', 'failed', 'cancelled')", name="status"),
        CheckConstraint("source IN ('scorer', 'person', 'import')", name="source"),
        CheckConstraint("(status = 'done') = (value IS NOT NULL)", name="done_has_value"),
        Index(None, "evaluation_id", "score_id"),
    )

    organisation_id: UUID
    project_id: UUID
    evaluation_id: UUID
    score_id: UUID
    subject_id: UUID
    status: str = Field(sa_type=Text)
    source: str = Field(sa_type=Text)
    value: float | None = Field(default=None, sa_type=Double)
    label: str = Field(default="", sa_type=Text, sa_column_kwargs=_EMPTY)
    reasoning: str = Field(default="", sa_type=Text, sa_column_kwargs=_EMPTY)
    details: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    error: str = Field(default="", sa_type=Text, sa_column_kwargs=_EMPTY)
    scored_by: str = Field(default="", sa_type=Text, sa_column_kwargs=_EMPTY)
    attempts: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    latency_ms: float | None = Field(default=None, sa_type=Double)
    input_tokens: int | None = Field(default=None, sa_type=BigInteger)
    output_tokens: int | None = Field(default=None, sa_type=BigInteger)
    cost_usd: float | None = Field(default=None, sa_type=Double)
    finished_at: datetime | None = Field(default=None, sa_type=_TIME)
