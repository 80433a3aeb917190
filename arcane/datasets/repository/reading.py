"""Selects the rows of versions: pages by key and by number, what a version differs in, and all of it in batches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Select, Text, and_, cast, func, literal, or_, text, tuple_
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.datasets.columns import parsed
from arcane.datasets.pinned import PinnedDataset, alive_at
from arcane.datasets.tables import DatasetRow
from arcane.datasets.views import DatasetRowView, RowDifference, RowsRequest
from arcane.kit.pagination import BadCursor

_ESCAPED = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_"})
_PATIENCE = text("SELECT set_config('statement_timeout', :patience, true)")
_MATCHES = text(
    "EXISTS (SELECT 1 FROM jsonb_each_text(dataset_rows.values) AS cell "
    "WHERE cell.key = ANY(CAST(:searched AS text[])) AND cell.value ILIKE :pattern)"
)
_NOTHING: Any = literal("null", Text).cast(JSONB)


@dataclass(frozen=True, slots=True)
class RowReader:
    """Reads versions that were found (`PinnedDataset`), so whoever asks may see them."""

    session: AsyncSession

    async def bounded(self, patience_s: float) -> None:
        """From now on a statement of this transaction fails when it takes longer."""
        await self.session.execute(_PATIENCE, {"patience": f"{int(patience_s * 1_000)}ms"})

    async def after(self, pinned: PinnedDataset, request: RowsRequest, last: UUID | None) -> Sequence[DatasetRowView]:
        """Returns rows in the request's order after row `last`, one more than the page has."""
        key = _sort_key(pinned, request)
        statement = self._matching(pinned, request)
        if last is not None:
            bound = tuple_(*await self._place(pinned, request, last))
            statement = statement.where(tuple_(*key) < bound if request.descending else tuple_(*key) > bound)
        order = [column.desc() if request.descending else column.asc() for column in key]
        return _views((await self.session.execute(statement.order_by(*order).limit(request.limit + 1))).all())

    async def _place(self, pinned: PinnedDataset, request: RowsRequest, last: UUID) -> list[Any]:
        """Where a row stands in the order: a cursor names the row only, for a cell may be long."""
        *cell, ordinal = _sort_key(pinned, request)
        statement = select(ordinal, *(cast(one, Text) for one in cell)).where(
            alive_at(pinned.id, pinned.version), col(DatasetRow.row_id) == last
        )
        found = (await self.session.execute(statement)).one_or_none()
        if found is None:
            raise BadCursor("the cursor belongs to another list")
        return [*(literal(one, Text).cast(JSONB) for one in found[1:]), literal(found[0], BigInteger)]

    async def numbered(self, pinned: PinnedDataset, request: RowsRequest, page: int) -> Sequence[DatasetRowView]:
        """Returns the rows of page number `page`, which begins at 1."""
        order = [column.desc() if request.descending else column.asc() for column in _sort_key(pinned, request)]
        statement = self._matching(pinned, request).order_by(*order).limit(request.limit)
        return _views((await self.session.execute(statement.offset((page - 1) * request.limit))).all())

    async def count(self, pinned: PinnedDataset, request: RowsRequest) -> int:
        """Returns how many rows match; the whole version is known without looking."""
        if not request.search and request.split is None:
            return pinned.row_count
        matching = self._matching(pinned, request).subquery()
        return (await self.session.scalars(select(func.count()).select_from(matching))).one()

    async def found(self, pinned: PinnedDataset, row_ids: Iterable[UUID]) -> Sequence[DatasetRowView]:
        """Returns those of the rows that the version has."""
        statement = _revisions().where(alive_at(pinned.id, pinned.version), col(DatasetRow.row_id).in_(list(row_ids)))
        return _views((await self.session.execute(statement)).all())

    async def batch(self, pinned: PinnedDataset, split: str | None, after: int, limit: int) -> Sequence[DatasetRowView]:
        """Returns the next rows by ordinal, for reading a version from one end to the other."""
        statement = _revisions().where(alive_at(pinned.id, pinned.version), col(DatasetRow.ordinal) > after)
        if split is not None:
            statement = statement.where(col(DatasetRow.split) == split)
        return _views((await self.session.execute(statement.order_by(col(DatasetRow.ordinal)).limit(limit))).all())

    async def splits(self, pinned: PinnedDataset) -> Sequence[tuple[str, int]]:
        """Returns the splits of a version with their numbers of rows, by name."""
        statement = (
            select(col(DatasetRow.split), func.count())
            .where(alive_at(pinned.id, pinned.version))
            .group_by(col(DatasetRow.split))
            .order_by(col(DatasetRow.split))
        )
        return [(split, count) for split, count in (await self.session.execute(statement)).all()]

    async def distinct(self, pinned: PinnedDataset, column_id: str, most: int) -> Sequence[str]:
        """Returns the different texts of a column, at most `most`."""
        cell = func.btrim(func.coalesce(col(DatasetRow.values)[column_id].astext, ""))
        statement = select(cell).where(alive_at(pinned.id, pinned.version)).distinct().limit(most)
        return list((await self.session.scalars(statement)).all())

    async def differences(
        self, older: PinnedDataset, newer: PinnedDataset, after: tuple[int, UUID] | None, limit: int
    ) -> Sequence[RowDifference]:
        """Returns rows that the versions do not have in common, in the order of rows."""
        before, now = (_changed_side(one, other) for one, other in ((older, newer), (newer, older)))
        row_id = func.coalesce(before.c.row_id, now.c.row_id)
        ordinal = func.coalesce(before.c.ordinal, now.c.ordinal)
        statement: Any = select(before, now).select_from(
            before.outerjoin(now, before.c.row_id == now.c.row_id, full=True)
        )
        statement = statement.where(
            or_(
                before.c.row_id.is_(None),
                now.c.row_id.is_(None),
                before.c["values"] != now.c["values"],
                before.c.split != now.c.split,
            )
        )
        if after is not None:
            statement = statement.where(tuple_(ordinal, row_id) > tuple_(literal(after[0]), literal(after[1])))
        rows = (await self.session.execute(statement.order_by(ordinal, row_id).limit(limit))).all()
        return [_difference(row) for row in rows]

    def _matching(self, pinned: PinnedDataset, request: RowsRequest) -> Select[Any]:
        statement = _revisions().where(alive_at(pinned.id, pinned.version))
        if request.split is not None:
            statement = statement.where(col(DatasetRow.split) == request.split)
        if request.search:
            pattern = f"%{request.search.translate(_ESCAPED)}%"
            searched = [column.id for column in pinned.columns]
            statement = statement.where(_MATCHES.bindparams(searched=searched, pattern=pattern))
        return statement


