"""Changes of what a dataset looks like: its columns, and which split each row is in. Each makes a version."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from arcane.datasets.checking import checked_columns, checked_split, filled
from arcane.datasets.columns import BadValue, Column, ColumnType, read, written
from arcane.datasets.problems import DatasetChanged, DatasetLimit, InvalidDataset
from arcane.datasets.repository.reading import RowReader
from arcane.datasets.service.making import Draft, VersionMaker
from arcane.datasets.views import Change, DatasetView, NewColumn
from arcane.kit.actor import Actor
from arcane.settings import DatasetSettings

_BATCH = 500


@dataclass(frozen=True, slots=True)
class ShapeService:
    """Every method takes the actor whose project is meant; ids of other projects are unknown."""

    maker: VersionMaker

    async def columns(
        self, actor: Actor, dataset_id: UUID, columns: Sequence[NewColumn], version: int | None = None
    ) -> DatasetView:
        """The dataset has these columns, in this order; values follow the ids. Values of other types are read anew.

        Raises InvalidDataset where they cannot be, DatasetChanged where the columns changed after `version`.
        """
        limits = self.maker.limits
        async with self.maker.making(actor, dataset_id, Change.COLUMNS) as draft:
            dataset = draft.dataset
            made, dataset.columns_made = checked_columns(columns, draft.columns, dataset.columns_made, limits)
            if version is not None and version != dataset.version:
                raise DatasetChanged("somebody else changed the dataset meanwhile; look at it again")
            known = {column.id: column for column in draft.columns}
            retyped = [one for one in made if one.id in known and known[one.id].type is not one.type]
            draft.is_new = made != draft.columns
            if retyped:
                draft.changed = await _retype(draft, [(known[one.id], one) for one in retyped], limits)
            draft.columns = made
        return DatasetView.of(draft.dataset)

    async def assign(self, actor: Actor, dataset_id: UUID, split: str, row_ids: Sequence[UUID]) -> DatasetView:
        """The rows are in the split, "" for none; raises DatasetLimit, InvalidDataset."""
        if len(row_ids) > self.maker.limits.edits_max:
            raise DatasetLimit(f"one request changes 1 to {self.maker.limits.edits_max} rows")
        name = checked_split(split)
        async with self.maker.making(actor, dataset_id, Change.SPLITS) as draft:
            draft.changed = await draft.rows.assign(name, row_ids)
            await self._few(draft)
        return DatasetView.of(draft.dataset)

    async def assign_by_column(self, actor: Actor, dataset_id: UUID, column: str) -> DatasetView:
        """Every row is in the split that its text in `column` names; raises DatasetLimit, InvalidDataset."""
        async with self.maker.making(actor, dataset_id, Change.SPLITS) as draft:
            source = draft.base.column(column)
            if source is None or source.type is not ColumnType.TEXT:
                raise InvalidDataset("splits are named by a text column of the dataset", column=column)
            most = self.maker.limits.splits_max
            names = await RowReader(draft.session).distinct(draft.base, source.id, most + 2)
            if len([name for name in names if name]) > most:
                raise DatasetLimit(f"a dataset has at most {most} splits; the column has more different texts")
            for name in names:
                checked_split(name)
            draft.changed = await draft.rows.assign_by_column(source.id)
        return DatasetView.of(draft.dataset)

    async def assign_by_chance(
        self, actor: Actor, dataset_id: UUID, shares: dict[str, float], seed: str = "", *, unassigned: bool = False
    ) -> DatasetView:
        """The rows are in splits of these percentages, the same for the same seed and rows.

        With `unassigned`, rows that are in a split stay there. Raises InvalidDataset, DatasetLimit.
        """
        if not shares or len(shares) > self.maker.limits.splits_max:
            raise DatasetLimit(f"a dataset has 1 to {self.maker.limits.splits_max} splits")
        names = [checked_split(name) for name in shares]
        if not all(names) or len(set(names)) < len(names):
            raise InvalidDataset("each share has the name of a split of its own")
        if not all(share > 0 for share in shares.values()) or not math.isclose(sum(shares.values()), 100.0):
            raise InvalidDataset("shares are percentages above 0 that add up to 100")
        async with self.maker.making(actor, dataset_id, Change.SPLITS, seed and f"seed {seed}") as draft:
            parts = [(name, share / 100.0) for name, share in zip(names, shares.values(), strict=True)]
            draft.changed = await draft.rows.assign_by_chance(parts, seed, unassigned=unassigned)
            await self._few(draft)
        return DatasetView.of(draft.dataset)

    async def _few(self, draft: Draft) -> None:
        """The version being made has not too many splits."""
        made = replace(draft.base, version=draft.rows.version)
        if (
            len([name for name, _ in await RowReader(draft.session).splits(made) if name])
            > self.maker.limits.splits_max
        ):
            raise DatasetLimit(f"a dataset has at most {self.maker.limits.splits_max} splits")


async def _retype(draft: Draft, changes: Sequence[tuple[Column, Column]], limits: DatasetSettings) -> int:
    """Every value of the columns is read as the new type; returns how many rows changed. Raises InvalidDataset."""
    reader, after, count = RowReader(draft.session), -1, 0
    while rows := await reader.batch(draft.base, None, after, _BATCH):
        after = rows[-1].ordinal
        made = []
        for row in rows:
            values = dict(row.values)
            for old, new in changes:
                values[new.id] = _reread(row.ordinal, old, new, values.get(old.id), limits)
            if filled(values) != row.values:
                made.append(replace(row, values=filled(values), from_version=draft.rows.version))
        if made:
            count += await draft.rows.close([row.row_id for row in made])
            await draft.rows.add(made)
    return count


def _reread(ordinal: int, old: Column, new: Column, value: Any, limits: DatasetSettings) -> Any:
    try:
        return read(new.type, written(old.type, value), limits.cell_bytes_max)
    except BadValue as exc:
        raise InvalidDataset(f"{new.name}, row {ordinal}: {exc}", column=new.name, ordinal=ordinal) from None
