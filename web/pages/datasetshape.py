"""A dataset's versions and what they differ in, its splits, and its columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from arcane.datasets.columns import Column, ColumnType, written
from arcane.datasets.problems import InvalidDataset
from arcane.datasets.views import DatasetView, DifferencesPage, NewColumn, RowDifference, VersionView
from arcane.kit.actor import Actor
from arcane.kit.pagination import PageRequest
from arcane.kit.problems import Problem
from web.datasetrows import LONGEST
from web.flash import flash
from web.forms import FormState, act, entered, refused, say_to
from web.pages.datasets import Editor, May, Reader, base_of, columns_in, parts_of
from web.rendering import Page, renderer_of

router = APIRouter(prefix="/o/{organisation}/p/{project}/datasets/{dataset_id}", include_in_schema=False)
PAGE = 100
Number = Annotated[int, Query(ge=1, le=2**31 - 1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetPage(Page):
    """A page about one dataset."""

    base: str
    dataset: DatasetView


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionsPage(DatasetPage):
    template: ClassVar[str] = "datasets/versions.html"

    versions: tuple[VersionView, ...]
    next: str | None
    may: May


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that two versions do not have in common, cell by cell: before and after."""

    ordinal: int
    change: str
    cells: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferencesView(DatasetPage):
    template: ClassVar[str] = "datasets/differences.html"

    columns: tuple[Column, ...]
    older: int
    newer: int
    differences: tuple[Difference, ...]
    next: str | None
    failure: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitsPage(DatasetPage):
    template: ClassVar[str] = "datasets/splits.html"

    splits: tuple[tuple[str, int], ...]
    text_columns: tuple[tuple[str, str], ...]
    form: FormState
    may: May


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnsPage(DatasetPage):
    template: ClassVar[str] = "datasets/columns.html"

    form: FormState


@router.get("/versions")
async def versions(request: Request, actor: Reader, dataset_id: UUID, cursor: str | None = None) -> Response:
    found = await parts_of(request).datasets.versions(actor, dataset_id, PageRequest(PAGE, cursor))
    shared = await _shared(request, actor, dataset_id)
    page = VersionsPage(**shared, versions=found.items, next=found.next, may=May.of(actor))
    return renderer_of(request).respond(page)


@router.post("/versions/{number}/restore")
async def restore(request: Request, actor: Editor, dataset_id: UUID, number: int) -> Response:
    work = parts_of(request).rows.restore(actor, dataset_id, number)
    to = f"{base_of(request)}/{dataset_id}"
    return await act(request, work, to, say_to(request, "The old version is the newest one as well."))


@router.get("/differences")
async def differences(  # noqa: PLR0913 - two versions and a page
    request: Request, actor: Reader, dataset_id: UUID, older: Number, newer: Number, cursor: str | None = None
) -> Response:
    shared = await _shared(request, actor, dataset_id)
    failure, following = "", None
    rows: tuple[Difference, ...] = ()
    columns: tuple[Column, ...] = ()
    try:
        found = await parts_of(request).datasets.differences(
            actor, dataset_id, (older, newer), PageRequest(PAGE, cursor)
        )
        columns, following = _columns(found), found.next
        rows = tuple(_difference(row, columns) for row in found.rows)
    except Problem as problem:
        if problem.status == 404:
            raise
        failure = problem.detail
    page = DifferencesView(
        **shared, columns=columns, older=older, newer=newer, differences=rows, next=following, failure=failure
    )
    return renderer_of(request).respond(page)


@router.get("/splits")
async def splits(request: Request, actor: Reader, dataset_id: UUID) -> Response:
    return await _splits(request, actor, dataset_id, FormState())


