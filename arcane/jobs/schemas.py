"""What the API says about runs and jobs."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field

from arcane.jobs.words import JobState, RunState
from arcane.kit.schema import Schema


class RunOut(Schema):
    """A run and how far it is."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    created_at: datetime
    project_id: UUID
    kind: str
    subject_id: UUID
    state: RunState
    created_by: str
    total: int
    done: int
    failed: int
    cancelled: int
    open: int
    ended_at: datetime | None


class RunPage(Schema):
    """Some runs, and the cursor of what follows."""

    model_config = ConfigDict(from_attributes=True)

    items: list[RunOut]
    next: str | None


class TryOut(Schema):
    """A try that did not succeed."""

    at: datetime
    attempt: int
    worker: str
    kind: str
    message: str


class JobOut(Schema):
    """A job, and the history of its errors."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    created_at: datetime
    run_id: UUID
    project_id: UUID
    kind: str
    subject_id: UUID
    state: JobState
    failures: int
    errors: list[TryOut]
    worker: str
    due_at: datetime | None
    claimed_at: datetime | None
    settled_at: datetime | None
    discarded_at: datetime | None


class JobPage(Schema):
    """Some jobs, and the cursor of what follows."""

    model_config = ConfigDict(from_attributes=True)

    items: list[JobOut]
    next: str | None


class ChosenJobs(Schema):
    """Which jobs of the run are meant; all dead letters of the run when none is named."""

    model_config = ConfigDict(extra="forbid")

    jobs: Annotated[list[UUID], Field(min_length=1, max_length=1_000)] | None = None


class Changed(Schema):
    """How many jobs were changed."""

    jobs: int
