"""What is asked of a process that converts a file, and what it answers: plain JSON over its pipes."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec


class Format(StrEnum):
    """What a file is."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"


class ReadRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Read the file at `path`, check it, and write its rows to `out` ("" only looks).

    `types` are by column name where they are not to be inferred; `ids` are those of columns that are there, and
    columns that are not get ids after `ids_made`.
    """

    path: str
    format: Format
    out: str = ""
    delimiter: str = ""
    types: Mapping[str, str] = {}
    ids: Mapping[str, str] = {}
    ids_made: int = 0
    rows_max: int
    columns_max: int
    cell_bytes_max: int
    problems_max: int
    sample: int = 0


class ReadColumn(msgspec.Struct, frozen=True):
    """A column of the file."""

    id: str
    name: str
    type: str


class BadRow(msgspec.Struct, frozen=True):
    """A row that cannot be imported: where it begins, and why."""

    line: int
    column: str
    message: str


class ReadAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What the file holds. `bad` counts all rows with problems, `problems` has the first; `error` is about the file."""

    columns: tuple[ReadColumn, ...] = ()
    rows: int = 0
    bad: int = 0
    problems: tuple[BadRow, ...] = ()
    sample: tuple[dict[str, Any], ...] = ()
    has_splits: bool = False
    error: str = ""


class UnreadableFile(Exception):
    """The file as a whole cannot be read. The message is one sentence that is safe to show."""
