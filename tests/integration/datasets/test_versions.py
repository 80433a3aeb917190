"""Versions never change, edits build on each other, and no edit is lost."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import anyio
import pytest

from arcane.datasets.columns import ColumnType
from arcane.datasets.problems import (
    DatasetBusy,
    DatasetChanged,
    DatasetNameTaken,
    InvalidDataset,
    UnknownDataset,
    UnknownRow,
)
from arcane.datasets.views import Change, DatasetView, NewColumn, RowDraft, RowEdit, RowsRequest
from arcane.kit.pagination import BadCursor, PageRequest
from tests.integration.datasets.conftest import Desk

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]

QUESTIONS = (NewColumn("question"), NewColumn("answer"), NewColumn("weight", ColumnType.NUMBER))


async def _made(desk: Desk, count: int = 3, name: str = "Questions") -> tuple[DatasetView, list[UUID]]:
    view = await desk.parts.datasets.create(desk.actor, name, "", QUESTIONS)
    drafts = [RowDraft({"question": f"q{number}", "weight": number}) for number in range(count)]
    page = await desk.parts.rows.add(desk.actor, view.id, drafts)
    return await desk.parts.datasets.get(desk.actor, view.id), [row.row_id for row in page.rows]


async def _questions(desk: Desk, view: DatasetView, version: int | None = None, **more: Any) -> list[Any]:
    page = await desk.parts.datasets.rows(desk.actor, view.id, RowsRequest(version=version, **more))
    return [page.dataset.named(row.values)["question"] for row in page.rows]


async def test_a_change_makes_a_version_and_leaves_the_one_before(desk: Desk) -> None:
    view, rows = await _made(desk)
    await desk.parts.rows.edit(desk.actor, view.id, [RowEdit(rows[1], {"question": "better"})])
    await desk.parts.rows.delete(desk.actor, view.id, [rows[0]])
    assert await _questions(desk, view, 2) == ["q0", "q1", "q2"]
    assert await _questions(desk, view, 3) == ["q0", "better", "q2"]
    assert await _questions(desk, view) == ["better", "q2"]
    versions = (await desk.parts.datasets.versions(desk.actor, view.id, PageRequest(10))).items
    told = [(one.number, one.change, one.added, one.changed, one.removed, one.row_count) for one in versions]
    assert told == [
        (4, Change.DELETED, 0, 0, 1, 2),
        (3, Change.EDITED, 0, 1, 0, 3),
        (2, Change.ADDED, 3, 0, 0, 3),
        (1, Change.CREATED, 0, 0, 0, 0),
    ]
    assert {one.created_by for one in versions} == {"Grace Hopper"}


async def test_an_edit_that_changes_nothing_makes_no_version(desk: Desk) -> None:
    view, rows = await _made(desk)
    await desk.parts.rows.edit(desk.actor, view.id, [RowEdit(rows[0], {"question": "q0", "answer": None})])
    assert (await desk.parts.datasets.get(desk.actor, view.id)).version == view.version


async def test_an_old_version_is_restored_as_the_newest(desk: Desk) -> None:
    view, rows = await _made(desk)
    await desk.parts.rows.edit(desk.actor, view.id, [RowEdit(rows[1], {"question": "better"})])
    await desk.parts.rows.delete(desk.actor, view.id, [rows[0]])
    await desk.parts.rows.add(desk.actor, view.id, [RowDraft({"question": "late"})])
    restored = await desk.parts.rows.restore(desk.actor, view.id, 2)
    assert await _questions(desk, view) == ["q0", "q1", "q2"]
    version = await desk.parts.datasets.version(desk.actor, view.id, restored.version)
    assert (version.added, version.changed, version.removed, version.row_count) == (1, 1, 1, 3)
    assert await _questions(desk, view, 5) == ["better", "q2", "late"]


async def test_edits_of_different_rows_at_once_are_all_kept(desk: Desk) -> None:
    view, rows = await _made(desk, 6)
    async with anyio.create_task_group() as group:
        for number, row in enumerate(rows):
            edit = RowEdit(row, {"answer": f"a{number}"})
            group.start_soon(desk.parts.rows.edit, desk.actor, view.id, [edit], view.version)
    page = await desk.parts.datasets.rows(desk.actor, view.id, RowsRequest())
    assert [page.dataset.named(row.values)["answer"] for row in page.rows] == [f"a{number}" for number in range(6)]
    assert page.dataset.version == view.version + 6


async def test_of_two_edits_of_one_row_the_later_one_is_told(desk: Desk) -> None:
    view, rows = await _made(desk)
    await desk.parts.rows.edit(desk.actor, view.id, [RowEdit(rows[0], {"answer": "mine"})], view.version)
    with pytest.raises(DatasetChanged):
        await desk.parts.rows.edit(desk.actor, view.id, [RowEdit(rows[0], {"answer": "yours"})], view.version)
    with pytest.raises(DatasetChanged):
        await desk.parts.rows.delete(desk.actor, view.id, [rows[0]], view.version)
    await desk.parts.rows.delete(desk.actor, view.id, [rows[1]], view.version)
    with pytest.raises(UnknownRow):
        await desk.parts.rows.edit(desk.actor, view.id, [RowEdit(rows[1], {"answer": "gone"})], view.version)


async def test_whoever_waits_too_long_for_a_change_is_told(desk: Desk) -> None:
    view, rows = await _made(desk)
    async with desk.parts.rows.maker.making(desk.actor, view.id, Change.ADDED):
        impatient = desk.parts.rows.maker.limits.model_copy(update={"patience_s": 0.05})
        maker = type(desk.parts.rows.maker)(desk.database, desk.parts.rows.maker.audit, impatient)
        with pytest.raises(DatasetBusy):
            await type(desk.parts.rows)(maker).delete(desk.actor, view.id, [rows[0]])


async def test_a_column_that_is_renamed_keeps_its_values_and_its_old_name_in_old_versions(desk: Desk) -> None:
    view, _ = await _made(desk)
    question, _, weight = view.columns
    wanted = [
        NewColumn("weight", ColumnType.TEXT, weight.id),
        NewColumn("prompt", ColumnType.TEXT, question.id),
        NewColumn("context", ColumnType.JSON),
    ]
    changed = await desk.parts.shape.columns(desk.actor, view.id, wanted, view.version)
    assert [(one.id, one.name, one.type) for one in changed.columns] == [
        (weight.id, "weight", ColumnType.TEXT),
        (question.id, "prompt", ColumnType.TEXT),
        ("c4", "context", ColumnType.JSON),
    ]
    page = await desk.parts.datasets.rows(desk.actor, view.id, RowsRequest(limit=2))
    assert [page.dataset.named(row.values) for row in page.rows] == [
        {"weight": "0", "prompt": "q0", "context": None},
        {"weight": "1", "prompt": "q1", "context": None},
    ]
    old = await desk.parts.datasets.rows(desk.actor, view.id, RowsRequest(version=view.version, limit=1))
    assert old.dataset.named(old.rows[0].values) == {"question": "q0", "answer": None, "weight": 0}


async def test_a_type_that_does_not_fit_the_values_is_refused_and_names_the_row(desk: Desk) -> None:
    view, _ = await _made(desk)
    wanted = [NewColumn("question", ColumnType.NUMBER, view.columns[0].id)]
    with pytest.raises(InvalidDataset, match="question, row 1: the cell has to be a number"):
        await desk.parts.shape.columns(desk.actor, view.id, wanted)
    assert (await desk.parts.datasets.get(desk.actor, view.id)).version == view.version


async def test_pages_are_one_walk_through_one_version_in_any_order(desk: Desk) -> None:
    view, rows = await _made(desk, 7)
    await desk.parts.rows.edit(desk.actor, view.id, [RowEdit(rows[3], {"weight": None})])
    for sort, descending in (("", False), ("", True), ("weight", False), ("weight", True)):
        asked = {"sort": sort, "descending": descending, "limit": 2}
        whole = await _questions(desk, view, sort=sort, descending=descending)
        page = await desk.parts.datasets.rows(desk.actor, view.id, RowsRequest(**asked))  # type: ignore[arg-type]
        await desk.parts.rows.add(desk.actor, view.id, [RowDraft({"question": "new", "weight": 1})])
        walked = [row.row_id for row in page.rows]
        while page.next:
            request = RowsRequest(**asked, cursor=page.next)  # type: ignore[arg-type]
            page = await desk.parts.datasets.rows(desk.actor, view.id, request)
            walked += [row.row_id for row in page.rows]
        assert len(walked) == len(set(walked)) == len(whole)


async def test_a_cursor_belongs_to_its_list(desk: Desk) -> None:
    view, _ = await _made(desk)
    page = await desk.parts.datasets.rows(desk.actor, view.id, RowsRequest(limit=1))
    other, _ = await _made(desk, name="Others")
    for request in (
        RowsRequest(limit=1, cursor=page.next, descending=True),
        RowsRequest(limit=1, cursor=page.next, version=1),
    ):
        with pytest.raises(BadCursor):
            await desk.parts.datasets.rows(desk.actor, view.id, request)
    with pytest.raises(BadCursor):
        await desk.parts.datasets.rows(desk.actor, other.id, RowsRequest(limit=1, cursor=page.next))


async def test_search_looks_into_values_and_at_nothing_else(desk: Desk) -> None:
    view = await desk.parts.datasets.create(desk.actor, "Texts", "", QUESTIONS)
    texts = ["50% off", "5000 off", "C1", "a_b", 'say "hi"']
    await desk.parts.rows.add(desk.actor, view.id, [RowDraft({"question": text}) for text in texts])
    for search, expected in {"50%": ["50% off"], "c1": ["C1"], "a_b": ["a_b"], '"HI"': ['say "hi"'], "c2": []}.items():
        assert await _questions(desk, view, search=search) == expected
    numbered = await desk.parts.datasets.numbered(desk.actor, view.id, RowsRequest(search="off", limit=1), 2)
    assert (numbered.total, numbered.pages, len(numbered.rows)) == (2, 2, 1)


async def test_differences_name_what_was_added_changed_and_removed(desk: Desk) -> None:
    view, rows = await _made(desk)
    await desk.parts.rows.edit(desk.actor, view.id, [RowEdit(rows[1], {"question": "better"})])
    await desk.parts.rows.delete(desk.actor, view.id, [rows[0]])
    await desk.parts.rows.add(desk.actor, view.id, [RowDraft({"question": "late"})])
    cursor, seen = None, []
    while True:
        page = await desk.parts.datasets.differences(desk.actor, view.id, (2, 5), PageRequest(1, cursor))
        seen += [
            tuple(side and side.values.get("c1") for side in (row.before, row.after))  # type: ignore[union-attr]
            for row in page.rows
        ]
        cursor = page.next
        if cursor is None:
            break
    assert seen == [("q0", None), ("q1", "better"), (None, "late")]
    await desk.parts.rows.restore(desk.actor, view.id, 2)
    same = await desk.parts.datasets.differences(desk.actor, view.id, (2, 6), PageRequest(10))
    assert same.rows == []


async def test_chance_is_the_same_for_the_same_seed_and_exact(desk: Desk) -> None:
    view, rows = await _made(desk, 10)
    shares = {"train": 70.0, "test": 30.0}
    await desk.parts.shape.assign_by_chance(desk.actor, view.id, shares, "7")
    first = await desk.parts.datasets.rows(desk.actor, view.id, RowsRequest())
    assert dict(await desk.parts.datasets.splits(desk.actor, view.id)) == {"train": 7, "test": 3}
    await desk.parts.shape.assign(desk.actor, view.id, "", rows)
    again = await desk.parts.shape.assign_by_chance(desk.actor, view.id, shares, "7")
    second = await desk.parts.datasets.rows(desk.actor, view.id, RowsRequest())
    assert [row.split for row in first.rows] == [row.split for row in second.rows]
    await desk.parts.shape.assign_by_chance(desk.actor, view.id, {"other": 100.0}, "1", unassigned=True)
    assert (await desk.parts.datasets.get(desk.actor, view.id)).version == again.version


async def test_a_column_names_the_splits(desk: Desk) -> None:
    view, rows = await _made(desk, 3)
    edits = [RowEdit(row, {"answer": split}) for row, split in zip(rows, ("dev", "test", " dev "), strict=True)]
    await desk.parts.rows.edit(desk.actor, view.id, edits)
    await desk.parts.shape.assign_by_column(desk.actor, view.id, "answer")
    assert dict(await desk.parts.datasets.splits(desk.actor, view.id)) == {"dev": 2, "test": 1}
    assert await _questions(desk, view, split="test") == ["q1"]


async def test_what_belongs_to_another_project_is_not_there(desk: Desk) -> None:
    view, rows = await _made(desk)
    for same in (True, False):
        stranger = await desk.colleague(same_organisation=same)
        with pytest.raises(UnknownDataset):
            await desk.parts.datasets.get(stranger, view.id)
        with pytest.raises(UnknownDataset):
            await desk.parts.datasets.rows(stranger, view.id, RowsRequest())
        with pytest.raises(UnknownDataset):
            await desk.parts.rows.edit(stranger, view.id, [RowEdit(rows[0], {"answer": "!"})])
        with pytest.raises(UnknownDataset):
            await desk.parts.datasets.delete(stranger, view.id)
        assert (await desk.parts.datasets.page(stranger, PageRequest(10))).items == ()


async def test_names_are_given_once_and_deleting_forgets_all(desk: Desk) -> None:
    view, _ = await _made(desk)
    with pytest.raises(DatasetNameTaken):
        await desk.parts.datasets.create(desk.actor, "QUESTIONS", "", QUESTIONS)
    other, _ = await _made(desk, name="Other")
    with pytest.raises(DatasetNameTaken):
        await desk.parts.datasets.update(desk.actor, other.id, name="questions")
    renamed = await desk.parts.datasets.update(desk.actor, view.id, name="Questions!", description="of users")
    assert (renamed.name, renamed.description, renamed.version) == ("Questions!", "of users", view.version)
    await desk.parts.datasets.delete(desk.actor, view.id)
    with pytest.raises(UnknownDataset):
        await desk.parts.datasets.get(desk.actor, view.id)


async def test_a_pinned_version_is_selected_by_others(desk: Desk) -> None:
    view, rows = await _made(desk)
    async with desk.database.transaction(desk.actor.tenant) as session:
        pinned = await desk.parts.datasets.pin(session, desk.actor, view.id)
    await desk.parts.rows.delete(desk.actor, view.id, rows)
    async with desk.database.transaction(desk.actor.tenant) as session:
        found = (await session.execute(pinned.rows().order_by("ordinal"))).all()
    assert [(row_id, values["c1"]) for row_id, _, values, _ in found] == [(r, f"q{n}") for n, r in enumerate(rows)]
