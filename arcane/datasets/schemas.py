"""What the dataset endpoints take and answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, JsonValue

from arcane.datasets.columns import ColumnType
from arcane.datasets.files.request import ReadAnswer
from arcane.datasets.pinned import PinnedDataset
from arcane.datasets.views import (
    Change,
    DatasetRowView,
    DifferencesPage,
    NewColumn,
    RowDraft,
    RowEdit,
    RowsPage,
    RowsRequest,
)
from arcane.kit.schema import Schema

Name = Annotated[str, Field(min_length=1, max_length=200, examples=["Support questions"])]
Description = Annotated[str, Field(max_length=2_000)]
SplitName = Annotated[str, Field(max_length=200, examples=["test"])]
Version = Annotated[int, Field(ge=1, le=2**31 - 1)]
Base = Annotated[
    Version | None,
    Field(description="The version the change was made for; 409 when what it touches has changed since."),
]
RowIds = Annotated[list[UUID], Field(min_length=1, max_length=10_000)]
Values = Annotated[
    dict[str, JsonValue],
    Field(max_length=1_000, description="By column name.", examples=[{"question": "Where is my order?"}]),
]


class _In(Schema):
    model_config = ConfigDict(extra="forbid")


class _Out(Schema):
    model_config = ConfigDict(from_attributes=True)


class ColumnIn(_In):
    """A column. With the `id` of one that is there, it is that one under this name; its values stay."""

    name: Name
    type: ColumnType = ColumnType.TEXT
    id: Annotated[str | None, Field(max_length=20, examples=["c1"])] = None

    def wanted(self) -> NewColumn:
        """Returns it as the service takes it."""
        return NewColumn(self.name, self.type, self.id)


Columns = Annotated[list[ColumnIn], Field(min_length=1, max_length=1_000)]


class DatasetIn(_In):
    """A new dataset."""

    name: Name
    description: Description = ""
    columns: Columns


class DatasetPatch(_In):
    """What shall be different."""

    name: Name | None = None
    description: Description | None = None


class ColumnsIn(_In):
    """All columns, in their order; those that are not listed are gone from the new version."""

    columns: Columns
    version: Base = None


class RowIn(_In):
    """A new row."""

    values: Values
    split: SplitName = ""


class RowsIn(_In):
    """Rows to add after all others."""

    rows: Annotated[list[RowIn], Field(min_length=1, max_length=10_000)]

    def drafts(self) -> list[RowDraft]:
        """Returns them as the service takes them."""
        return [RowDraft(row.values, row.split) for row in self.rows]


class RowEditIn(_In):
    """Cells that shall be different; null empties one."""

    row_id: UUID
    values: Values = Field(default_factory=dict)
    split: SplitName | None = None


class RowEditsIn(_In):
    """Rows to change; all are, or none is."""

    rows: Annotated[list[RowEditIn], Field(min_length=1, max_length=10_000)]
    version: Base = None

    def edits(self) -> list[RowEdit]:
        """Returns them as the service takes them."""
        return [RowEdit(row.row_id, row.values, row.split) for row in self.rows]


class RowsDeletion(_In):
    """Rows that the next version shall not have."""

    row_ids: RowIds
    version: Base = None


class SplitByHand(_In):
    """Rows that belong in a split; an empty name takes them out of theirs."""

    split: SplitName
    row_ids: RowIds


class SplitByColumn(_In):
    """A text column that names each row's split."""

    column: Name


class SplitByChance(_In):
    """Splits by chance, the same ones for the same seed and rows."""

    shares: Annotated[
        dict[str, float],
        Field(description="Percentages that add up to 100.", examples=[{"train": 80, "test": 20}], max_length=1_000),
    ]
    seed: Annotated[str, Field(max_length=100)] = ""
    only_unassigned: Annotated[bool, Field(description="Rows that are in a split stay there.")] = False


