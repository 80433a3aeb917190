"""How many rows or answers there are, and a few of them to measure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.datasets.pinned import PinnedDataset
from arcane.experiments.tables import ExperimentResult
from arcane.experiments.words import Status


@dataclass(frozen=True, slots=True)
class SampleRepository:
    """Reads within the transaction's tenant."""

    session: AsyncSession

    async def rows(self, rows: Select[Any]) -> int:
        """Returns how many rows there are."""
        return (await self.session.scalars(select(func.count()).select_from(rows.subquery()))).one()

    async def some_rows(self, dataset: PinnedDataset, rows: Select[Any], most: int) -> list[Mapping[str, Any]]:
        """Returns values of the first rows by column name."""
        found = rows.subquery()
        statement = select(found.c["values"]).order_by(found.c.ordinal).limit(most)
        return [dataset.named(values) for values in (await self.session.execute(statement)).scalars()]

    async def answers(self, experiment_ids: Sequence[UUID]) -> int:
        """Returns how many answers there are."""
        statement = select(func.count()).select_from(ExperimentResult).where(*_answered(experiment_ids))
        return (await self.session.scalars(statement)).one()

    async def some_answers(
        self, dataset: PinnedDataset | None, experiment_ids: Sequence[UUID], most: int
    ) -> list[Mapping[str, Any]]:
        """Returns the first answers as `output`, with the values of their rows."""
        statement: Any = (
            select(col(ExperimentResult.row_id), col(ExperimentResult.output))
            .where(*_answered(experiment_ids))
            .order_by(col(ExperimentResult.ordinal))
            .limit(most)
        )
        answers = [(row[0], row[1]) for row in (await self.session.execute(statement)).all()]
        if dataset is None:
            return [{"output": output} for _, output in answers]
        rows = dataset.rows().subquery()
        wanted = select(rows.c.row_id, rows.c["values"]).where(rows.c.row_id.in_([row_id for row_id, _ in answers]))
        values = {row[0]: row[1] for row in (await self.session.execute(wanted)).all()}
        return [{**dataset.named(values.get(row_id, {})), "output": output} for row_id, output in answers]


def _answered(experiment_ids: Sequence[UUID]) -> tuple[Any, ...]:
    result = ExperimentResult
    return col(result.experiment_id).in_(experiment_ids), col(result.status) == Status.DONE.value
