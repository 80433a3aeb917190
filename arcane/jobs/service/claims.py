"""Handing jobs out: each to the worker that holds its message, with what is to be done and to what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import anyio
import msgspec

from arcane.jobs.repository.claims import ClaimRepository, Holder
from arcane.jobs.service.results import Results
from arcane.jobs.subject import RunRef, Subjects, UnknownKind
from arcane.jobs.words import OPEN, RunState
from arcane.kit.actor import Tenant
from arcane.kit.database import Database
from arcane.kit.logging import get_logger
from arcane.messaging.jobs import (
    ClaimAnswer,
    Claimed,
    ClaimRequest,
    Failed,
    JobError,
    JobResult,
    NotNow,
    Spec,
)
from arcane.settings import JobSettings

log = get_logger("arcane.jobs")

_INSTANCE = Tenant(instance=True)
_STOPPED = {RunState.PAUSED: NotNow.HELD, RunState.CANCELLED: NotNow.CANCELLED}


@dataclass(slots=True)
class _Picked:
    """What became of the jobs of one claim, before their inputs are known."""

    rows: dict[UUID, Any] = field(default_factory=dict)
    not_now: dict[UUID, NotNow] = field(default_factory=dict)
    worn: list[UUID] = field(default_factory=list)
    runs: dict[UUID, Any] = field(default_factory=dict)
    specs: dict[UUID, Spec] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Claims:
    """Hands out jobs."""

    database: Database
    subjects: Subjects
    results: Results
    settings: JobSettings

    async def claim(self, request: ClaimRequest, holder: Holder) -> ClaimAnswer:
        """Returns what there is to do. What has no inputs has failed, in the ledger as well."""
        jobs = list(dict.fromkeys(request.jobs))
        async with self.database.transaction(_INSTANCE) as session:
            picked = await self._pick(ClaimRepository(session), jobs, holder, frozenset(request.known))
        failed = await self._give_up(picked)
        inputs = await self._inputs(picked)
        failed |= await self._fail({job: found for job, found in inputs.items() if isinstance(found, Failed)}, picked)
        claimed = tuple(
            self._claimed(picked, job, found) for job, found in inputs.items() if not isinstance(found, Failed)
        )
        used = {one.spec for one in claimed}
        specs = {spec: picked.specs[spec] for spec in used & picked.specs.keys()}
        return ClaimAnswer(claimed=claimed, not_now=picked.not_now, failed=failed, specs=specs)

    async def _pick(
        self, ledger: ClaimRepository, jobs: Sequence[UUID], holder: Holder, known: frozenset[UUID]
    ) -> _Picked:
        picked = _Picked()
        picked.runs = await ledger.lock_runs_of(jobs)
        held: list[UUID] = []
        promises: dict[UUID, datetime] = {}
        for row in await ledger.lock_jobs(jobs):
            why_not = self._why_not(row, picked)
            if why_not is NotNow.HELD:
                held.append(row.id)
            if why_not is not None:
                picked.not_now[row.id] = why_not
            elif row.claims >= self.settings.claims_max:
                picked.worn.append(row.id)
            else:
                picked.rows[row.id] = row
                promises[row.run_id] = max(promises.get(row.run_id, row.promised_at), row.promised_at)
        if held:
            await ledger.hold(held)
        if picked.rows:
            await ledger.claim(list(picked.rows), promises, holder)
            wanted = {row.spec_id for row in picked.rows.values()} - known
            stored = await ledger.specs(list(wanted)) if wanted else {}
            picked.specs = {spec: msgspec.convert(raw, Spec) for spec, raw in stored.items()}
        gone = set(jobs) - picked.rows.keys() - picked.not_now.keys() - set(picked.worn)
        picked.not_now |= dict.fromkeys(gone, NotNow.UNKNOWN)
        return picked

    def _why_not(self, row: Any, picked: _Picked) -> NotNow | None:
        run = picked.runs.get(row.run_id)
        if run is None:
            return NotNow.UNKNOWN
        if row.state not in OPEN:
            return NotNow.SETTLED
        stopped = _STOPPED.get(RunState(run.state))
        if stopped is not None:
            return stopped
        return NotNow.EARLY if row.early else None

    async def _give_up(self, picked: _Picked) -> dict[UUID, Failed]:
        """Jobs whose workers are lost again and again are not tried for ever."""
        if not picked.worn:
            return {}
        message = f"given up: {self.settings.claims_max} workers were lost with it"
        for job in picked.worn:
            log.warning("job_given_up", job=str(job))
        error = JobError(kind="lost", message=message)
        await self.results.take([_lost(job, error) for job in picked.worn], worker="")
        return dict.fromkeys(picked.worn, Failed(error=message, retry=False))

    async def _inputs(self, picked: _Picked) -> dict[UUID, Mapping[str, Any] | Failed]:
        """Returns the inputs of every job, or why it has none; each run's subject is asked at the same time."""
        by_run: defaultdict[UUID, list[UUID]] = defaultdict(list)
        for row in picked.rows.values():
            by_run[row.run_id].append(row.id)
        found: dict[UUID, Mapping[str, Any] | Failed] = {}

        async def ask(run_id: UUID, jobs: list[UUID]) -> None:
            run = ref_of(picked.runs[run_id])
            try:
                answer = await self.subjects.of(run.kind).inputs(run, jobs)
            except UnknownKind as exc:
                answer = dict.fromkeys(jobs, Failed(error=str(exc), retry=False))
            missing = Failed(error="what it was to be done to is gone", retry=False)
            found.update({job: answer.get(job, missing) for job in jobs})

        async with anyio.create_task_group() as group:
            for run_id, jobs in by_run.items():
                group.start_soon(ask, run_id, jobs)
        return found

    async def _fail(self, failed: Mapping[UUID, Failed], picked: _Picked) -> dict[UUID, Failed]:
        """Returns what the worker is told of each: `retry` when its message goes back for a later try."""
        if not failed:
            return {}
        results = [
            JobResult(
                job=job,
                attempt=picked.rows[job].failures + 1,
                duration_ms=0.0,
                error=JobError(kind="inputs", message=one.error),
                final=not one.retry,
            )
            for job, one in failed.items()
        ]
        again = set(await self.results.take(results, worker=""))
        return {job: Failed(error=one.error, retry=job in again) for job, one in failed.items()}

    def _claimed(self, picked: _Picked, job: UUID, inputs: Mapping[str, Any]) -> Claimed:
        row = picked.rows[job]
        run = picked.runs[row.run_id]
        return Claimed(
            job=job,
            run=row.run_id,
            organisation=run.organisation_id,
            spec=row.spec_id,
            inputs=inputs,
            deadline_s=run.deadline_s,
            attempt=row.failures + 1,
        )


def ref_of(run: Any) -> RunRef:
    """Returns the run as its subject needs it."""
    return RunRef(run.id, run.organisation_id, run.project_id, run.subject_id, run.kind)


def _lost(job: UUID, error: JobError) -> JobResult:
    return JobResult(job=job, attempt=0, duration_ms=0.0, error=error)
