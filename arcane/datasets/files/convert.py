"""Reads a file for an import, in a process of its own: `python -m arcane.datasets.files.convert` with a ReadRequest.

The first pass finds columns, their types and every row that is bad; the second writes rows as they are stored. Both
hold one record at a time. What a broken or hostile file costs, it costs here and not in the backend.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from arcane.datasets.columns import SPLIT, BadValue, ColumnType, checked, read, unprintable
from arcane.datasets.files.inference import Inference
from arcane.datasets.files.records import CsvRecords, JsonlRecords, Record, Records, as_line
from arcane.datasets.files.request import BadRow, Format, ReadAnswer, ReadColumn, ReadRequest, UnreadableFile


@dataclass(slots=True)
class Reading:
    """What is known of the file so far."""

    request: ReadRequest
    records: Records
    inferred: dict[str, Inference] = field(default_factory=dict)
    given: dict[str, ColumnType] = field(default_factory=dict)
    order: dict[str, None] = field(default_factory=dict)
    rows: int = 0
    bad: int = 0
    problems: list[BadRow] = field(default_factory=list)
    has_splits: bool = False

    def look(self) -> None:
        """Every record was looked at once; raises UnreadableFile."""
        given = {**self.records.types, **self.request.types}
        self.given = {name: ColumnType(kind) for name, kind in given.items()}
        for name in self.records.header() or ():
            self._column(name)
        for record in self.records:
            self.rows += 1
            if self.rows > self.request.rows_max:
                raise UnreadableFile(f"a dataset has at most {self.request.rows_max} rows")
            for column, message in self._wrong(record):
                self._bad(record.line, column, message)
                break
        if not self.order and not self.bad:
            raise UnreadableFile("the file has no columns")

    def columns(self) -> tuple[ReadColumn, ...]:
        """Returns the columns in order, with ids and types."""
        made, found = self.request.ids_made, []
        for name in self.order:
            known = self.request.ids.get(name)
            if known is None:
                made += 1
            kind = self.given.get(name) or self.inferred[name].found
            found.append(ReadColumn(known or f"c{made}", name, kind.value))
        return tuple(found)

    def cells(self, record: Record, columns: tuple[ReadColumn, ...]) -> dict[str, Any]:
        """Returns the row as it is stored: what is not empty, by column id; raises BadValue."""
        found = {}
        for column in columns:
            value = self._cell(ColumnType(column.type), record.cells.get(column.name))
            if value is not None:
                found[column.id] = value
        return found

    def _wrong(self, record: Record) -> Iterator[tuple[str, str]]:
        """Yields what is wrong with the record, and lets the columns see what is not."""
        if record.problem:
            yield "", record.problem
            return
        for name, value in record.cells.items():
            if name == SPLIT:
                self.has_splits = self.has_splits or bool(value)
                if not isinstance(value, str | None) or (value and (len(value) > 200 or unprintable(value))):
                    yield name, "a split has a short name"
                continue
            if name not in self.order:
                self._column(name)
            try:
                kind = self.given.get(name)
                if kind is not None:
                    self._cell(kind, value)
                    continue
                checked(ColumnType.TEXT if isinstance(value, str) else ColumnType.JSON, value, self._most)
                self.inferred[name].see(value)
            except BadValue as exc:
                yield name, str(exc)

    def _cell(self, kind: ColumnType, value: Any) -> Any:
        if isinstance(value, str) and self.records.as_text:
            return read(kind, value, self._most)
        return checked(kind, value, self._most)

    def _column(self, name: str) -> None:
        if name == SPLIT:
            return
        self.order[name] = None
        if len(self.order) > self.request.columns_max:
            raise UnreadableFile(f"a dataset has at most {self.request.columns_max} columns")
        self.inferred[name] = Inference(as_text=self.records.as_text, cell_bytes_max=self._most)

    def _bad(self, line: int, column: str, message: str) -> None:
        self.bad += 1
        if len(self.problems) < self.request.problems_max:
            self.problems.append(BadRow(line, column, message))

    @property
    def _most(self) -> int:
        return self.request.cell_bytes_max


def converted(request: ReadRequest) -> ReadAnswer:
    """Returns what the file holds; with `out`, and without a bad row, its rows are there: split, tab, values."""
    try:
        reading = Reading(request, records_of(request))
        reading.look()
        columns = reading.columns()
        if request.out and not reading.bad:
            _write(reading, columns)
        return ReadAnswer(
            columns=columns,
            rows=reading.rows,
            bad=reading.bad,
            problems=tuple(reading.problems),
            sample=tuple(_sample(reading, columns)),
            has_splits=reading.has_splits,
        )
    except UnreadableFile as exc:
        return ReadAnswer(error=str(exc))


def records_of(request: ReadRequest) -> Records:
    """Returns the file's records; raises UnreadableFile."""
    path = Path(request.path)
    most = request.cell_bytes_max
    match request.format:
        case Format.CSV:
            return CsvRecords(path, request.delimiter, most)
        case Format.JSONL:
            return JsonlRecords(path, most * 4)
        case Format.PARQUET:
            parquet = importlib.import_module("arcane.datasets.files.parquet")  # brings pyarrow
            found: Records = parquet.ParquetRecords.of(path)
            return found


def _write(reading: Reading, columns: tuple[ReadColumn, ...]) -> None:
    with Path(reading.request.out).open("w", encoding="utf-8", newline="\n") as out:
        for record in reading.records:
            split = json.dumps((record.cells.get(SPLIT) or "").strip())
            out.write(f"{split}\t{as_line(reading.cells(record, columns))}\n")


def _sample(reading: Reading, columns: tuple[ReadColumn, ...]) -> Iterator[dict[str, Any]]:
    left = reading.request.sample
    for record in reading.records if left else ():
        if left <= 0:
            return
        left -= 1
        if not record.problem:
            try:
                yield reading.cells(record, columns)
            except BadValue:
                continue


def main() -> None:
    """Answers on standard output the request that stands on standard input."""
    request = msgspec.json.decode(sys.stdin.buffer.read(), type=ReadRequest)
    sys.stdout.buffer.write(msgspec.json.encode(converted(request)))


if __name__ == "__main__":
    main()
