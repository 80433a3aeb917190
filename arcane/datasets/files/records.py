"""Files as records: one after the other, each with the line it begins at. Nothing is held but the record at hand."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from arcane.datasets.columns import SPLIT, BadValue, column_name_error, parsed
from arcane.datasets.files.guarded import unguarded
from arcane.datasets.files.request import UnreadableFile

_DELIMITERS = ",;\t|"


@dataclass(frozen=True, slots=True)
class Record:
    """One record: its cells by column name, as the file has them, or why it cannot be read."""

    line: int
    cells: dict[str, Any]
    problem: str = ""


class Records(Protocol):
    """A file that can be read again and again."""

    @property
    def as_text(self) -> bool:
        """True when cells are spelled as texts, whatever their column's type."""
        ...

    @property
    def types(self) -> Mapping[str, str]:
        """The types that the file itself says."""
        ...

    def header(self) -> Sequence[str] | None:
        """Returns the columns in order where the file names them before its rows; raises UnreadableFile."""
        ...

    def __iter__(self) -> Iterator[Record]:
        """Yields the records; raises UnreadableFile where nothing after it can be read."""
        ...


@dataclass(frozen=True, slots=True)
class CsvRecords:
    """RFC 4180 with a header, UTF-8 with or without a byte order mark."""

    path: Path
    delimiter: str
    cell_bytes_max: int
    as_text: bool = True
    types: Mapping[str, str] = field(default_factory=dict)

    def header(self) -> Sequence[str]:
        """Returns the names of the columns; raises UnreadableFile for empty or repeated ones."""
        names = next(self._lines(), (0, []))[1]
        if not names:
            raise UnreadableFile("the file has no header: its first line names the columns")
        return checked_header([unguarded(name).strip() for name in names])

    def __iter__(self) -> Iterator[Record]:
        """Yields the records; blank lines are none."""
        names = self.header()
        lines = self._lines()
        next(lines)
        for line, cells in lines:
            if not cells:
                continue
            if len(cells) != len(names):
                yield Record(line, {}, f"the row has {len(cells)} cells, the header {len(names)}")
                continue
            yield Record(line, {name: unguarded(cell) for name, cell in zip(names, cells, strict=True)})

    def _lines(self) -> Iterator[tuple[int, list[str]]]:
        csv.field_size_limit(self.cell_bytes_max)
        with self.path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            reader = csv.reader(file, delimiter=self.delimiter or self._guessed(), strict=True)
            line = 1
            while True:
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error as exc:
                    raise UnreadableFile(f"line {line}: {_said(exc)}") from None
                yield line, cells
                line = reader.line_num + 1

    def _guessed(self) -> str:
        """The delimiter that the header has most of, outside of quotes."""
        with self.path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            unquoted = "".join(file.readline(self.cell_bytes_max).split('"')[::2])
        return max(_DELIMITERS, key=unquoted.count)


@dataclass(frozen=True, slots=True)
class JsonlRecords:
    """One JSON object a line."""

    path: Path
    line_bytes_max: int
    as_text: bool = False
    types: Mapping[str, str] = field(default_factory=dict)

    def header(self) -> Sequence[str] | None:
        """Returns None: every line names its own columns."""
        return None

    def __iter__(self) -> Iterator[Record]:
        """Yields the records; blank lines are none."""
        with self.path.open("rb") as file:
            number = 0
            while text := file.readline(self.line_bytes_max + 1):
                number += 1
                if len(text) > self.line_bytes_max:
                    raise UnreadableFile(f"line {number}: a line may have {self.line_bytes_max} bytes")
                if number == 1:
                    text = text.removeprefix(b"\xef\xbb\xbf")
                if text.strip():
                    yield _record(number, text)


def checked_header(names: Sequence[str]) -> Sequence[str]:
    """Returns the names; raises UnreadableFile for one that is empty, repeated or taken."""
    seen: set[str] = set()
    for place, name in enumerate(names, start=1):
        error = "" if name == SPLIT else column_name_error(name)
        if error or name in seen:
            raise UnreadableFile(f"column {place} of the header: {error or f'{name} is there twice'}")
        seen.add(name)
    return names


def _record(line: int, text: bytes) -> Record:
    try:
        value = parsed(text)
    except BadValue:
        return Record(line, {}, "the line is not valid JSON")
    if not isinstance(value, dict):
        return Record(line, {}, "the line is not a JSON object")
    for name in value:
        error = "" if name == SPLIT else column_name_error(name)
        if error:
            return Record(line, {}, error)
    return Record(line, {name.strip(): cell for name, cell in value.items()})


def _said(exc: csv.Error) -> str:
    text = str(exc)
    if "field larger" in text:
        return "a cell is longer than allowed, or a quote is not closed"
    if "unexpected end" in text:
        return "a quote is not closed before the end of the file"
    return "quotes are not doubled or do not surround the whole cell"


def as_line(value: Any) -> str:
    """Returns `value` as JSON without a line end."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
