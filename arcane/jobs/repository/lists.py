"""Runs and jobs as they are listed, inside one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, false, select
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.jobs.tables import Job, JobRun
from arcane.jobs.words import JobFilter, JobState, JobView, RunState, RunView
from arcane.kit.actor import Actor
from arcane.kit.keyset import Keyset
from arcane.kit.pagination import Cursors, Page, PageRequest

_RUNS = Keyset("job-runs", (col(JobRun.id),), tuple[UUID], descending=True)
_JOBS = Keyset("jobs", (col(Job.id),), tuple[UUID], descending=True)


@dataclass(frozen=True, slots=True)
class ListRepository:
    """Selects what one actor may see."""

    session: AsyncSession

    def visible_to(self, actor: Actor) -> Select[Any]:
        """Selects the runs of the actor's project, or of its whole organisation."""
        statement = select(JobRun)
        if actor.organisation_id is None:
            return statement if actor.tenant.instance else statement.where(false())
        statement = statement.where(col(JobRun.organisation_id) == actor.organisation_id)
        if actor.project_id is not None:
            statement = statement.where(col(JobRun.project_id) == actor.project_id)
        return statement

    async def runs(self, actor: Actor, request: PageRequest, cursors: Cursors, state: RunState | None) -> Page[RunView]:
        """Returns a page of runs, newest first."""
        statement = self.visible_to(actor)
        if state is not None:
            statement = statement.where(col(JobRun.state) == state.value)
        rows = (await self.session.scalars(_RUNS.select_after(statement, request, cursors))).all()
        return _RUNS.page([run_view(row) for row in rows], request, cursors, lambda run: (run.id,))

    async def run(self, actor: Actor, run_id: UUID) -> RunView | None:
        """Returns the run; None when the actor knows none."""
        row = (await self.session.scalars(self.visible_to(actor).where(col(JobRun.id) == run_id))).one_or_none()
        return None if row is None else run_view(row)

    async def jobs(self, actor: Actor, request: PageRequest, cursors: Cursors, asked: JobFilter) -> Page[JobView]:
        """Returns a page of jobs, newest first."""
        runs = self.visible_to(actor).subquery()
        statement = select(Job, runs.c.project_id, runs.c.kind, runs.c.subject_id).join(
            runs, runs.c.id == col(Job.run_id)
        )
        if asked.state is not None:
            statement = statement.where(col(Job.state) == asked.state.value)
        if asked.state is JobState.FAILED and not asked.discarded:
            statement = statement.where(col(Job.discarded_at).is_(None))
        if asked.run_id is not None:
            statement = statement.where(col(Job.run_id) == asked.run_id)
        rows = (await self.session.execute(_JOBS.select_after(statement, request, cursors))).all()
        views = [_job_view(row[0], row.project_id, row.kind, row.subject_id) for row in rows]
        return _JOBS.page(views, request, cursors, lambda job: (job.id,))


def run_view(row: JobRun) -> RunView:
    """Returns the run as it is shown."""
    return RunView(
        id=row.id,
        created_at=row.created_at,
        organisation_id=row.organisation_id,
        project_id=row.project_id,
        kind=row.kind,
        subject_id=row.subject_id,
        state=RunState(row.state),
        created_by=row.created_by,
        total=row.total,
        done=row.done,
        failed=row.failed,
        cancelled=row.cancelled,
        ended_at=row.ended_at,
    )


def _job_view(row: Job, project_id: UUID, kind: str, subject_id: UUID) -> JobView:
    return JobView(
        id=row.id,
        created_at=row.created_at,
        run_id=row.run_id,
        project_id=project_id,
        kind=kind,
        subject_id=subject_id,
        state=JobState(row.state),
        failures=row.failures,
        errors=tuple(row.errors),
        worker=row.worker,
        due_at=row.due_at,
        claimed_at=row.claimed_at,
        settled_at=row.settled_at,
        discarded_at=row.discarded_at,
    )
