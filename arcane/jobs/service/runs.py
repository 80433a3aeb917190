"""Making runs, and telling them to stop, to go on, or to try again.

All of it happens in the caller's transaction, so that a run and what it is about change together, or not at all.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import Select
from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.jobs.repository.runs import RunRepository
from arcane.jobs.tables import JobRun, JobSpec
from arcane.jobs.words import Created, JobState, Run, RunNotThere, RunState, Unit, UnknownRun
from arcane.kit.announce import Announcer
from arcane.kit.ids import new_id
from arcane.messaging.jobs import QUEUE, JobNotice, Spec
from arcane.messaging.message import Message
from arcane.outbox.service import Outbox
from arcane.settings import JobSettings

PROGRESS_TOPIC: Final = "run"
"""Announced with a run's id when its counters or its state changed."""
STOP_TOPIC: Final = "run-stop"
"""Announced with a run's id when it was paused, cancelled or told to go on."""
TRIED_AGAIN: Final = (JobState.FAILED, JobState.CANCELLED)


@dataclass(frozen=True, slots=True)
class Jobs:
    """The ledger as slices use it."""

    outbox: Outbox
    announcer: Announcer
    settings: JobSettings

    async def create_run(self, session: AsyncSession, run: Run, specs: Sequence[Spec]) -> Created:
        """Returns the new run, without any job; `add` brings them. A run with no job never ends."""
        row = JobRun(
            organisation_id=run.organisation_id,
            project_id=run.project_id,
            kind=run.kind,
            subject_id=run.subject_id,
            created_by=run.created_by,
            deadline_s=run.deadline_s or self.settings.deadline_s,
        )
        session.add(row)
        await session.flush()
        kept = [
            JobSpec(organisation_id=run.organisation_id, run_id=row.id, spec=msgspec.to_builtins(spec, str_keys=True))
            for spec in specs
        ]
        session.add_all(kept)
        await session.flush()
        return Created(row.id, tuple(spec.id for spec in kept))

    async def add(self, session: AsyncSession, run_id: UUID, units: Sequence[Unit] | Select[Any]) -> int:
        """Returns how many jobs were added; their messages are promised. A run that was done goes on.

        `units` selects (id, spec id), both of type uuid, for as many jobs as there are rows, or lists them. An id
        that is a job already is an IntegrityError. Raises UnknownRun, RunNotThere for a run that was cancelled.
        """
        runs = RunRepository(session)
        run = await self._locked(session, run_id)
        if run.state == RunState.CANCELLED:
            raise RunNotThere("the run was cancelled")
        moment = await runs.moment()
        if isinstance(units, Select):
            added = await runs.add_selected(run, units, moment)
        else:
            added = await runs.add_units(run, units, moment)
        if not added:
            return 0
        run.total += added
        if run.state == RunState.DONE:
            run.state, run.ended_at = RunState.RUNNING, None
        await self._promise(session, run, moment)
        await self._changed(session, run)
        return added

    async def cancel(self, session: AsyncSession, run_id: UUID) -> bool:
        """Returns True when the run was going on, or paused: once this commits, no job of it begins or is taken.

        Its open jobs are marked as cancelled afterwards, and `Subject.ended` is called when all are.
        """
        run = await self._locked(session, run_id)
        if run.state not in (RunState.RUNNING, RunState.PAUSED):
            return False
        run.state = RunState.CANCELLED
        await self._changed(session, run, stop=True)
        return True

    async def hold(self, session: AsyncSession, run_id: UUID) -> None:
        """No result of the run is taken until the transaction ends. Raises UnknownRun.

        Results are taken run first, then what the run is about. Who changes both does so in that order, or the two
        wait for each other.
        """
        await self._locked(session, run_id)

    async def pause(self, session: AsyncSession, run_id: UUID) -> bool:
        """Returns True when the run was going on: once this commits, no job of it begins; what runs is finished."""
        run = await self._locked(session, run_id)
        if run.state != RunState.RUNNING:
            return False
        run.state = RunState.PAUSED
        await self._changed(session, run, stop=True)
        return True

    async def resume(self, session: AsyncSession, run_id: UUID) -> bool:
        """Returns True when the run was paused, and goes on."""
        run = await self._locked(session, run_id)
        if run.state != RunState.PAUSED:
            return False
        runs = RunRepository(session)
        moment = await runs.moment()
        run.state = RunState.RUNNING
        if await runs.again(run_id, [JobState.HELD], None, moment):
            await self._promise(session, run, moment)
        await self._changed(session, run, stop=True)
        return True

    async def steer(self, session: AsyncSession, run_id: UUID, to: RunState) -> bool:
        """Returns True when the run now stands as told: paused, running, or cancelled (which `DONE` means, too)."""
        told = {RunState.PAUSED: self.pause, RunState.RUNNING: self.resume}
        return await told.get(to, self.cancel)(session, run_id)

    async def redrive(
        self,
        session: AsyncSession,
        run_id: UUID,
        jobs: Sequence[UUID] | Select[Any] | None = None,
        states: Collection[JobState] = TRIED_AGAIN,
    ) -> int:
        """Returns how many settled jobs of the run are done again, with all of their tries; the run goes on.

        All of the run's in one of `states`, or those of them that `jobs` names, or selects. `DONE` among `states`
        does again what succeeded. Raises UnknownRun.
        """
        run, runs = await self._locked(session, run_id), RunRepository(session)
        if run.state == RunState.CANCELLED and run.done + run.failed + run.cancelled < run.total:
            raise RunNotThere("the run is being cancelled; try again in a moment")
        moment = await runs.moment()
        settled = [state for state in states if state in (JobState.DONE, JobState.FAILED, JobState.CANCELLED)]
        found = await runs.again(run_id, settled, jobs, moment)
        if not found:
            return 0
        run.done -= found.get(JobState.DONE, 0)
        run.failed -= found.get(JobState.FAILED, 0)
        run.cancelled -= found.get(JobState.CANCELLED, 0)
        run.state = RunState.PAUSED if run.state == RunState.PAUSED else RunState.RUNNING
        run.ended_at = None
        await self._promise(session, run, moment)
        await self._changed(session, run, stop=True)
        return sum(found.values())

    async def discard(self, session: AsyncSession, run_id: UUID, jobs: Sequence[UUID] | None = None) -> int:
        """Returns how many dead letters are not listed any more: those that `jobs` names, or all of the run's.

        They stay failed. Raises UnknownRun.
        """
        run = await self._locked(session, run_id)
        found = await RunRepository(session).discard(run_id, jobs)
        await self._changed(session, run)
        return found

    async def promise_ready(self, session: AsyncSession, run_id: UUID, moment: datetime) -> None:
        """Messages about the jobs that were made ready at `moment` are promised."""
        run = await RunRepository(session).found(run_id)
        if run is not None:
            await self._promise(session, run, moment)

    async def _locked(self, session: AsyncSession, run_id: UUID) -> JobRun:
        run = await RunRepository(session).locked(run_id)
        if run is None:
            raise UnknownRun("there is no such run")
        return run

    async def _promise(self, session: AsyncSession, run: JobRun, moment: datetime) -> None:
        ready = RunRepository(session).promised(run.id, moment)
        await self.outbox.promise_each(session, notice(run), ready)

    async def _changed(self, session: AsyncSession, run: JobRun, *, stop: bool = False) -> None:
        session.add(run)
        await session.flush()
        await self.announcer.announce(session, PROGRESS_TOPIC, str(run.id))
        if stop:
            await self.announcer.announce(session, STOP_TOPIC, str(run.id))


def notice(run: JobRun) -> Message:
    """Returns the message about a job of `run`, of which every job gets a copy with its own id."""
    template = new_id()
    body = msgspec.json.encode(JobNotice(job=template, run=run.id))
    return Message(id=template, queue=QUEUE, key=str(run.organisation_id), body=body, correlation_id=str(run.id))
