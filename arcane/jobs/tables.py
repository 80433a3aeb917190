"""The ledger: runs, what their jobs are to do, and the jobs. Inputs and results are the subject's."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKeyConstraint, Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from arcane.access.tables import Project
from arcane.kit.tables import Row, now

_DEAD_LETTER = "state = 'failed' AND discarded_at IS NULL"


class JobRun(Row, table=True):
    """Jobs that were started together. The counters always add up: what is none of the three is open.

    `claimed_at` is when a job of it was last claimed, `claimed_promise` when that one's message was promised.
    """

    __tablename__ = "job_runs"
    __table_args__ = (
        ForeignKeyConstraint(
            ["organisation_id", "project_id"],
            [f"{Project.__tablename__}.organisation_id", f"{Project.__tablename__}.id"],
            ondelete="CASCADE",
        ),
        CheckConstraint("state IN ('running', 'paused', 'cancelled', 'done')", name="state_known"),
        CheckConstraint("done + failed + cancelled <= total", name="counters_add_up"),
        Index(None, "organisation_id", "project_id", "id"),
        Index(None, "kind", "subject_id"),
        Index("ix_job_runs_open", "state", postgresql_where=text("state <> 'done'")),
    )

    organisation_id: UUID
    project_id: UUID
    kind: str = Field(sa_type=Text)
    subject_id: UUID
    state: str = Field(default="running", sa_type=Text)
    deadline_s: float
    created_by: str = Field(sa_type=Text)
    total: int = 0
    done: int = 0
    failed: int = 0
    cancelled: int = 0
    ended_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    claimed_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    claimed_promise: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))


class JobSpec(Row, table=True):
    """What jobs of a run are to do (`arcane.messaging.jobs.Spec`); many jobs share one."""

    __tablename__ = "job_specs"
    __table_args__ = (
        ForeignKeyConstraint(["run_id"], [f"{JobRun.__tablename__}.id"], ondelete="CASCADE"),
        Index(None, "run_id"),
    )

    organisation_id: UUID
    run_id: UUID
    spec: dict[str, Any] = Field(sa_type=JSONB)


class Job(Row, table=True):
    """One unit of work; its id is the id of the row that its result goes to.

    `failures` counts the tries of this round that failed, `claims` how often it was handed out since the last of
    them. `errors` is the history of all tries. `due_at` is when the next try may begin, `promised_at` when a message
    about it was last promised. A dead letter that was discarded stays a failed job, and is not listed as one any more.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        ForeignKeyConstraint(["run_id"], [f"{JobRun.__tablename__}.id"], ondelete="CASCADE"),
        CheckConstraint(
            "state IN ('waiting', 'running', 'held', 'done', 'failed', 'cancelled')",
            name="state_known",
        ),
        Index(None, "run_id", "state", "id"),
        Index("ix_jobs_open", "promised_at", postgresql_where=text("state IN ('waiting', 'running')")),
        Index(
            "ix_jobs_failed",
            "organisation_id",
            "id",
            postgresql_where=text(_DEAD_LETTER),
        ),
    )

    organisation_id: UUID
    run_id: UUID
    spec_id: UUID
    state: str = Field(default="waiting", sa_type=Text)
    failures: int = 0
    claims: int = 0
    errors: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB)
    worker: str = Field(default="", sa_type=Text)
    holder: UUID | None = None
    promised_at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True))
    due_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    claimed_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    settled_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    discarded_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
