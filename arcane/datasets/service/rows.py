"""Changes of rows: added, edited, deleted, restored. Each makes a version.

An edit says which version it was made for. It builds on whatever else was changed since, but not on changes of the
very rows it touches: then it is refused, and nobody's work is lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from arcane.datasets.checking import checked_split, checked_values, filled
from arcane.datasets.columns import columns_of
from arcane.datasets.problems import DatasetChanged, DatasetLimit, InvalidDataset, UnknownDataset, UnknownRow
from arcane.datasets.repository.datasets import DatasetRepository
from arcane.datasets.repository.reading import RowReader
from arcane.datasets.service.making import Draft, VersionMaker
from arcane.datasets.views import Change, DatasetRowView, DatasetView, RowDraft, RowEdit, RowsPage
from arcane.kit.actor import Actor
from arcane.kit.ids import new_id


@dataclass(frozen=True, slots=True)
class RowService:
    """Every method takes the actor whose project is meant; ids of other projects are unknown."""

    maker: VersionMaker

    async def add(
        self, actor: Actor, dataset_id: UUID, rows: Sequence[RowDraft], *, change: Change = Change.ADDED, note: str = ""
    ) -> RowsPage:
        """Returns the new rows, after all others; raises InvalidDataset, DatasetLimit, UnknownDataset."""
        self._bounded(len(rows))
        async with self.maker.making(actor, dataset_id, change, note) as draft:
            made = added(draft, rows, self.maker)
            await draft.rows.add(made)
        return RowsPage(draft.base, made, None)

    async def edit(
        self, actor: Actor, dataset_id: UUID, edits: Sequence[RowEdit], version: int | None = None
    ) -> RowsPage:
        """Returns the rows as they are now.

        Raises UnknownRow, InvalidDataset, and DatasetChanged where one of them was changed after `version`.
        """
        self._bounded(len(edits))
        by_row = {edit.row_id: edit for edit in edits}
        if len(by_row) < len(edits):
            raise InvalidDataset("a row is named once in a request")
        async with self.maker.making(actor, dataset_id, Change.EDITED) as draft:
            found = await self._unchanged(draft, list(by_row), version)
            now = [self._edited(draft, row, by_row[row.row_id]) for row in found]
            written = [new for new, old in zip(now, found, strict=True) if new != old]
            if written:
                draft.changed = await draft.rows.close([row.row_id for row in written])
                await draft.rows.add(written)
        return RowsPage(draft.base, now, None)

    async def delete(
        self, actor: Actor, dataset_id: UUID, row_ids: Sequence[UUID], version: int | None = None
    ) -> DatasetView:
        """The rows are not in the newest version; older ones keep them. Raises what `edit` does."""
        self._bounded(len(row_ids))
        async with self.maker.making(actor, dataset_id, Change.DELETED) as draft:
            await self._unchanged(draft, list(dict.fromkeys(row_ids)), version)
            draft.removed = await draft.rows.close(row_ids)
        return DatasetView.of(draft.dataset)

    async def restore(self, actor: Actor, dataset_id: UUID, number: int) -> DatasetView:
        """Version `number` is also the newest; raises UnknownDataset."""
        async with self.maker.making(actor, dataset_id, Change.RESTORED, f"v{number}") as draft:
            version = await DatasetRepository(draft.session).version(draft.dataset, number)
            if version is None:
                raise UnknownDataset("the dataset has no such version")
            if number != draft.dataset.version:
                draft.added, draft.changed, draft.removed = await draft.rows.restore(number)
                draft.columns = columns_of(version.columns)
                draft.is_new = draft.columns != columns_of(draft.dataset.columns)
        return DatasetView.of(draft.dataset)

    async def _unchanged(self, draft: Draft, row_ids: list[UUID], version: int | None) -> Sequence[DatasetRowView]:
        """Returns the rows in the order asked for; raises UnknownRow and DatasetChanged."""
        found = {row.row_id: row for row in await RowReader(draft.session).found(draft.base, row_ids)}
        missing = [row_id for row_id in row_ids if row_id not in found]
        if missing:
            raise UnknownRow("the dataset has no such row; somebody may have deleted it", row_id=str(missing[0]))
        changed = [row for row in found.values() if version is not None and row.from_version > version]
        if changed:
            raise DatasetChanged(
                "somebody else changed the row meanwhile; look at it again",
                row_id=str(changed[0].row_id),
                version=draft.base.version,
            )
        return [found[row_id] for row_id in row_ids]

    def _edited(self, draft: Draft, row: DatasetRowView, edit: RowEdit) -> DatasetRowView:
        values = checked_values(draft.columns, edit.values, self.maker.limits)
        split = row.split if edit.split is None else checked_split(edit.split)
        made = replace(row, values=filled({**row.values, **values}), split=split)
        return row if made == row else replace(made, from_version=draft.rows.version)

    def _bounded(self, count: int) -> None:
        most = self.maker.limits.edits_max
        if not 0 < count <= most:
            raise DatasetLimit(f"one request changes 1 to {most} rows")


def added(
    draft: Draft, rows: Sequence[RowDraft], maker: VersionMaker, origins: Sequence[dict[str, object] | None] = ()
) -> list[DatasetRowView]:
    """Returns the rows that are to be written, counted by the draft; raises InvalidDataset."""
    values = [filled(checked_values(draft.columns, row.values, maker.limits)) for row in rows]
    draft.added += len(rows)
    known = origins or [None] * len(rows)
    return [
        DatasetRowView(new_id(), ordinal, one, checked_split(row.split), origin, draft.rows.version)
        for ordinal, one, row, origin in zip(draft.ordinals(len(rows)), values, rows, known, strict=True)
    ]
