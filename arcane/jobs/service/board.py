"""The ledger as people see it: runs and jobs in lists, and what can be told to them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

import anyio
import structlog
from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.audit.service import AuditLog
from arcane.jobs.repository.lists import ListRepository
from arcane.jobs.service.runs import PROGRESS_TOPIC, Jobs
from arcane.jobs.subject import RunRef, Subjects, UnknownKind
from arcane.jobs.words import JobFilter, JobState, JobView, RunState, RunView, UnknownRun
from arcane.kit.actor import Actor
from arcane.kit.database import Database
from arcane.kit.pagination import Cursors, Page, PageRequest
from arcane.outbox.service import Bell

log = structlog.get_logger("arcane.jobs")
Order = Literal["pause", "resume", "cancel"]
_TOLD = {"pause": "paused", "resume": "resumed", "cancel": "cancelled"}
_STATES = {"pause": RunState.PAUSED, "resume": RunState.RUNNING, "cancel": RunState.CANCELLED}
_LOOK_EVERY_S = 15.0
_AT_MOST_EVERY_S = 0.5


@dataclass(frozen=True, slots=True)
class JobBoard:
    """Every method takes the actor whose project is meant; ids of other projects are unknown."""

    database: Database
    audit: AuditLog
    cursors: Cursors
    jobs: Jobs
    subjects: Subjects
    bell: Bell = field(default_factory=Bell)

    def __post_init__(self) -> None:
        self.jobs.announcer.subscribe(PROGRESS_TOPIC, self.bell.ring)

    async def runs(self, actor: Actor, request: PageRequest, state: RunState | None = None) -> Page[RunView]:
        """Returns a page of runs, newest first."""
        async with self.database.transaction(actor.tenant) as session:
            return await ListRepository(session).runs(actor, request, self.cursors, state)

    async def run(self, actor: Actor, run_id: UUID) -> RunView:
        """Returns one run; raises UnknownRun."""
        async with self.database.transaction(actor.tenant) as session:
            return await self._found(session, actor, run_id)

    async def list(self, actor: Actor, request: PageRequest, asked: JobFilter) -> Page[JobView]:
        """Returns a page of jobs with the history of their errors, newest first."""
        async with self.database.transaction(actor.tenant) as session:
            return await ListRepository(session).jobs(actor, request, self.cursors, asked)

    async def tell(self, actor: Actor, run_id: UUID, order: Order) -> RunView:
        """Returns the run as it stands after the order; one that does not apply changes nothing.

        What the run is for stands the same way. Raises UnknownRun, and what its subject says against the order.
        """
        async with self.database.transaction(actor.tenant) as session:
            before = await self._found(session, actor, run_id)
            if await self.jobs.steer(session, run_id, _STATES[order]):
                after = await self._found(session, actor, run_id)
                await self._tell_subject(session, after)
                states = {"state": before.state.value}, {"state": after.state.value}
                await self.audit.record(session, actor, f"run.{_TOLD[order]}", ("run", run_id), *states)
                return after
        return before

    async def redrive(self, actor: Actor, run_id: UUID, jobs: Sequence[UUID] | None) -> int:
        """Returns how many failed jobs of the run are tried again: those that are named, or all dead letters."""
        async with self.database.transaction(actor.tenant) as session:
            await self._found(session, actor, run_id)
            found = await self.jobs.redrive(session, run_id, jobs, [JobState.FAILED])
            if found:
                await self._tell_subject(session, await self._found(session, actor, run_id))
                await self.audit.record(session, actor, "run.redriven", ("run", run_id), after={"jobs": found})
        return found

    async def discard(self, actor: Actor, run_id: UUID, jobs: Sequence[UUID] | None) -> int:
        """Returns how many dead letters of the run are not listed any more: those that are named, or all."""
        async with self.database.transaction(actor.tenant) as session:
            await self._found(session, actor, run_id)
            found = await self.jobs.discard(session, run_id, jobs)
            if found:
                await self.audit.record(session, actor, "run.discarded", ("run", run_id), after={"jobs": found})
        return found

    async def progress(self, actor: Actor, run_id: UUID) -> AsyncGenerator[RunView, None]:
        """Yields the run now and whenever it changed, at most twice a second, until it has ended."""
        last: RunView | None = None
        while True:
            run = await self.run(actor, run_id)
            if run != last:
                last = run
                yield run
            if run.open == 0 and run.state in (RunState.DONE, RunState.CANCELLED):
                return
            await anyio.sleep(_AT_MOST_EVERY_S)
            await self.bell.wait(str(run_id), _LOOK_EVERY_S)

    async def _tell_subject(self, session: AsyncSession, run: RunView) -> None:
        ref = RunRef(run.id, run.organisation_id, run.project_id, run.subject_id, run.kind)
        try:
            await self.subjects.of(run.kind).told(session, ref, run.state)
        except UnknownKind as exc:
            log.error("told_run_of_unknown_kind", run=str(run.id), reason=str(exc))

    async def _found(self, session: AsyncSession, actor: Actor, run_id: UUID) -> RunView:
        session.expire_all()
        found = await ListRepository(session).run(actor, run_id)
        if found is None:
            raise UnknownRun("there is no such run")
        return found
