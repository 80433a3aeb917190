"""What the sweeper looks for, inside one transaction of the instance."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.jobs.subject import RunRef

_TURN = text("SELECT pg_try_advisory_xact_lock(hashtext('arcane.jobs.sweep'))")
_CANCELLED = text(
    "SELECT id, organisation_id, project_id, subject_id, kind FROM job_runs "
    "WHERE state = 'cancelled' AND ended_at IS NULL ORDER BY id LIMIT 100"
)
_STUCK = text(
    """
    WITH moving AS (
        SELECT organisation_id, max(claimed_promise) AS promise FROM job_runs
        WHERE claimed_at > now() - make_interval(secs => :stuck_s) GROUP BY organisation_id
    ), picked AS (
        SELECT jobs.id FROM jobs JOIN job_runs ON job_runs.id = jobs.run_id
        LEFT JOIN moving ON moving.organisation_id = jobs.organisation_id
        WHERE job_runs.state = 'running' AND jobs.state IN ('waiting', 'running')
          AND jobs.promised_at < now() - make_interval(secs => :stuck_s)
          AND CASE jobs.state
              WHEN 'running' THEN jobs.claimed_at < now() - make_interval(secs => :stuck_s + job_runs.deadline_s)
              ELSE coalesce(jobs.due_at < now() - make_interval(secs => :stuck_s), true)
                   AND (moving.promise IS NULL OR jobs.promised_at <= moving.promise)
              END
        ORDER BY jobs.promised_at LIMIT :most FOR UPDATE OF jobs SKIP LOCKED
    ), changed AS (
        UPDATE jobs SET promised_at = :moment FROM picked WHERE jobs.id = picked.id RETURNING jobs.run_id
    )
    SELECT run_id, count(*) AS jobs FROM changed GROUP BY run_id
    """
)
"""A job that waits is stuck when no worker of its organisation claims anything, or one that was promised later.

While older ones are handed out it is in its place, however long the queue is.
"""


@dataclass(frozen=True, slots=True)
class SweepRepository:
    """Finds what is left lying."""

    session: AsyncSession

    async def turn(self) -> bool:
        """Returns True when no other process is sweeping, until the transaction ends."""
        found: bool = (await self.session.execute(_TURN)).scalar_one()
        return found

    async def cancelled(self) -> list[RunRef]:
        """Returns runs that were cancelled and have not ended."""
        rows = (await self.session.execute(_CANCELLED)).all()
        return [RunRef(row.id, row.organisation_id, row.project_id, row.subject_id, row.kind) for row in rows]

    async def stuck(self, stuck_s: float, most: int, moment: datetime) -> dict[UUID, int]:
        """Returns how many jobs of each run are to be promised; they say that they are, at `moment`."""
        values = {"stuck_s": stuck_s, "most": most, "moment": moment}
        rows = (await self.session.execute(_STUCK, values)).all()
        return {row.run_id: row.jobs for row in rows}
