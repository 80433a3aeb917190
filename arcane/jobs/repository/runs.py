"""Runs and the jobs put into them, inside one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, insert, literal, select, text, update
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.jobs.tables import Job, JobRun, JobSpec
from arcane.jobs.words import JobState, Unit

_BATCH = 5_000
_COLUMNS = ["id", "spec_id", "created_at", "organisation_id", "run_id", "state"]
_COLUMNS += ["failures", "claims", "errors", "worker", "promised_at"]
_ADD = text(
    "INSERT INTO jobs (id, spec_id, created_at, organisation_id, run_id, state, "
    "failures, claims, errors, worker, promised_at) "
    "SELECT id, spec_id, now(), :organisation_id, :run_id, 'waiting', 0, 0, '[]'::jsonb, '', :moment "
    "FROM unnest(CAST(:ids AS uuid[]), CAST(:spec_ids AS uuid[])) AS given(id, spec_id)"
)
_UNTRIED = {"failures": 0, "claims": 0, "due_at": None, "settled_at": None, "discarded_at": None}
_CANCEL_OPEN = text(
    "WITH picked AS (SELECT id FROM jobs WHERE run_id = :run_id AND state IN ('waiting', 'running', 'held') "
    "ORDER BY id LIMIT :most FOR UPDATE) "
    "UPDATE jobs SET state = 'cancelled', settled_at = now(), holder = NULL FROM picked WHERE jobs.id = picked.id"
)
_DISCARD = text(
    "UPDATE jobs SET discarded_at = now() WHERE run_id = :run_id AND state = 'failed' AND discarded_at IS NULL "
    "AND (CAST(:ids AS uuid[]) IS NULL OR id = ANY(CAST(:ids AS uuid[])))"
)


@dataclass(frozen=True, slots=True)
class RunRepository:
    """Changes runs. Whoever changes the jobs of a run holds the run's lock first."""

    session: AsyncSession

    async def locked(self, run_id: UUID, *, skip: bool = False) -> JobRun | None:
        """Returns the run, kept from others until the transaction ends; None when there is none (or it is skipped)."""
        statement = select(JobRun).where(col(JobRun.id) == run_id)
        statement = statement.with_for_update(key_share=True, skip_locked=skip)
        found: JobRun | None = (
            await self.session.scalars(statement.execution_options(populate_existing=True))
        ).one_or_none()
        return found

    async def found(self, run_id: UUID) -> JobRun | None:
        """Returns the run; None when there is none."""
        return await self.session.get(JobRun, run_id)

    async def moment(self) -> datetime:
        """Returns a time that no other change of these runs has."""
        found: datetime = (await self.session.scalars(select(func.clock_timestamp()))).one()
        return found

    def add_run(self, run: JobRun, specs: Sequence[JobSpec]) -> None:
        """The run and its specs are there when the session is flushed."""
        self.session.add(run)
        self.session.add_all(specs)

    async def add_units(self, run: JobRun, units: Sequence[Unit], moment: datetime) -> int:
        """Returns how many jobs were added."""
        for start in range(0, len(units), _BATCH):
            batch = units[start : start + _BATCH]
            values = {
                "organisation_id": run.organisation_id,
                "run_id": run.id,
                "moment": moment,
                "ids": [unit.id for unit in batch],
                "spec_ids": [unit.spec_id for unit in batch],
            }
            await self.session.execute(_ADD, values)
        return len(units)

    async def add_selected(self, run: JobRun, units: Select[Any], moment: datetime) -> int:
        """Returns how many jobs were added: one for each row of `units` (its id, and a spec's)."""
        given = units.subquery()
        identifier, spec = list(given.c)[:2]
        row = select(
            identifier,
            spec,
            func.now(),
            literal(run.organisation_id),
            literal(run.id),
            literal(JobState.WAITING.value),
            literal(0),
            literal(0),
            text("'[]'::jsonb"),
            literal(""),
            literal(moment),
        )
        result = await self.session.execute(insert(Job).from_select(_COLUMNS, row, include_defaults=False))
        return _changed(result)

    def promised(self, run_id: UUID, moment: datetime) -> Select[UUID]:
        """Selects the ids of the run's jobs that were made ready at `moment`."""
        return select(col(Job.id)).where(col(Job.run_id) == run_id, col(Job.promised_at) == moment)

    async def again(
        self, run_id: UUID, states: Iterable[JobState], ids: Sequence[UUID] | Select[Any] | None, moment: datetime
    ) -> dict[JobState, int]:
        """Returns how many jobs of each state wait again; of those that were discarded only the ones that are named."""
        in_states = col(Job.state).in_([state.value for state in states])
        named = col(Job.discarded_at).is_(None) if ids is None else col(Job.id).in_(ids)
        picked = select(col(Job.id), col(Job.state)).where(col(Job.run_id) == run_id, in_states, named)
        held = picked.order_by(col(Job.id)).with_for_update().cte("held")
        changed = (
            update(Job)
            .where(col(Job.id) == held.c.id)
            .values(state=JobState.WAITING.value, promised_at=moment, **_UNTRIED)
            .returning(held.c.state)
            .cte("changed")
        )
        counts = select(changed.c.state, func.count()).group_by(changed.c.state)
        return {JobState(state): jobs for state, jobs in (await self.session.execute(counts)).all()}

    async def cancel_open(self, run_id: UUID, most: int) -> int:
        """Returns how many open jobs of the run are cancelled now."""
        return _changed(await self.session.execute(_CANCEL_OPEN, {"run_id": run_id, "most": most}))

    async def discard(self, run_id: UUID, ids: Sequence[UUID] | None) -> int:
        """Returns how many dead letters of the run are not listed any more."""
        values = {"run_id": run_id, "ids": None if ids is None else list(ids)}
        return _changed(await self.session.execute(_DISCARD, values))


def _changed(result: Any) -> int:
    return int(result.rowcount)