@router.post("/splits")
async def assign(request: Request, actor: Editor, dataset_id: UUID) -> Response:
    """By chance, or by a column: which button was pressed."""
    form = await entered(request)
    shape = parts_of(request).shape
    try:
        if "by_column" in form:
            await shape.assign_by_column(actor, dataset_id, form.get("column", ""))
        else:
            unassigned = "unassigned" in form
            await shape.assign_by_chance(
                actor, dataset_id, _shares(form.get("shares", "")), form.get("seed", ""), unassigned=unassigned
            )
    except Problem as problem:
        return await _splits(request, actor, dataset_id, refused(form, problem), problem.status)
    response = RedirectResponse(f"{base_of(request)}/{dataset_id}/splits", 303)
    flash(request, response, say_to(request, "The rows are in their splits."))
    return response


@router.get("/columns")
async def columns(request: Request, actor: Editor, dataset_id: UUID) -> Response:
    shared = await _shared(request, actor, dataset_id)
    return renderer_of(request).respond(ColumnsPage(**shared, form=FormState()))


@router.post("/columns")
async def change_columns(request: Request, actor: Editor, dataset_id: UUID) -> Response:
    form = await entered(request)
    shared = await _shared(request, actor, dataset_id)
    try:
        version = form.get("version", "")
        made_for = int(version) if version.isdecimal() and len(version) < 10 else None
        await parts_of(request).shape.columns(actor, dataset_id, _wanted(shared["dataset"], form), made_for)
    except Problem as problem:
        page = ColumnsPage(**shared, form=FormState(form, {}, problem.detail))
        return renderer_of(request).respond(page, status=problem.status)
    response = RedirectResponse(f"{base_of(request)}/{dataset_id}", 303)
    flash(request, response, say_to(request, "Saved."))
    return response


def _wanted(dataset: DatasetView, form: dict[str, str]) -> list[NewColumn]:
    """The columns as the form has them: those with an empty name are gone, new ones come last."""
    kept = []
    for column in dataset.columns:
        name, kind = form.get(f"name:{column.id}", column.name), form.get(f"type:{column.id}", column.type)
        if name.strip():
            kept.append(NewColumn(name, ColumnType(kind) if kind in set(ColumnType) else column.type, column.id))
    return [*kept, *columns_in(form.get("more", ""))]


def _shares(text: str) -> dict[str, float]:
    """Returns the percentages that a text says, one split a line: `train: 80`."""
    found = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        name, _, share = line.rpartition(":")
        try:
            found[name.strip()] = float(share.strip().removesuffix("%"))
        except ValueError:
            raise InvalidDataset("each line names a split and its percentage, as in train: 80") from None
    return found


def _columns(found: DifferencesPage) -> tuple[Column, ...]:
    """The columns of both versions, under their newer names."""
    ids = {column.id for column in found.newer.columns}
    return (*found.newer.columns, *(column for column in found.older.columns if column.id not in ids))


def _difference(row: RowDifference, columns: tuple[Column, ...]) -> Difference:
    change = "added" if row.before is None else "removed" if row.after is None else "changed"
    sides = [side.values if side is not None else {} for side in (row.before, row.after)]
    cells = []
    for column in columns:
        before, after = (written(column.type, side.get(column.id))[:LONGEST] for side in sides)
        cells.append((before, after))
    splits = tuple(side.split if side is not None else "" for side in (row.before, row.after))
    side = row.after or row.before
    return Difference(side.ordinal if side else 0, change, (*cells, (splits[0], splits[1])))


async def _splits(request: Request, actor: Actor, dataset_id: UUID, form: FormState, status: int = 200) -> Response:
    shared = await _shared(request, actor, dataset_id)
    found = tuple(await parts_of(request).datasets.splits(actor, dataset_id))
    texts = tuple((one.name, one.name) for one in shared["dataset"].columns if one.type is ColumnType.TEXT)
    page = SplitsPage(**shared, splits=found, text_columns=texts, form=form, may=May.of(actor))
    return renderer_of(request).respond(page, status=status)


async def _shared(request: Request, actor: Actor, dataset_id: UUID) -> dict[str, Any]:
    dataset = await parts_of(request).datasets.get(actor, dataset_id)
    shell = await renderer_of(request).shell(request, actor, section="datasets")
    base = f"{base_of(request)}/{dataset_id}"
    return {"shell": shell, "title": dataset.name, "base": base, "dataset": dataset}
