"""A ledger of jobs over a real Postgres, and a subject that remembers what it was handed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import anyio
import asyncpg
import msgspec
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.audit.service import AuditLog
from arcane.jobs.service.desk import JobDesk
from arcane.jobs.service.runs import Jobs
from arcane.jobs.service.sweeping import Sweeper
from arcane.jobs.subject import Inputs, RunRef
from arcane.jobs.wiring import Ground, JobParts, build_jobs
from arcane.jobs.words import Run, RunState, Unit
from arcane.kit.actor import Tenant
from arcane.kit.announce import Announcer
from arcane.kit.clock import SystemClock
from arcane.kit.database import Database
from arcane.kit.ids import new_id
from arcane.kit.migrate import app_url
from arcane.kit.pagination import Cursors
from arcane.kit.signing import Signer
from arcane.messaging.generation import ModelSpec
from arcane.messaging.jobs import (
    CLAIMS_PATH,
    CONTROL_PATH,
    KEYS_PATH,
    RESULTS_PATH,
    ClaimAnswer,
    ClaimRequest,
    ControlAnswer,
    ControlRequest,
    Failed,
    IdleSpec,
    JobError,
    JobResult,
    KeyAnswer,
    KeyRequest,
    NotNow,
    ResultsAnswer,
    ResultsRequest,
    Spec,
)
from arcane.messaging.message import Message
from arcane.messaging.sessions import key_purpose, unsealed
from arcane.outbox.promise import Promise
from arcane.outbox.service import Outbox
from arcane.settings import JobSettings, Settings
from tests.support.postgres import MigratedDatabase
from tests.support.workers import Caller, door_of

INSTANCE = Tenant(instance=True)
KIND = "probe"
WORKER_KEY = "k" * 32


@dataclass
class Probe:
    """A subject. Its inputs are the number of the job, or what was planted for it."""

    planted: dict[UUID, Inputs | Failed] = field(default_factory=dict)
    asked: list[UUID] = field(default_factory=list)
    taken: list[JobResult] = field(default_factory=list)
    ends: list[UUID] = field(default_factory=list)
    orders: list[RunState] = field(default_factory=list)

    async def inputs(self, run: RunRef, jobs: Sequence[UUID]) -> Mapping[UUID, Inputs | Failed]:
        self.asked += jobs
        return {job: self.planted.get(job, {"id": str(job)}) for job in jobs}

    async def take(self, session: AsyncSession, run: RunRef, results: Sequence[JobResult]) -> None:
        self.taken += results

    async def keeps_words(self, session: AsyncSession, run: RunRef) -> bool:
        return True

    async def told(self, session: AsyncSession, run: RunRef, state: RunState) -> None:
        self.orders.append(state)

    async def ended(self, session: AsyncSession, run: RunRef) -> None:
        self.ends.append(run.id)


@dataclass
class PlantedKeys:
    """The secrets of model configurations, by organisation and configuration."""

    planted: dict[tuple[UUID, UUID], dict[str, str]] = field(default_factory=dict)

    async def secrets(self, organisation_id: UUID, model: ModelSpec) -> Mapping[str, str] | None:
        return self.planted.get((organisation_id, model.configuration))


@dataclass
class Ledger:
    """One backend's ledger."""

    database: Database
    announcer: Announcer
    parts: JobParts
    probe: Probe
    keys: PlantedKeys
    settings: JobSettings
    stored: MigratedDatabase

    @property
    def jobs(self) -> Jobs:
        return self.parts.jobs

    @property
    def desk(self) -> JobDesk:
        return self.parts.desk

    @property
    def sweeper(self) -> Sweeper:
        return self.parts.sweeper

    async def place(self) -> Tenant:
        """Returns a new organisation with a project."""
        organisation, project = new_id(), new_id()
        connection = await asyncpg.connect(self.stored.superuser_dsn)
        try:
            await connection.execute(
                "INSERT INTO organisations (id, created_at, updated_at, name, slug) VALUES ($1, now(), now(), $2, $2)",
                organisation,
                f"o-{organisation.hex}",
            )
            await connection.execute(
                "INSERT INTO projects (id, created_at, updated_at, organisation_id, name, slug, description) "
                "VALUES ($1, now(), now(), $2, 'p', $3, '')",
                project,
                organisation,
                f"p-{project.hex}",
            )
        finally:
            await connection.close()
        return Tenant(organisation, project)

    async def start(
        self, count: int, tenant: Tenant | None = None, spec: Spec | None = None
    ) -> tuple[UUID, list[UUID]]:
        """Returns a new run with `count` jobs, and their ids in order."""
        where = tenant or await self.place()
        assert where.organisation_id is not None
        assert where.project_id is not None
        run = Run(
            kind=KIND,
            organisation_id=where.organisation_id,
            project_id=where.project_id,
            subject_id=uuid4(),
            created_by="Ada",
        )
        async with self.database.transaction(where) as session:
            made = await self.jobs.create_run(session, run, [spec or IdleSpec()])
            units = [Unit(new_id(), made.spec_ids[0]) for _ in range(count)]
            await self.jobs.add(session, made.run_id, units)
        return made.run_id, sorted(unit.id for unit in units)

    def worker(self, name: str = "w1") -> AtDesk:
        """Returns a worker that calls the internal API."""
        return AtDesk(self, Caller(self.desk.door, SystemClock(), key=WORKER_KEY, name=name))

    async def rows(self, sql: str, **values: Any) -> list[Any]:
        """Returns what `sql` finds anywhere in the instance."""
        async with self.database.transaction(INSTANCE) as session:
            return list((await session.execute(text(sql), values)).all())

    async def states(self, run: UUID) -> dict[str, int]:
        """Returns how many jobs of the run are in which state."""
        rows = await self.rows("SELECT state, count(*) AS n FROM jobs WHERE run_id = :run GROUP BY state", run=run)
        return {row.state: row.n for row in rows}

    async def run(self, run: UUID) -> Any:
        """Returns the run's row."""
        return (await self.rows("SELECT * FROM job_runs WHERE id = :run", run=run))[0]

    async def messages(self) -> list[Message]:
        """Returns all messages in the outbox."""
        rows = await self.rows("SELECT id, queue, headers, body, copies FROM outbox_messages")
        return [message for row in rows for message in Promise(*row).messages()]

    async def promised(self) -> list[dict[str, Any]]:
        """Returns the bodies of all messages in the outbox."""
        return [msgspec.json.decode(message.body) for message in await self.messages()]


