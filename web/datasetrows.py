"""Cells of datasets as pages show them: short enough for a grid, whole where they are edited."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from arcane.datasets.columns import Column, ColumnType, written
from arcane.datasets.pinned import PinnedDataset
from arcane.datasets.views import DatasetRowView

LONGEST = 200
"""Characters of a cell that a grid shows; the rest is a row's page."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of the grid. `whole`: what is shown is all there is, so it can be edited where it stands."""

    column: Column
    text: str
    whole: bool

    @property
    def in_place(self) -> bool:
        """True when it is edited where it stands."""
        return self.whole and self.column.type in (ColumnType.TEXT, ColumnType.NUMBER) and "\n" not in self.text


@dataclass(frozen=True, slots=True)
class GridRow:
    """A row of the grid."""

    id: UUID
    number: int
    cells: tuple[Cell, ...]
    split: str
    captured: bool


@dataclass(frozen=True, slots=True)
class EditedCell:
    """A cell in the form of one row."""

    column: Column
    name: str
    text: str
    error: str = ""

    @property
    def lines(self) -> int:
        """How tall its field is."""
        return min(16, max(2 if self.column.type is ColumnType.TEXT else 4, self.text.count("\n") + 1))


def grid_row(dataset: PinnedDataset, row: DatasetRowView) -> GridRow:
    """Returns the row as the grid shows it."""
    cells = tuple(_cell(column, row.values.get(column.id)) for column in dataset.columns)
    return GridRow(row.row_id, row.ordinal, cells, row.split, row.origin is not None)


def edited(dataset: PinnedDataset, row: DatasetRowView | None) -> tuple[EditedCell, ...]:
    """Returns the cells as they stand in a form; empty ones of a new row."""
    values = row.values if row is not None else {}
    return tuple(
        EditedCell(column, f"cell:{column.id}", whole(column, values.get(column.id))) for column in dataset.columns
    )


def whole(column: Column, value: Any) -> str:
    """Returns the cell as it is edited: JSON with line ends."""
    if value is None or column.type in (ColumnType.TEXT, ColumnType.NUMBER):
        return written(column.type, value)
    return json.dumps(value, ensure_ascii=False, indent=2)


def _cell(column: Column, value: Any) -> Cell:
    if column.type is ColumnType.MESSAGES and isinstance(value, list):
        text = " · ".join(f"{one.get('role', '')}: {_said(one)}" for one in value[:8] if isinstance(one, dict))
        return Cell(column, text[:LONGEST], whole=False)
    text = written(column.type, value)
    return Cell(column, text[:LONGEST], whole=len(text) <= LONGEST)


def _said(message: dict[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, str):
        return content[:LONGEST]
    return json.dumps(content if content is not None else message.get("tool_calls"), ensure_ascii=False)[:LONGEST]
