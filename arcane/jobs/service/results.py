"""Taking results: the first one of a job counts, whoever sends it how often."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import msgspec
from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.jobs.repository.claims import ClaimRepository, FailedTry
from arcane.jobs.service.runs import PROGRESS_TOPIC
from arcane.jobs.subject import RunRef, Subjects, UnknownKind
from arcane.jobs.words import OPEN, JobState, RunState
from arcane.kit.actor import Tenant
from arcane.kit.announce import Announcer
from arcane.kit.clock import Clock
from arcane.kit.database import Database
from arcane.kit.logging import get_logger
from arcane.messaging.broker import RetryPolicy
from arcane.messaging.jobs import JobError, JobResult

log = get_logger("arcane.jobs")

_INSTANCE = Tenant(instance=True)
_EARLIER = 0.9
"""The ledger lets a try begin a little before the broker brings its message: their clocks differ."""
_MESSAGE_MAX = 2_000
_KIND_MAX = 100


@dataclass(slots=True)
class _Sorted:
    """What a batch means for one run: who has a result, and which tries failed."""

    taken: list[JobResult] = field(default_factory=list)
    done: list[UUID] = field(default_factory=list)
    tries: list[FailedTry] = field(default_factory=list)
    again: list[UUID] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Results:
    """Settles jobs."""

    database: Database
    subjects: Subjects
    announcer: Announcer
    clock: Clock
    retries: RetryPolicy

    async def take(self, results: Sequence[JobResult], worker: str) -> list[UUID]:
        """Returns the jobs that are tried again later. All results are in the ledger, and at their subjects.

        Each run is a transaction of its own: results that were taken before something failed are known when the whole
        batch comes again.
        """
        by_job = {result.job: result for result in results}
        async with self.database.transaction(_INSTANCE) as session:
            refs = await ClaimRepository(session).refs_of(list(by_job))
        by_run: defaultdict[RunRef, list[JobResult]] = defaultdict(list)
        for job, run in refs.items():
            by_run[run].append(by_job[job])
        again: list[UUID] = []
        for run, found in sorted(by_run.items(), key=lambda item: item[0].id):
            again += await self._take_of(run, found, worker)
        return again

    async def _take_of(self, run: RunRef, results: Sequence[JobResult], worker: str) -> list[UUID]:
        async with self.database.transaction(run.tenant) as session:
            ledger = ClaimRepository(session)
            if await ledger.lock_run(run.id) in (None, RunState.CANCELLED):
                return []
            rows = {row.id: row for row in await ledger.lock_jobs([result.job for result in results])}
            if worker and any(one.error for one in results) and not await self._keeps_words(session, run):
                results = [_without_words(one) for one in results]
            settled = self._sorted(rows, results, worker)
            if settled.taken:
                try:
                    await self.subjects.of(run.kind).take(session, run, settled.taken)
                except UnknownKind as exc:
                    log.error("results_of_unknown_kind", run=str(run.id), reason=str(exc))
            if settled.tries:
                await ledger.fail(settled.tries)
            if settled.taken:
                await self._settle(ledger, run, settled)
            if settled.taken or settled.tries:
                await self.announcer.announce(session, PROGRESS_TOPIC, str(run.id))
        return settled.again

    async def _keeps_words(self, session: AsyncSession, run: RunRef) -> bool:
        """What this backend says itself never quotes; it comes from no worker, and nobody is asked about it."""
        try:
            return await self.subjects.of(run.kind).keeps_words(session, run)
        except UnknownKind:
            return False

    async def _settle(self, ledger: ClaimRepository, run: RunRef, settled: _Sorted) -> None:
        still_open, state = await ledger.settle(run.id, settled.done, len(settled.taken) - len(settled.done))
        if still_open == 0 and state != RunState.CANCELLED:
            await ledger.end(run.id)
            try:
                await self.subjects.of(run.kind).ended(ledger.session, run)
            except UnknownKind as exc:
                log.error("run_of_unknown_kind_ended", run=str(run.id), reason=str(exc))

    def _sorted(self, rows: dict[UUID, Any], results: Sequence[JobResult], worker: str) -> _Sorted:
        found = _Sorted()
        for result in results:
            row = rows.get(result.job)
            if row is None or row.state not in OPEN:
                continue
            if result.error is None:
                found.done.append(result.job)
                found.taken.append(result)
            elif result.final or result.attempt == row.failures + 1:
                self._failed(found, row, result, worker)
            elif row.state == JobState.WAITING:  # we know this try already
                found.again.append(result.job)
        return found

    def _failed(self, found: _Sorted, row: Any, result: JobResult, worker: str) -> None:
        error = _fit(result.error)
        delay = None if result.final else self.retries.delay_after(row.failures + 1)
        kept = {
            "at": self.clock.now(),
            "attempt": row.failures + 1,
            "worker": worker,
            "kind": error.kind,
            "message": error.message,
        }
        due = None if delay is None else delay * _EARLIER
        found.tries.append(FailedTry(job=result.job, error=kept, delay_s=due))
        if delay is None:
            found.taken.append(msgspec.structs.replace(result, error=error, final=True))
        else:
            found.again.append(result.job)


def _without_words(result: JobResult) -> JobResult:
    if result.error is None:
        return result
    return msgspec.structs.replace(result, error=msgspec.structs.replace(result.error, message=""))


def _fit(error: JobError | None) -> JobError:
    """Returns the error as the database can keep it."""
    if error is None:
        return JobError(kind="unknown", message="")
    kind, message = (part.replace("\x00", "\ufffd") for part in (error.kind, error.message))
    return JobError(kind=kind[:_KIND_MAX], message=message[:_MESSAGE_MAX], usage=error.usage)
