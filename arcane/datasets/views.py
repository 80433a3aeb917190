"""What the dataset services take and return."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from arcane.datasets.columns import Column, ColumnType, columns_of
from arcane.datasets.pinned import PinnedDataset
from arcane.datasets.tables import Dataset, DatasetVersion


class Change(StrEnum):
    """What made a version."""

    CREATED = "created"
    ADDED = "rows_added"
    EDITED = "rows_edited"
    DELETED = "rows_deleted"
    COLUMNS = "columns_changed"
    SPLITS = "splits_assigned"
    IMPORTED = "imported"
    REPLACED = "replaced"
    CAPTURED = "captured"
    RESTORED = "restored"


@dataclass(frozen=True, slots=True)
class NewColumn:
    """A column as it is wanted: with an id one that is there, under this name and in this place from now on."""

    name: str
    type: ColumnType = ColumnType.TEXT
    id: str | None = None


@dataclass(frozen=True, slots=True)
class DatasetView:
    """A dataset and its newest version's columns. `columns_made`: how many ids of columns were ever given."""

    id: UUID
    name: str
    description: str
    version: int
    columns: tuple[Column, ...]
    columns_made: int
    row_count: int
    created_by: str
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: Dataset) -> DatasetView:
        """Returns what may be seen of `row`."""
        return cls(
            row.id,
            row.name,
            row.description,
            row.version,
            columns_of(row.columns),
            row.columns_made,
            row.row_count,
            row.created_by,
            row.created_at,
            row.updated_at,
        )


@dataclass(frozen=True, slots=True)
class VersionView:
    """A version, and how it differs from the one before."""

    number: int
    change: Change
    note: str
    columns: tuple[Column, ...]
    row_count: int
    added: int
    changed: int
    removed: int
    created_by: str
    created_at: datetime

    @classmethod
    def of(cls, row: DatasetVersion) -> VersionView:
        """Returns what may be seen of `row`."""
        return cls(
            row.number,
            Change(row.change),
            row.note,
            columns_of(row.columns),
            row.row_count,
            row.added,
            row.changed,
            row.removed,
            row.created_by,
            row.created_at,
        )


@dataclass(frozen=True, slots=True)
class DatasetRowView:
    """A row of a version. `values` are by column id; `from_version` is where it became what it is."""

    row_id: UUID
    ordinal: int
    values: Mapping[str, Any]
    split: str
    origin: Mapping[str, Any] | None
    from_version: int


@dataclass(frozen=True, slots=True)
class RowDraft:
    """A row to be: values by column name."""

    values: Mapping[str, Any]
    split: str = ""


@dataclass(frozen=True, slots=True)
class RowEdit:
    """Cells of a row that shall be different, by column name; None empties one. A split of None stays."""

    row_id: UUID
    values: Mapping[str, Any]
    split: str | None = None


@dataclass(frozen=True, slots=True)
class RowsRequest:
    """Which rows of which version, the newest where none is named. `sort` is a column's name, "" the order of rows."""

    version: int | None = None
    split: str | None = None
    search: str = ""
    sort: str = ""
    descending: bool = False
    limit: int = 50
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class RowsPage:
    """Rows of one version, and the cursor of those that follow in the same version."""

    dataset: PinnedDataset
    rows: Sequence[DatasetRowView]
    next: str | None


@dataclass(frozen=True, slots=True)
class NumberedPage:
    """Rows of one version by the number of their page."""

    dataset: PinnedDataset
    rows: Sequence[DatasetRowView]
    page: int
    limit: int
    total: int

    @property
    def pages(self) -> int:
        """How many pages there are; one of an empty list."""
        return max(1, -(-self.total // self.limit))


@dataclass(frozen=True, slots=True)
class RowDifference:
    """A row that two versions do not have in common: `before` is None where it was added, `after` where removed."""

    row_id: UUID
    before: DatasetRowView | None
    after: DatasetRowView | None


@dataclass(frozen=True, slots=True)
class DifferencesPage:
    """Rows in which a version differs from another."""

    older: PinnedDataset
    newer: PinnedDataset
    rows: Sequence[RowDifference]
    next: str | None
