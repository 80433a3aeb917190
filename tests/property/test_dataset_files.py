"""What is exported is imported as it was, in every format; and what a spreadsheet would run does not begin a cell."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import AsyncIterator, Coroutine, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arcane.datasets.columns import EXACT, Column, ColumnType, checked
from arcane.datasets.files.convert import converted
from arcane.datasets.files.guarded import guarded, unguarded
from arcane.datasets.files.parquet import write
from arcane.datasets.files.records import as_line
from arcane.datasets.files.request import Format, ReadRequest
from arcane.datasets.pinned import PinnedDataset
from arcane.datasets.service.exporting import csv_chunks, jsonl_chunks
from arcane.datasets.views import DatasetRowView

NOBODY = UUID(int=0)
MOST = 100_000
TEXTS = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=20) | st.sampled_from(
    ["=1+1", "'=1", "''", "@x", "-5", "+", "\t", "\r\n", "\ufeffx", "007", "null", '"', "a,b", "\u2028"]
)
NUMBERS = st.integers(-EXACT, EXACT) | st.floats(allow_nan=False, allow_infinity=False)
JSONS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
MESSAGES = st.lists(st.fixed_dictionaries({"role": st.sampled_from(["user", "tool"]), "content": TEXTS}), max_size=3)
VALUES = {
    ColumnType.TEXT: TEXTS,
    ColumnType.NUMBER: NUMBERS,
    ColumnType.JSON: JSONS,
    ColumnType.MESSAGES: MESSAGES,
}
NAMES = st.text(st.characters(categories=["L", "N", "S", "P"]), min_size=1, max_size=8).filter(
    lambda name: not name.startswith("arcane:")
)


@st.composite
def datasets(draw: st.DrawFn) -> tuple[PinnedDataset, list[DatasetRowView]]:
    names = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    columns = [Column(f"c{n}", name, draw(st.sampled_from(ColumnType))) for n, name in enumerate(names, start=1)]
    rows = []
    for number in range(draw(st.integers(0, 5))):
        values = {one.id: checked(one.type, draw(VALUES[one.type] | st.none()), MOST) for one in columns}
        kept = {name: value for name, value in values.items() if value is not None}
        split = draw(st.sampled_from(["", "train", "=test"]))
        rows.append(DatasetRowView(UUID(int=number), number, kept, split, None, 1))
    return PinnedDataset(NOBODY, NOBODY, NOBODY, "x", 1, tuple(columns), len(rows)), rows


async def _batches(rows: Sequence[DatasetRowView]) -> AsyncIterator[Sequence[DatasetRowView]]:
    for start in range(0, len(rows), 2):
        yield rows[start : start + 2]


def _done(work: Coroutine[Any, Any, bytes]) -> bytes:
    """What work that waits for nobody ends with."""
    with pytest.raises(StopIteration) as ended:
        work.send(None)
    result: bytes = ended.value.value
    return result


def _exported(pinned: PinnedDataset, rows: Sequence[DatasetRowView], format_: Format, path: Path) -> None:
    has_splits = any(row.split for row in rows)
    chunks = csv_chunks if format_ is Format.CSV else jsonl_chunks

    async def collect() -> bytes:
        return b"".join([chunk async for chunk in chunks(pinned, _batches(rows), has_splits=has_splits)])

    content = _done(collect())
    if format_ is Format.PARQUET:
        columns = [{"name": one.name, "type": one.type.value} for one in pinned.columns]
        header = as_line({"columns": columns, "has_splits": has_splits}).encode()
        write(iter([header, *content.splitlines()]), path)
    else:
        path.write_bytes(content)


def _imported(path: Path, format_: Format, types: dict[str, str]) -> tuple[Any, list[tuple[str, Any]]]:
    out = path.with_suffix(".rows")
    request = ReadRequest(
        path=str(path), format=format_, out=str(out), types=types, rows_max=1000, columns_max=10, cell_bytes_max=MOST,
        problems_max=5, delimiter=",",
    )  # fmt: skip
    answer = converted(request)
    assert (answer.error, answer.bad) == ("", 0), answer
    lines = [line.partition("\t") for line in out.read_text("utf-8").split("\n")[:-1]]
    return answer, [(msgspec.json.decode(split), msgspec.json.decode(values)) for split, _, values in lines]


@pytest.mark.parametrize("format_", Format)
@settings(max_examples=40)
@given(datasets())
def test_an_import_of_an_export_is_the_same_dataset(
    format_: Format, given: tuple[PinnedDataset, list[DatasetRowView]]
) -> None:
    pinned, rows = given
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        _exported(pinned, rows, format_, path)
        if format_ is Format.JSONL and not rows:
            return  # without a line there is no column
        types = {} if format_ is Format.PARQUET else {one.name: one.type.value for one in pinned.columns}
        answer, found = _imported(path, format_, types)
    assert [(one.name, one.type) for one in answer.columns] == [(one.name, one.type) for one in pinned.columns]
    assert found == [(row.split, row.values) for row in rows]


@given(st.text())
def test_a_guarded_text_comes_back_and_is_no_formula(text: str) -> None:
    assert unguarded(guarded(text)) == text
    assert guarded(text)[:1] not in set("=+-@\t\r\n")


@settings(max_examples=40)
@given(datasets())
def test_no_cell_of_a_csv_is_a_formula_unless_it_is_a_number(
    given: tuple[PinnedDataset, list[DatasetRowView]],
) -> None:
    pinned, rows = given
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.csv"
        _exported(pinned, rows, Format.CSV, path)
        cells = [cell for line in csv.reader(io.StringIO(path.read_text("utf-8-sig"), newline="")) for cell in line]
    for cell in cells:
        assert cell[:1] not in set("=+@\t\r\n")
        if cell.startswith("-"):
            float(cell)
