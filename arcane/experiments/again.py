"""Doing again what came of some rows: of an experiment, or of an evaluation. A result's id is its job's id."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, update
from sqlalchemy import select as columns
from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.experiments.words import Again, Status
from arcane.jobs.service.runs import Jobs
from arcane.jobs.words import JobState

_STATUSES: Final = {
    Again.FAILED: (Status.FAILED, Status.CANCELLED),
    Again.ALL: (Status.DONE, Status.FAILED, Status.CANCELLED),
}
_SETTLED: Final = (JobState.DONE, JobState.FAILED, JobState.CANCELLED)


@dataclass(frozen=True, slots=True)
class Repeated:
    """Results that workers may give once more: rows of `table` (with an id and a status) for which `chosen` is true."""

    table: Any
    chosen: ColumnElement[bool]
    nothing: Mapping[str, Any]
    """What stands in a result of which nothing is known."""

    async def begin(self, session: AsyncSession, jobs: Jobs, run_id: UUID, again: Again) -> Counter[Status]:
        """Returns how many results of each status wait for their jobs again, as if nothing had been said; maybe none.

        What somebody else gave in place of a worker is asked of none, whatever became of its job.
        """
        wanted = self._of(again)
        if not await jobs.redrive(session, run_id, wanted, _SETTLED):
            return Counter()
        held = wanted.add_columns(self.table.status).order_by(self.table.id).with_for_update().cte("held")
        forgotten = (
            update(self.table)
            .where(self.table.id == held.c.id)
            .values(status=Status.PENDING.value, **self.nothing)
            .returning(held.c.status)
            .cte("forgotten")
        )
        counts = columns(forgotten.c.status, func.count()).group_by(forgotten.c.status)
        return Counter({Status(status): number for status, number in (await session.execute(counts)).all()})

    def _of(self, again: Again) -> Select[Any]:
        return columns(self.table.id).where(self.chosen, self.table.status.in_([one.value for one in _STATUSES[again]]))