@dataclass
class AtDesk:
    """A worker at the ledger's desk."""

    ledger: Ledger
    caller: Caller

    async def claim(self, *jobs: UUID, known: Sequence[UUID] = ()) -> ClaimAnswer:
        request = self.caller.signed(CLAIMS_PATH, ClaimRequest(jobs=tuple(jobs), known=tuple(known)))
        return msgspec.json.decode(await self.ledger.desk.claim(*request), type=ClaimAnswer)

    async def send(self, *results: JobResult) -> tuple[UUID, ...]:
        """Returns the jobs that are tried again."""
        request = self.caller.signed(RESULTS_PATH, ResultsRequest(results=results))
        return msgspec.json.decode(await self.ledger.desk.take(*request), type=ResultsAnswer).again

    async def stopped(
        self, *runs: UUID, wait_s: float = 0.0, known: Mapping[UUID, NotNow] | None = None
    ) -> Mapping[UUID, NotNow]:
        request = self.caller.signed(CONTROL_PATH, ControlRequest(runs=runs, wait_s=wait_s, known=known or {}))
        return msgspec.json.decode(await self.ledger.desk.control(*request), type=ControlAnswer).stopped

    async def secrets(self, job: UUID, configuration: UUID) -> dict[str, str]:
        request = self.caller.signed(KEYS_PATH, KeyRequest(job=job, configuration=configuration))
        answer = msgspec.json.decode(await self.ledger.desk.key(*request), type=KeyAnswer)
        content = unsealed(self.caller.session_key, answer.sealed, key_purpose(job, configuration))
        return msgspec.json.decode(content, type=dict[str, str])


def done(job: UUID, attempt: int = 1) -> JobResult:
    """Returns the result of an idle job."""
    return JobResult(job=job, attempt=attempt, duration_ms=1.0)


def failure(job: UUID, attempt: int = 1, *, final: bool = False, message: str = "the model is away") -> JobResult:
    """Returns what becomes of a try that failed."""
    error = JobError(kind="model", message=message)
    return JobResult(job=job, attempt=attempt, duration_ms=1.0, error=error, final=final)


@asynccontextmanager
async def ledger_on(
    stored: MigratedDatabase, retry_delays_s: Sequence[float] = (60.0, 600.0), **settings: Any
) -> AsyncIterator[Ledger]:
    """Yields a ledger over `stored`."""
    url = app_url(stored.settings)
    database, announcer = Database.connect(url), Announcer(url)
    chosen = JobSettings(**settings)
    given: Any = {"_env_file": None, "database": stored.settings.database, "jobs": chosen}
    given["broker"] = {"retry_delays_s": list(retry_delays_s)}
    door, keys = door_of(WORKER_KEY, SystemClock()), PlantedKeys()
    cursors = Cursors(Signer.of([b"a key for tests"], "cursor"))
    ground = Ground(
        Settings(**given),
        database,
        announcer,
        Outbox(announcer),
        door,
        AuditLog(database, cursors),
        cursors,
        SystemClock(),
    )
    parts = build_jobs(ground, keys)
    probe = Probe()
    parts.subjects.add(KIND, probe)
    async with anyio.create_task_group() as group:
        await group.start(announcer.run)
        yield Ledger(database, announcer, parts, probe, keys, chosen, stored)
        group.cancel_scope.cancel()
    await database.aclose()
