"""Writes the rows of a version that is being made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import TextClause
from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.datasets.repository import statements
from arcane.datasets.tables import Dataset
from arcane.datasets.views import DatasetRowView


@dataclass(frozen=True, slots=True)
class RowWriter:
    """Writes the rows of one version of one dataset."""

    session: AsyncSession
    dataset: Dataset
    version: int

    async def add(self, rows: Sequence[DatasetRowView]) -> None:
        """The rows are part of the version, under their own ids and ordinals."""
        await self._run(
            statements.ADD,
            ids=[row.row_id for row in rows],
            ordinals=[row.ordinal for row in rows],
            values=[_json(row.values) for row in rows],
            splits=[row.split for row in rows],
            origins=["" if row.origin is None else _json(row.origin) for row in rows],
        )

    async def add_lines(self, row_ids: Sequence[UUID], first: int, lines: Sequence[tuple[str, str]]) -> None:
        """The rows, each its split and its values as JSON, are part of the version; the first has ordinal `first`."""
        await self._run(
            statements.ADD,
            ids=list(row_ids),
            ordinals=list(range(first, first + len(lines))),
            values=[values for _, values in lines],
            splits=[split for split, _ in lines],
            origins=[""] * len(lines),
        )

    async def close(self, row_ids: Sequence[UUID]) -> int:
        """The rows are not part of the version; returns how many were there."""
        return len((await self._run(statements.CLOSE, ids=list(row_ids))).all())

    async def close_all(self) -> int:
        """No row of the version before is part of it; returns how many that had."""
        found: int = (await self._run(statements.CLOSE_ALL)).rowcount
        return found

    async def restore(self, wanted: int) -> tuple[int, int, int]:
        """The version is what version `wanted` was; returns how many rows were added, changed and removed."""
        ended, again, both = (await self._run(statements.RESTORE, wanted=wanted)).one()
        return again - both, both, ended - both

    async def assign(self, split: str, row_ids: Sequence[UUID]) -> int:
        """The rows are in the split; returns how many were not before."""
        return self._count(await self._run(statements.ASSIGN_BY_HAND, split=split, ids=list(row_ids)))

    async def assign_by_column(self, column_id: str) -> int:
        """Every row is in the split that its cell names; returns how many were not before."""
        return self._count(await self._run(statements.ASSIGN_BY_COLUMN, column=column_id))

    async def assign_by_chance(self, shares: Sequence[tuple[str, float]], seed: str, *, unassigned: bool) -> int:
        """The rows are in splits of these shares, the same ones for the same seed; returns how many moved."""
        bounds, total = [], 0.0
        for _, share in shares[:-1]:
            total += share
            bounds.append(total)
        names = [name for name, _ in shares]
        return self._count(
            await self._run(statements.ASSIGN_BY_CHANCE, names=names, bounds=bounds, seed=seed, unassigned=unassigned)
        )

    async def _run(self, statement: TextClause, **values: Any) -> Any:
        dataset = self.dataset
        shared = {"organisation": dataset.organisation_id, "project": dataset.project_id, "dataset": dataset.id}
        return await self.session.execute(statement, {**shared, "version": self.version, **values})

    @staticmethod
    def _count(result: Any) -> int:
        found: int = result.scalar_one()
        return found


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
