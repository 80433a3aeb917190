"""Files become one version or none; what is wrong with them is said by line."""

from __future__ import annotations

import resource
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from arcane.datasets.columns import ColumnType
from arcane.datasets.files.request import Format
from arcane.datasets.problems import BadFile, DatasetLimit, DatasetNameTaken
from arcane.datasets.service.importing import GivenFile, Mode
from arcane.datasets.views import DatasetView, NewColumn, RowDraft, RowsRequest
from arcane.kit.pagination import PageRequest
from arcane.kit.problems import BodyTooLarge
from arcane.settings import DatasetSettings
from tests.integration.datasets.conftest import Desk, working
from tests.support.postgres import MigratedDatabase

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]

MESSAGES = '[{"role": "user", "content": "hi"}]'


def _file(folder: Path, text: str, format_: Format = Format.CSV, **more: Any) -> GivenFile:
    path = folder / f"given.{format_}"
    path.write_bytes(text.encode())
    return GivenFile(path, format_, **more)


async def _values(desk: Desk, view: DatasetView) -> list[dict[str, Any]]:
    page = await desk.parts.datasets.rows(desk.actor, view.id, RowsRequest(limit=100))
    return [page.dataset.named(row.values) for row in page.rows]


async def test_a_csv_file_becomes_a_dataset_with_types_that_its_values_fit(desk: Desk, tmp_path: Path) -> None:
    text = (
        "\ufeffquestion;n;code;chat;meta\r\n"
        f'\'=1+1;1.5;007;"{MESSAGES.replace(chr(34), chr(34) * 2)}";"{{""a"": 1}}"\r\n'
        '"two\r\nlines";-2;8;;[]\r\n\r\n'
    )
    view = await desk.parts.imports.create(desk.actor, _file(tmp_path, text), "Mixed")
    assert [(one.name, one.type.value) for one in view.columns] == [
        ("question", "text"),
        ("n", "number"),
        ("code", "text"),
        ("chat", "messages"),
        ("meta", "json"),
    ]
    assert await _values(desk, view) == [
        {"question": "=1+1", "n": 1.5, "code": "007", "chat": [{"role": "user", "content": "hi"}], "meta": {"a": 1}},
        {"question": "two\r\nlines", "n": -2, "code": "8", "chat": None, "meta": []},
    ]


async def test_bad_rows_are_counted_named_by_line_and_nothing_is_imported(
    migrated_database: MigratedDatabase, tmp_path: Path
) -> None:
    limits = DatasetSettings(file_problems_max=2)
    text = 'a,b\n1,2\n"x\ny",2\n3\n4,five\n6,seven\n'
    async with working(migrated_database, limits) as desk:
        file = _file(tmp_path, text, types={"a": ColumnType.NUMBER, "b": ColumnType.NUMBER})
        with pytest.raises(BadFile) as refused:
            await desk.parts.imports.create(desk.actor, file, "Bad")
        assert (refused.value.members["bad"], refused.value.members["rows"]) == (4, 5)
        assert refused.value.members["errors"] == [
            {"line": 3, "column": "a", "message": "the cell has to be a number"},
            {"line": 5, "column": "", "message": "the row has 1 cells, the header 2"},
        ]
        preview = await desk.parts.imports.preview(desk.actor, file)
        assert (preview.bad, len(preview.problems), len(preview.sample)) == (4, 2, 1)
        assert (await desk.parts.datasets.page(desk.actor, PageRequest(10))).items == ()


@pytest.mark.parametrize(
    ("text", "format_", "said"),
    [
        ("", Format.CSV, "no header"),
        ("a,,b\n", Format.CSV, "column 2 of the header: a column has to have a name"),
        ("a,b,a\n", Format.CSV, "column 3 of the header: a is there twice"),
        ("arcane:x\n", Format.CSV, "arcane: are taken"),
        ('a\n"open\n', Format.CSV, "line 2: a quote is not closed"),
        ("", Format.JSONL, "the file has no columns"),
        ("[1]\n", Format.JSONL, "the line is not a JSON object"),
        ('{"a": 1}\n{"a": NaN}\n', Format.JSONL, "line 2: the line is not valid JSON"),
        ('{"a": "\\u0000"}\n', Format.JSONL, "line 1, a: the text holds a character that cannot be stored"),
        ('{"a": ' + "[" * 5_000, Format.JSONL, "line 1: the line is not valid JSON"),
        ("no parquet", Format.PARQUET, "the file is not Parquet"),
    ],
)
async def test_a_file_that_cannot_be_read_says_why(
    desk: Desk, tmp_path: Path, text: str, format_: Format, said: str
) -> None:
    with pytest.raises(BadFile, match=said):
        await desk.parts.imports.create(desk.actor, _file(tmp_path, text, format_), "Bad")


