"""Versions equal a model of them, whatever is done: each stays what it was when it was made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import anyio.from_thread
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arcane.datasets.views import NewColumn, RowDraft, RowEdit, RowsRequest
from tests.integration.datasets.conftest import Desk, working
from tests.support.postgres import Server
from tests.support.served import cloned_database

pytestmark = pytest.mark.postgres

Rows = dict[UUID, tuple[str, str]]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["add", "edit", "delete", "restore", "split", "chance"]),
        st.integers(0, 5),
        st.sampled_from(["", "a", "b", "train"]),
    ),
    max_size=8,
)


@pytest.fixture(scope="module")
def portal() -> Iterator[anyio.from_thread.BlockingPortal]:
    with anyio.from_thread.start_blocking_portal() as made:
        yield made


@pytest.fixture(scope="module")
def place(portal: anyio.from_thread.BlockingPortal, postgres_server: Server, template_database: str) -> Iterator[Desk]:
    with (
        cloned_database(postgres_server, template_database) as stored,
        portal.wrap_async_context_manager(working(stored)) as desk,
    ):
        yield desk


async def _read(desk: Desk, dataset: UUID, version: int | None = None) -> tuple[int, Rows]:
    page = await desk.parts.datasets.rows(desk.actor, dataset, RowsRequest(version=version, limit=200))
    return page.dataset.version, {row.row_id: (row.values.get("c1", ""), row.split) for row in page.rows}


async def _step(desk: Desk, dataset: UUID, history: dict[int, Rows], step: tuple[str, int, str]) -> Rows:
    """Does one thing to the dataset, and returns what the newest version has to be."""
    kind, place, text = step
    rows = dict(history[max(history)])
    chosen = list(rows)[place] if place < len(rows) else None
    parts, actor = desk.parts, desk.actor
    if kind == "add":
        made = await parts.rows.add(actor, dataset, [RowDraft({"text": text}, text)])
        return {**rows, made.rows[0].row_id: (text, text)}
    if kind == "restore":
        number = 1 + place % max(history)
        await parts.rows.restore(actor, dataset, number)
        return dict(history[number])
    if kind == "chance":
        await parts.shape.assign_by_chance(actor, dataset, {text or "all": 100.0})
        return {row: (said, text or "all") for row, (said, _) in rows.items()}
    if chosen is None:
        return rows
    if kind == "edit":
        await parts.rows.edit(actor, dataset, [RowEdit(chosen, {"text": text})])
        return {**rows, chosen: (text, rows[chosen][1])}
    if kind == "split":
        await parts.shape.assign(actor, dataset, text, [chosen])
        return {**rows, chosen: (rows[chosen][0], text)}
    await parts.rows.delete(actor, dataset, [chosen])
    return {row: said for row, said in rows.items() if row != chosen}


async def _play(desk: Desk, steps: list[tuple[str, int, str]]) -> None:
    made = await desk.parts.datasets.create(desk.actor, f"Played {UUID(int=id(steps))}", "", [NewColumn("text")])
    history: dict[int, Rows] = {1: {}}
    for step in steps:
        wanted = await _step(desk, made.id, history, step)
        number, found = await _read(desk, made.id)
        assert found == wanted, step
        history[number] = found
    for number, rows in history.items():
        assert await _read(desk, made.id, number) == (number, rows)
        assert (await desk.parts.datasets.version(desk.actor, made.id, number)).row_count == len(rows)
    await desk.parts.datasets.delete(desk.actor, made.id)


@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow])
@given(steps=STEPS)
def test_every_version_stays_what_it_was(
    portal: anyio.from_thread.BlockingPortal, place: Desk, steps: list[Any]
) -> None:
    portal.call(_play, place, steps)