def _revisions() -> Select[Any]:
    return select(  # type: ignore[call-overload, no-any-return]
        col(DatasetRow.row_id),
        col(DatasetRow.ordinal),
        cast(col(DatasetRow.values), Text).label("values"),
        col(DatasetRow.split),
        col(DatasetRow.origin),
        col(DatasetRow.from_version),
    )


def _alive(table: Any, pinned: PinnedDataset) -> ColumnElement[bool]:
    until = table.until_version
    return and_(
        table.dataset_id == pinned.id,
        table.from_version <= pinned.version,
        or_(until.is_(None), until > pinned.version),
    )


def _sort_key(pinned: PinnedDataset, request: RowsRequest) -> list[Any]:
    """What the order goes by; an ordinal is unique, so it ends every order."""
    column = pinned.column(request.sort) if request.sort else None
    if column is None:
        return [col(DatasetRow.ordinal)]
    cell = col(DatasetRow.values)[column.id]
    return [func.coalesce(cell, _NOTHING), col(DatasetRow.ordinal)]


def _changed_side(one: PinnedDataset, other: PinnedDataset) -> Any:
    """The revisions of `one` that are not the very same in `other`."""
    revision = aliased(DatasetRow)
    same = _alive(revision, other)
    return (
        select(  # type: ignore[call-overload]
            revision.row_id,
            revision.ordinal,
            cast(revision.values, Text).label("values"),
            revision.split,
            revision.origin,
            revision.from_version,
        )
        .where(_alive(revision, one), ~same)
        .subquery()
    )


def _difference(row: Any) -> RowDifference:
    width = len(row) // 2
    before, after = row[:width], row[width:]
    sides = [None if side[0] is None else _view(side) for side in (before, after)]
    return RowDifference(before[0] or after[0], *sides)


def _views(rows: Iterable[Any]) -> Sequence[DatasetRowView]:
    return [_view(row) for row in rows]


def _view(row: Any) -> DatasetRowView:
    row_id, ordinal, values, split, origin, from_version = row
    return DatasetRowView(row_id, ordinal, parsed(values), split, origin, from_version)
