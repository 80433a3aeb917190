"""The ledger's parts, put together."""

from __future__ import annotations

from dataclasses import dataclass

from arcane.audit.service import AuditLog
from arcane.jobs.service.board import JobBoard
from arcane.jobs.service.claims import Claims
from arcane.jobs.service.desk import JobDesk
from arcane.jobs.service.results import Results
from arcane.jobs.service.runs import Jobs
from arcane.jobs.service.sweeping import Sweeper
from arcane.jobs.subject import ProviderKeys, Subjects
from arcane.kit.announce import Announcer
from arcane.kit.clock import Clock
from arcane.kit.database import Database
from arcane.kit.pagination import Cursors
from arcane.outbox.service import Outbox
from arcane.outbox.wiring import retries_of
from arcane.settings import Settings
from arcane.workers.sessions import WorkerDoor


@dataclass(frozen=True, slots=True)
class Ground:
    """What the ledger stands on."""

    settings: Settings
    database: Database
    announcer: Announcer
    outbox: Outbox
    door: WorkerDoor
    audit: AuditLog
    cursors: Cursors
    clock: Clock


@dataclass(frozen=True, slots=True)
class JobParts:
    """The ledger: as slices use it, as workers do, and what looks after it."""

    subjects: Subjects
    jobs: Jobs
    desk: JobDesk
    sweeper: Sweeper
    board: JobBoard


def build_jobs(ground: Ground, keys: ProviderKeys) -> JobParts:
    """Returns the ledger; slices add their subjects to it. `keys` is where the secrets of models are."""
    subjects = Subjects()
    jobs = Jobs(ground.outbox, ground.announcer, ground.settings.jobs)
    retries = retries_of(ground.settings.broker)
    results = Results(ground.database, subjects, ground.announcer, ground.clock, retries)
    claims = Claims(ground.database, subjects, results, ground.settings.jobs)
    board = JobBoard(ground.database, ground.audit, ground.cursors, jobs, subjects)
    desk = JobDesk(ground.door, ground.database, claims, results, keys, ground.announcer)
    return JobParts(subjects, jobs, desk, Sweeper(ground.database, jobs, subjects), board)
