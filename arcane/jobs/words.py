"""The states of runs and jobs, and what starts them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from arcane.kit.problems import Conflict, NotFound


class RunState(StrEnum):
    """How a run stands."""

    RUNNING = "running"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    DONE = "done"  # every job of it is settled


class JobState(StrEnum):
    """How a job stands. The first three are open, the others settled; `FAILED` are the dead letters."""

    WAITING = "waiting"
    RUNNING = "running"
    HELD = "held"  # its run was paused when a worker asked for it
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


OPEN = (JobState.WAITING, JobState.RUNNING, JobState.HELD)
SETTLED = (JobState.DONE, JobState.FAILED, JobState.CANCELLED)


class UnknownRun(NotFound):
    """There is no such run here."""


class UnknownJob(NotFound):
    """There is no such job here."""


class RunNotThere(Conflict):
    """The run's state does not allow it."""

    slug = "run-state"
    title = "The run's state does not allow it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run that is to be made. `subject_id` is what it is about (an experiment, an evaluation), `kind` whose."""

    kind: str
    organisation_id: UUID
    project_id: UUID
    subject_id: UUID
    created_by: str
    deadline_s: float | None = None


@dataclass(frozen=True, slots=True)
class Created:
    """A run that was made, and the ids of its specs, in their order."""

    run_id: UUID
    spec_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Unit:
    """One job that is to be done: `id` is the id of the row its result goes to."""

    id: UUID
    spec_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """A run as it is shown."""

    id: UUID
    created_at: datetime
    organisation_id: UUID
    project_id: UUID
    kind: str
    subject_id: UUID
    state: RunState
    created_by: str
    total: int
    done: int
    failed: int
    cancelled: int
    ended_at: datetime | None

    @property
    def open(self) -> int:
        """How many jobs are not settled."""
        return self.total - self.done - self.failed - self.cancelled


@dataclass(frozen=True, slots=True, kw_only=True)
class JobView:
    """A job as it is shown. `errors` are `at`, `attempt`, `worker`, `kind` and `message` of each try that failed."""

    id: UUID
    created_at: datetime
    run_id: UUID
    project_id: UUID
    kind: str
    subject_id: UUID
    state: JobState
    failures: int
    errors: tuple[Mapping[str, Any], ...]
    worker: str
    due_at: datetime | None
    claimed_at: datetime | None
    settled_at: datetime | None
    discarded_at: datetime | None


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs are asked for. `FAILED` without `discarded` are the dead letters."""

    state: JobState | None = None
    run_id: UUID | None = None
    discarded: bool = False
