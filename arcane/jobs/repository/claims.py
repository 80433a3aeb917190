"""What claims and results read and write, inside one transaction. A run's lock comes before those of its jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.engine import Row
from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.jobs.subject import RunRef

_REFS_OF = text(
    "SELECT jobs.id AS job, run.id, run.organisation_id, run.project_id, run.subject_id, run.kind "
    "FROM jobs JOIN job_runs AS run ON run.id = jobs.run_id WHERE jobs.id = ANY(CAST(:ids AS uuid[]))"
)
_RUNS_OF = text(
    "SELECT id, organisation_id, project_id, subject_id, kind, state, deadline_s FROM job_runs "
    "WHERE id IN (SELECT run_id FROM jobs WHERE id = ANY(CAST(:ids AS uuid[]))) ORDER BY id FOR NO KEY UPDATE"
)
_RUN = text("SELECT state FROM job_runs WHERE id = :id FOR NO KEY UPDATE")
_LOCK = text(
    "SELECT id, run_id, spec_id, state, failures, claims, promised_at, "
    "due_at IS NOT NULL AND due_at > now() AS early FROM jobs "
    "WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id FOR NO KEY UPDATE"
)
_CLAIM = text(
    "WITH handed_out AS (UPDATE jobs SET state = 'running', claims = claims + 1, worker = :worker, holder = :holder, "
    "claimed_at = now() WHERE id = ANY(CAST(:jobs AS uuid[]))) "
    "UPDATE job_runs SET claimed_at = now(), claimed_promise = greatest(claimed_promise, given.promise) "
    "FROM unnest(CAST(:runs AS uuid[]), CAST(:promises AS timestamptz[])) AS given(id, promise) "
    "WHERE job_runs.id = given.id"
)
_HOLD = text("UPDATE jobs SET state = 'held', holder = NULL WHERE id = ANY(CAST(:ids AS uuid[]))")
_SPECS = text("SELECT id, spec FROM job_specs WHERE id = ANY(CAST(:ids AS uuid[]))")
_FAIL = text(
    "UPDATE jobs SET state = given.state, failures = jobs.failures + 1, claims = 0, holder = NULL, "
    "errors = CASE WHEN jsonb_array_length(errors) < :most THEN errors ELSE errors - 0 END || given.error::jsonb, "
    "due_at = CASE WHEN given.delay IS NULL THEN NULL ELSE now() + make_interval(secs => given.delay) END, "
    "settled_at = CASE WHEN given.delay IS NULL THEN now() END "
    "FROM unnest(CAST(:ids AS uuid[]), CAST(:states AS text[]), CAST(:errors AS text[]), "
    "CAST(:delays AS double precision[])) AS given(id, state, error, delay) WHERE jobs.id = given.id"
)
_SETTLE = text(
    "WITH settled AS (UPDATE jobs SET state = 'done', settled_at = now(), holder = NULL, due_at = NULL "
    "WHERE id = ANY(CAST(:done AS uuid[])) RETURNING id) "
    "UPDATE job_runs SET done = done + (SELECT count(*) FROM settled), failed = failed + :failed WHERE id = :id "
    "RETURNING total - done - failed - cancelled AS open, state"
)
_END = text("UPDATE job_runs SET state = 'done', ended_at = now() WHERE id = :id AND state IN ('running', 'paused')")
_HOLDING = text(
    "SELECT jobs.organisation_id, job_specs.spec FROM jobs JOIN job_specs ON job_specs.id = jobs.spec_id "
    "JOIN job_runs ON job_runs.id = jobs.run_id "
    "WHERE jobs.id = :job AND jobs.holder = :holder AND jobs.state = 'running' AND job_runs.state <> 'cancelled'"
)
_STATES = text("SELECT id, state FROM job_runs WHERE id = ANY(CAST(:ids AS uuid[]))")
_ERRORS_MAX = 30


@dataclass(frozen=True, slots=True)
class Holder:
    """The worker that holds the messages."""

    name: str
    instance: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedTry:
    """A try that did not succeed. `delay_s` None: it was the last one."""

    job: UUID
    error: Mapping[str, Any]
    delay_s: float | None


@dataclass(frozen=True, slots=True)
class ClaimRepository:
    """Hands jobs out and settles them."""

    session: AsyncSession

    async def refs_of(self, jobs: Sequence[UUID]) -> dict[UUID, RunRef]:
        """Returns the run of each job that there is, as its subject needs it."""
        rows = (await self.session.execute(_REFS_OF, {"ids": list(jobs)})).all()
        return {row.job: RunRef(row.id, row.organisation_id, row.project_id, row.subject_id, row.kind) for row in rows}

    async def lock_runs_of(self, jobs: Sequence[UUID]) -> dict[UUID, Row[Any]]:
        """Returns the runs of the jobs, kept from others until the transaction ends."""
        rows = (await self.session.execute(_RUNS_OF, {"ids": list(jobs)})).all()
        return {row.id: row for row in rows}

    async def lock_run(self, run: UUID) -> str | None:
        """Returns the state of the run, which is kept from others until the transaction ends; None: it is gone."""
        state: str | None = (await self.session.execute(_RUN, {"id": run})).scalar_one_or_none()
        return state

    async def lock_jobs(self, jobs: Sequence[UUID]) -> Sequence[Row[Any]]:
        """Returns the jobs there are, kept from others until the transaction ends."""
        return (await self.session.execute(_LOCK, {"ids": list(jobs)})).all()

    async def claim(self, jobs: Sequence[UUID], promises: Mapping[UUID, datetime], holder: Holder) -> None:
        """The jobs run at `holder`, and it is known how far those of each run are handed out."""
        values = {"runs": list(promises), "promises": list(promises.values()), "jobs": list(jobs)}
        await self.session.execute(_CLAIM, values | {"worker": holder.name, "holder": holder.instance})

    async def hold(self, jobs: Sequence[UUID]) -> None:
        """The jobs are held until their run goes on."""
        await self.session.execute(_HOLD, {"ids": list(jobs)})

    async def specs(self, ids: Sequence[UUID]) -> dict[UUID, Any]:
        """Returns the specs as they are stored."""
        rows = (await self.session.execute(_SPECS, {"ids": list(ids)})).all()
        return {row.id: row.spec for row in rows}

    async def fail(self, tries: Sequence[FailedTry]) -> None:
        """Each try is in its job's history; the job waits for the next one, or has failed."""
        values = {
            "ids": [one.job for one in tries],
            "states": ["failed" if one.delay_s is None else "waiting" for one in tries],
            "errors": [msgspec.json.encode(one.error).decode() for one in tries],
            "delays": [one.delay_s for one in tries],
            "most": _ERRORS_MAX,
        }
        await self.session.execute(_FAIL, values)

    async def settle(self, run: UUID, done: Sequence[UUID], failed: int) -> tuple[int, str]:
        """Returns how many jobs of the run are open, and its state, now that `done` succeeded and `failed` did not."""
        row = (await self.session.execute(_SETTLE, {"id": run, "done": list(done), "failed": failed})).one()
        return row.open, row.state

    async def end(self, run: UUID) -> None:
        """The run is done."""
        await self.session.execute(_END, {"id": run})

    async def holding(self, job: UUID, holder: UUID) -> tuple[UUID, Any] | None:
        """Returns the organisation and the spec of a job that runs at `holder`; None when none does."""
        row = (await self.session.execute(_HOLDING, {"job": job, "holder": holder})).one_or_none()
        return None if row is None else (row.organisation_id, row.spec)

    async def states(self, runs: Sequence[UUID]) -> dict[UUID, str]:
        """Returns the states of the runs there are."""
        rows = (await self.session.execute(_STATES, {"ids": list(runs)})).all()
        return {row.id: row.state for row in rows}
