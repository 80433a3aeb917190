"""A ledger of jobs over a real Postgres, and a subject that remembers what it was handed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import anyio
import asyncpg
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.jobs.service.runs import Jobs
from arcane.jobs.subject import Inputs, RunRef, Subjects
from arcane.jobs.words import Run, Unit
from arcane.kit.actor import Tenant
from arcane.kit.announce import Announcer
from arcane.kit.database import Database
from arcane.kit.ids import new_id
from arcane.kit.migrate import app_url
from arcane.messaging.jobs import Failed, IdleSpec, JobResult, Spec
from arcane.outbox.service import Outbox
from arcane.settings import JobSettings
from tests.support.postgres import MigratedDatabase

INSTANCE = Tenant(instance=True)
KIND = "probe"


@dataclass
class Probe:
    """A subject. Its inputs are the number of the job, or what was planted for it."""

    planted: dict[UUID, Inputs | Failed] = field(default_factory=dict)
    asked: list[UUID] = field(default_factory=list)
    taken: list[JobResult] = field(default_factory=list)
    ends: list[UUID] = field(default_factory=list)

    async def inputs(self, run: RunRef, jobs: Sequence[UUID]) -> Mapping[UUID, Inputs | Failed]:
        self.asked += jobs
        return {job: self.planted.get(job, {"id": str(job)}) for job in jobs}

    async def take(self, session: AsyncSession, run: RunRef, results: Sequence[JobResult]) -> None:
        self.taken += results

    async def ended(self, session: AsyncSession, run: RunRef) -> None:
        self.ends.append(run.id)


@dataclass
class Ledger:
    """One backend's ledger."""

    database: Database
    announcer: Announcer
    jobs: Jobs
    subjects: Subjects
    probe: Probe
    settings: JobSettings
    stored: MigratedDatabase

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

    async def promised(self) -> list[dict[str, Any]]:
        """Returns the bodies of all messages in the outbox."""
        rows = await self.rows("SELECT convert_from(body, 'UTF8')::jsonb AS body FROM outbox_messages")
        return [row.body for row in rows]


@asynccontextmanager
async def ledger_on(stored: MigratedDatabase, **settings: Any) -> AsyncIterator[Ledger]:
    """Yields a ledger over `stored`."""
    url = app_url(stored.settings)
    database, announcer = Database.connect(url), Announcer(url)
    chosen = JobSettings(**settings)
    probe, subjects = Probe(), Subjects()
    subjects.add(KIND, probe)
    async with anyio.create_task_group() as group:
        await group.start(announcer.run)
        jobs = Jobs(Outbox(announcer), announcer, chosen)
        yield Ledger(database, announcer, jobs, subjects, probe, chosen, stored)
        group.cancel_scope.cancel()
    await database.aclose()
