"""The ledger is the truth: what no message speaks of is promised anew, and cancelled runs come to their end."""

from __future__ import annotations

from dataclasses import dataclass, field

import anyio
import anyio.lowlevel

from arcane.jobs.repository.runs import RunRepository
from arcane.jobs.repository.sweep import SweepRepository
from arcane.jobs.service.runs import PROGRESS_TOPIC, STOP_TOPIC, Jobs
from arcane.jobs.subject import RunRef, Subjects, UnknownKind
from arcane.jobs.words import RunState
from arcane.kit.actor import Tenant
from arcane.kit.database import DATABASE_FAILURES, Database
from arcane.kit.logging import get_logger
from arcane.outbox.service import Bell, rung

log = get_logger("arcane.jobs")

_INSTANCE = Tenant(instance=True)
_CANCELLED_AT_ONCE = 5_000
_PROMISED_AT_ONCE = 1_000
_ANY = "any"


@dataclass(frozen=True, slots=True)
class Sweeper:
    """Looks after runs. Any number of backends may run one."""

    database: Database
    jobs: Jobs
    subjects: Subjects
    bell: Bell = field(default_factory=Bell)

    async def run(self) -> None:
        """Sweeps every few seconds, and whenever a run was stopped, until it is cancelled."""
        self.jobs.announcer.subscribe(STOP_TOPIC, lambda _: self.bell.ring(_ANY))
        while True:
            ring = self.bell.next(_ANY)
            try:
                await self.close_cancelled()
                await self.promise_stuck()
            except DATABASE_FAILURES as exc:
                log.warning("jobs_not_swept", reason=type(exc).__name__)
            await rung(ring, self.jobs.settings.sweep_s)

    async def close_cancelled(self) -> None:
        """Every run that was cancelled has only settled jobs, and has ended."""
        async with self.database.transaction(_INSTANCE) as session:
            runs = await SweepRepository(session).cancelled()
        for run in runs:
            while await self._close(run):
                await anyio.lowlevel.checkpoint()

    async def _close(self, run: RunRef) -> bool:
        """Returns True when there may be more to cancel."""
        async with self.database.transaction(run.tenant) as session:
            runs = RunRepository(session)
            row = await runs.locked(run.id, skip=True)
            if row is None or row.state != RunState.CANCELLED or row.ended_at is not None:
                return False
            cancelled = await runs.cancel_open(run.id, _CANCELLED_AT_ONCE)
            row.cancelled += cancelled
            over = row.done + row.failed + row.cancelled >= row.total
            if over:
                row.ended_at = await runs.moment()
            session.add(row)
            await session.flush()
            if over:
                try:
                    await self.subjects.of(run.kind).ended(session, run)
                except UnknownKind as exc:
                    log.error("run_of_unknown_kind_ended", run=str(run.id), reason=str(exc))
            await self.jobs.announcer.announce(session, PROGRESS_TOPIC, str(run.id))
        return not over and cancelled > 0

    async def promise_stuck(self) -> int:
        """Returns how many jobs got a new message, because no worker will hear of the one they had."""
        promised = 0
        async with self.database.transaction(_INSTANCE) as session:
            sweep = SweepRepository(session)
            if not await sweep.turn():
                return 0
            moment = await RunRepository(session).moment()
            found = await sweep.stuck(self.jobs.settings.stuck_s, _PROMISED_AT_ONCE, moment)
            for run_id, jobs in found.items():
                await self.jobs.promise_ready(session, run_id, moment)
                promised += jobs
        if promised:
            log.warning("jobs_promised_anew", jobs=promised, runs=len(found))
        return promised
