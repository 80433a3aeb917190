"""One version of a dataset, for whoever works with its rows: it stays what it is whatever is edited meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, or_
from sqlmodel import col, select

from arcane.datasets.columns import Column
from arcane.datasets.tables import DatasetRow


@dataclass(frozen=True, slots=True)
class PinnedDataset:
    """A version of a dataset: its columns in order, and how many rows it has."""

    organisation_id: UUID
    project_id: UUID
    id: UUID
    name: str
    version: int
    columns: tuple[Column, ...]
    row_count: int

    def column(self, name: str) -> Column | None:
        """Returns the column of that name, None where the version has none."""
        return next((column for column in self.columns if column.name == name), None)

    def named(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Returns a row's values by the names of this version's columns; None where a cell is empty."""
        return {column.name: values.get(column.id) for column in self.columns}

    def rows(self, *, split: str | None = None) -> Select[Any]:
        """Returns `rows_at` for this version."""
        return rows_at(self.id, self.version, split=split)


def alive_at(dataset_id: UUID, version: int) -> ColumnElement[bool]:
    """Returns the condition on `dataset_rows` that makes a version of it."""
    until = col(DatasetRow.until_version)
    return and_(
        col(DatasetRow.dataset_id) == dataset_id,
        col(DatasetRow.from_version) <= version,
        or_(until.is_(None), until > version),
    )


def rows_at(dataset_id: UUID, version: int, *, split: str | None = None) -> Select[Any]:
    """Returns a select of (row_id, ordinal, values, split) of a version, all of it or one split, without an order.

    `values` are by column id (a subquery names them `.c["values"]`: `.c.values` is a method). An ordinal is unique in
    its dataset. INSERT ... SELECT from it, or read it in order of `ordinal`. Row-level security shows nobody else's.
    """
    statement: Any = select(
        col(DatasetRow.row_id), col(DatasetRow.ordinal), col(DatasetRow.values), col(DatasetRow.split)
    ).where(alive_at(dataset_id, version))
    if split is not None:
        statement = statement.where(col(DatasetRow.split) == split)
    narrowed: Select[Any] = statement
    return narrowed