async def test_bytes_that_are_not_utf_8_are_a_bad_row(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "latin.csv"
    path.write_bytes("a\nfine\ncafé\n".encode("latin-1"))
    with pytest.raises(BadFile, match="line 3, a: the text holds a character that cannot be stored"):
        await desk.parts.imports.create(desk.actor, GivenFile(path, Format.CSV), "Latin")


async def test_rows_are_added_to_the_columns_of_a_dataset_or_put_in_their_place(desk: Desk, tmp_path: Path) -> None:
    view = await desk.parts.datasets.create(desk.actor, "Q", "", [NewColumn("a"), NewColumn("b", ColumnType.NUMBER)])
    await desk.parts.rows.add(desk.actor, view.id, [RowDraft({"a": "first", "b": 1})])
    more = _file(tmp_path, "a\n12\n")
    appended = await desk.parts.imports.into(desk.actor, view.id, more, Mode.APPEND)
    assert await _values(desk, appended) == [{"a": "first", "b": 1}, {"a": "12", "b": None}]
    with pytest.raises(BadFile, match="the dataset has no column c"):
        await desk.parts.imports.into(desk.actor, view.id, _file(tmp_path, "a,c\n1,2\n"), Mode.APPEND)
    replaced = await desk.parts.imports.into(desk.actor, view.id, _file(tmp_path, "c,a\nx,1\n"), Mode.REPLACE)
    assert [(one.id, one.name, one.type.value) for one in replaced.columns] == [
        ("c3", "c", "text"),
        ("c1", "a", "number"),
    ]
    assert await _values(desk, replaced) == [{"c": "x", "a": 1}]
    version = await desk.parts.datasets.version(desk.actor, view.id, replaced.version)
    assert (version.added, version.removed, version.row_count) == (1, 2, 1)
    old = await desk.parts.datasets.rows(desk.actor, view.id, RowsRequest(version=appended.version))
    assert [old.dataset.named(row.values)["a"] for row in old.rows] == ["first", "12"]


async def test_an_import_that_fails_late_leaves_nothing(migrated_database: MigratedDatabase, tmp_path: Path) -> None:
    async with working(migrated_database, DatasetSettings(rows_max=3)) as desk:
        view = await desk.parts.imports.create(desk.actor, _file(tmp_path, "a\n1\n2\n"), "Two")
        with pytest.raises(DatasetLimit):
            await desk.parts.imports.into(desk.actor, view.id, _file(tmp_path, "a\n3\n4\n"), Mode.APPEND)
        with pytest.raises(DatasetNameTaken):
            await desk.parts.imports.create(desk.actor, _file(tmp_path, "a\n1\n"), "two")
        assert await desk.parts.datasets.get(desk.actor, view.id) == view
        assert len(await _values(desk, view)) == 2


async def test_splits_travel_with_the_rows_in_every_format(desk: Desk, tmp_path: Path) -> None:
    view = await desk.parts.datasets.create(desk.actor, "Q", "", [NewColumn("a"), NewColumn("b", ColumnType.JSON)])
    drafts = [RowDraft({"a": "=x", "b": {"k": [1]}}, "test"), RowDraft({"a": "-"}), RowDraft({})]
    await desk.parts.rows.add(desk.actor, view.id, drafts)
    for format_ in Format:
        export = await desk.parts.exports.export(desk.actor, view.id, format_)
        path = tmp_path / format_.value
        path.write_bytes(b"".join([chunk async for chunk in export.chunks]))
        again = await desk.parts.imports.create(desk.actor, GivenFile(path, format_), f"Again {format_}")
        assert [(one.name, one.type) for one in again.columns] == [(one.name, one.type) for one in view.columns]
        assert await _values(desk, again) == await _values(desk, view)
        assert dict(await desk.parts.datasets.splits(desk.actor, again.id)) == {"test": 1, "": 2}
        part = await desk.parts.exports.export(desk.actor, view.id, format_, split="test")
        path.write_bytes(b"".join([chunk async for chunk in part.chunks]))
        assert (await desk.parts.imports.preview(desk.actor, GivenFile(path, format_))).rows == 1


async def test_a_file_that_is_too_large_is_refused_while_it_arrives(
    migrated_database: MigratedDatabase, tmp_path: Path
) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 1_000

    async with working(migrated_database, DatasetSettings(file_bytes_max=10_000)) as desk:
        with pytest.raises(BodyTooLarge):
            await desk.parts.imports.processes.receive(endless(), tmp_path / "large")
    assert (tmp_path / "large").stat().st_size <= 10_000


async def test_many_rows_are_imported_and_exported_without_being_held(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    with path.open("w") as out:
        out.write("question,answer,weight\n")
        for number in range(20_000):
            out.write(f"What is the answer to question {number}?,It is {number * 7} as everybody knows.,{number}\n")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    view = await desk.parts.imports.create(desk.actor, GivenFile(path, Format.CSV), "Large")
    assert (view.row_count, view.version) == (20_000, 2)
    export = await desk.parts.exports.export(desk.actor, view.id, Format.CSV)
    size = 0
    async for chunk in export.chunks:
        size += len(chunk)
    assert size > path.stat().st_size
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 40 * 1024, f"{grown} KiB more than before"
    last = await desk.parts.datasets.numbered(desk.actor, view.id, RowsRequest(limit=100), 200)
    assert (last.pages, last.rows[-1].values["c3"]) == (200, 19_999)
