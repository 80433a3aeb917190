"""Parquet files, read and written in batches. Only processes of their own import this: it brings pyarrow.

Text is a string column, a number a double; JSON and messages are strings of JSON. The schema's metadata keeps our
types, so that a file of ours is read back as it was.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

from arcane.datasets.columns import SPLIT, BadValue, ColumnType, parsed
from arcane.datasets.files.records import Record, checked_header
from arcane.datasets.files.request import UnreadableFile

_KEY = b"arcane.columns"
_BATCH = 500


@dataclass(frozen=True, slots=True)
class ParquetRecords:
    """A Parquet file; a record's line is its number, from 1."""

    path: Path
    names: Sequence[str]
    types: Mapping[str, str]
    as_text: bool = False

    @classmethod
    def of(cls, path: Path) -> ParquetRecords:
        """Returns the file's records; raises UnreadableFile."""
        try:
            schema = pyarrow.parquet.read_schema(path)
        except (pyarrow.ArrowException, OSError):
            raise UnreadableFile("the file is not Parquet") from None
        ours = json.loads((schema.metadata or {}).get(_KEY, b"{}"))
        types = {name: kind for name, kind in ours.items() if kind in set(ColumnType)}
        return cls(path, checked_header([name.strip() for name in schema.names]), types)

    def header(self) -> Sequence[str]:
        """Returns the names of the columns."""
        return self.names

    def __iter__(self) -> Iterator[Record]:
        """Yields the records; raises UnreadableFile."""
        number = 0
        try:
            with pyarrow.parquet.ParquetFile(self.path) as file:
                for batch in file.iter_batches(batch_size=_BATCH):
                    for row in batch.rename_columns(list(self.names)).to_pylist():
                        number += 1
                        yield self._record(number, row)
        except pyarrow.ArrowException:
            raise UnreadableFile(f"the file is broken after row {number}") from None

    def _record(self, number: int, row: Mapping[str, Any]) -> Record:
        try:
            return Record(number, {name: self._cell(name, value) for name, value in row.items()})
        except BadValue as exc:
            return Record(number, {}, str(exc))

    def _cell(self, name: str, value: Any) -> Any:
        if isinstance(value, str) and self.types.get(name) in (ColumnType.JSON, ColumnType.MESSAGES):
            return parsed(value)
        return _plain(value)


def _plain(value: Any) -> Any:
    """What JSON has no word for is a text."""
    match value:
        case datetime() | date() | time():
            return value.isoformat()
        case float() if math.isnan(value):
            return None
        case Decimal():
            return str(value)
        case bytes():
            raise BadValue("a cell holds bytes, which are not a text")
        case dict():
            return {str(name): _plain(one) for name, one in value.items()}
        case list() | tuple():
            return [_plain(one) for one in value]
        case _:
            return value


def schema_of(columns: Sequence[Mapping[str, str]], *, has_splits: bool) -> Any:
    """Returns the schema of a file with these columns."""
    fields = [
        pyarrow.field(one["name"], pyarrow.float64() if one["type"] == ColumnType.NUMBER else pyarrow.string())
        for one in columns
    ]
    if has_splits:
        fields.append(pyarrow.field(SPLIT, pyarrow.string()))
    types = json.dumps({one["name"]: one["type"] for one in columns})
    return pyarrow.schema(fields, metadata={_KEY: types.encode()})


def write(lines: Iterator[bytes], path: Path) -> None:
    """The file at `path` holds the rows that stand in `lines`, after a first one that names the columns."""
    said = json.loads(next(lines))
    schema = schema_of(said["columns"], has_splits=said["has_splits"])
    encoded = {one["name"] for one in said["columns"] if one["type"] in (ColumnType.JSON, ColumnType.MESSAGES)}
    with pyarrow.parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        batch: list[dict[str, Any]] = []
        for line in lines:
            row = json.loads(line)
            batch.append({name: _written(value, name in encoded) for name, value in row.items()})
            if len(batch) == _BATCH * 10:
                writer.write_batch(pyarrow.RecordBatch.from_pylist(batch, schema))
                batch = []
        if batch:
            writer.write_batch(pyarrow.RecordBatch.from_pylist(batch, schema))


def _written(value: Any, encoded: bool) -> Any:
    return json.dumps(value, ensure_ascii=False) if encoded and value is not None else value


if __name__ == "__main__":
    write(iter(sys.stdin.buffer), Path(sys.argv[1]))