class RowsQuery(_In):
    """Which rows of which version."""

    version: Annotated[Version | None, Field(description="The newest one when it is not named.")] = None
    split: Annotated[str | None, Field(max_length=200, description="Empty: rows in none.")] = None
    search: Annotated[str, Field(max_length=1_000, description="What values have to contain.")] = ""
    sort: Annotated[str, Field(max_length=200, description="A column's name; empty: the order of rows.")] = ""
    order: Literal["asc", "desc"] = "asc"
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: Annotated[str | None, Field(max_length=2048, description="`next` of the page before.")] = None

    def wanted(self) -> RowsRequest:
        """Returns it as the service takes it."""
        return RowsRequest(
            self.version, self.split, self.search, self.sort, self.order == "desc", self.limit, self.cursor
        )


class ColumnOut(_Out):
    """A column."""

    id: str
    name: str
    type: ColumnType


class DatasetOut(_Out):
    """A dataset and its newest version's columns."""

    id: UUID
    name: str
    description: str
    version: int
    columns: list[ColumnOut]
    row_count: int
    created_by: str
    created_at: datetime
    updated_at: datetime


class DatasetPage(_Out):
    """Datasets, by name."""

    items: list[DatasetOut]
    next: str | None


class VersionOut(_Out):
    """A version, and how it differs from the one before."""

    number: int
    change: Change
    note: str
    columns: list[ColumnOut]
    row_count: int
    added: int
    changed: int
    removed: int
    created_by: str
    created_at: datetime


class VersionPage(_Out):
    """Versions, newest first."""

    items: list[VersionOut]
    next: str | None


class RowOut(_Out):
    """A row of a version. A cell without a value is null; `origin` says where a captured row comes from."""

    row_id: UUID
    ordinal: int
    values: dict[str, Any]
    split: str
    origin: dict[str, Any] | None
    from_version: int

    @classmethod
    def of(cls, dataset: PinnedDataset, row: DatasetRowView) -> RowOut:
        """Returns the row with its values by the version's names."""
        return cls(
            row_id=row.row_id,
            ordinal=row.ordinal,
            values=dataset.named(row.values),
            split=row.split,
            origin=None if row.origin is None else dict(row.origin),
            from_version=row.from_version,
        )


class RowsOut(_Out):
    """Rows of one version; `next` goes on in the same one."""

    version: int
    items: list[RowOut]
    next: str | None

    @classmethod
    def of(cls, page: RowsPage) -> RowsOut:
        """Returns the page."""
        rows = [RowOut.of(page.dataset, row) for row in page.rows]
        return cls(version=page.dataset.version, items=rows, next=page.next)


class SplitOut(_Out):
    """A split and how many rows are in it; the empty name is for rows in none."""

    name: str
    rows: int


class Splits(_Out):
    """The splits of a version, by name."""

    items: list[SplitOut]
    next: None

    @classmethod
    def of(cls, found: Sequence[tuple[str, int]]) -> Splits:
        """Returns the splits."""
        return cls(items=[SplitOut(name=name, rows=rows) for name, rows in found], next=None)


class DifferenceOut(_Out):
    """A row that two versions do not have in common: added without `before`, removed without `after`."""

    row_id: UUID
    before: RowOut | None
    after: RowOut | None


class DifferencesOut(_Out):
    """Rows in which two versions differ."""

    items: list[DifferenceOut]
    next: str | None

    @classmethod
    def of(cls, page: DifferencesPage) -> DifferencesOut:
        """Returns the page."""
        items = [
            DifferenceOut(
                row_id=row.row_id,
                before=row.before and RowOut.of(page.older, row.before),
                after=row.after and RowOut.of(page.newer, row.after),
            )
            for row in page.rows
        ]
        return cls(items=items, next=page.next)


class BadRowOut(_Out):
    """A row that cannot be imported."""

    line: int
    column: str
    message: str


class PreviewOut(_Out):
    """What an import would make of a file: nothing is stored."""

    columns: list[ColumnOut]
    rows: int
    bad: int
    problems: list[BadRowOut]
    sample: list[dict[str, Any]]

    @classmethod
    def of(cls, answer: ReadAnswer) -> PreviewOut:
        """Returns the preview, its sample by column names."""
        return cls(
            columns=[ColumnOut.model_validate(column) for column in answer.columns],
            rows=answer.rows,
            bad=answer.bad,
            problems=[BadRowOut.model_validate(one) for one in answer.problems],
            sample=[{column.name: row.get(column.id) for column in answer.columns} for row in answer.sample],
        )
