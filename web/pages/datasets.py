"""Datasets: the list, the grid of rows, and the form of one row."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from arcane.access import permissions as p
from arcane.datasets.columns import BadValue, ColumnType, read
from arcane.datasets.pinned import PinnedDataset
from arcane.datasets.views import DatasetRowView, DatasetView, NewColumn, NumberedPage, RowDraft, RowEdit, RowsRequest
from arcane.datasets.wiring import DatasetParts
from arcane.kit.actor import Actor
from arcane.kit.guard import requires
from arcane.kit.pagination import PageRequest
from arcane.kit.problems import Problem
from web.datasetrows import EditedCell, GridRow, edited, grid_row
from web.flash import flash
from web.forms import FormState, act, entered, refused, say_to, uuid_of
from web.rendering import Page, renderer_of

router = APIRouter(prefix="/o/{organisation}/p/{project}/datasets", include_in_schema=False)
PAGE = 100
ROWS = 100
Reader = Annotated[Actor, requires(p.DATASETS_READ)]
Creator = Annotated[Actor, requires(p.DATASETS_CREATE)]
Editor = Annotated[Actor, requires(p.DATASETS_UPDATE)]
Deleter = Annotated[Actor, requires(p.DATASETS_DELETE)]
RowAdder = Annotated[Actor, requires(p.DATASETS_ROWS_CREATE)]
VersionNumber = Annotated[int | None, Query(ge=1, le=2**31 - 1)]


@dataclass(frozen=True, slots=True)
class May:
    """What the person may do with datasets."""

    create: bool
    edit: bool
    add: bool
    delete: bool
    load: bool
    export: bool

    @classmethod
    def of(cls, actor: Actor) -> May:
        """Returns what `actor` may."""
        wanted = (
            p.DATASETS_CREATE,
            p.DATASETS_UPDATE,
            p.DATASETS_ROWS_CREATE,
            p.DATASETS_DELETE,
            p.DATASETS_IMPORT,
            p.DATASETS_EXPORT,
        )
        return cls(*(actor.may(one) for one in wanted))


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetsPage(Page):
    template: ClassVar[str] = "datasets/list.html"

    base: str
    datasets: tuple[DatasetView, ...]
    next: str | None
    form: FormState
    may: May


@dataclass(frozen=True, slots=True)
class Shown:
    """Which rows the grid shows, as its address says it."""

    version: int | None
    split: str | None
    q: str
    sort: str
    order: str
    page: int

    def address(self, base: str, **changes: object) -> str:
        """Returns the address of the grid with some of it different; every other change begins at the first page."""
        said = {"version": self.version, "split": self.split, "q": self.q, "sort": self.sort, "order": self.order}
        wanted = {**said, "page": None, **changes}
        kept = {name: value for name, value in wanted.items() if value not in (None, "") or name == "split"}
        return f"{base}?{urlencode({name: value for name, value in kept.items() if value is not None})}"


@dataclass(frozen=True, slots=True, kw_only=True)
class GridPage(Page):
    template: ClassVar[str] = "datasets/grid.html"

    base: str
    api: str
    dataset: DatasetView
    pinned: PinnedDataset
    shown: Shown
    rows: tuple[GridRow, ...]
    found: NumberedPage
    splits: tuple[tuple[str, int], ...]
    failure: str
    is_newest: bool
    may: May


@dataclass(frozen=True, slots=True, kw_only=True)
class RowPage(Page):
    template: ClassVar[str] = "datasets/row.html"

    base: str
    pinned: PinnedDataset
    row: DatasetRowView | None
    cells: tuple[EditedCell, ...]
    split: str
    back: str
    message: str
    is_newest: bool
    may: May


def parts_of(request: Request) -> DatasetParts:
    """Returns the services."""
    parts: DatasetParts = request.app.state.datasets
    return parts


def base_of(request: Request) -> str:
    """Returns the address of the project's datasets."""
    path = request.path_params
    return f"/o/{path['organisation']}/p/{path['project']}/datasets"


@router.get("")
async def show_list(request: Request, actor: Reader, cursor: str | None = None) -> Response:
    return await _list(request, actor, FormState(), cursor)


@router.post("")
async def create(request: Request, actor: Creator) -> Response:
    form = await entered(request)
    try:
        columns = columns_in(form.get("columns", ""))
        made = await parts_of(request).datasets.create(
            actor, form.get("name", ""), form.get("description", ""), columns
        )
    except Problem as problem:
        return await _list(request, actor, refused(form, problem), None, problem.status)
    return RedirectResponse(f"{base_of(request)}/{made.id}", 303)


@router.get("/{dataset_id}")
async def show(  # noqa: PLR0913 - what the address says of the grid
    request: Request,
    actor: Reader,
    dataset_id: UUID,
    version: VersionNumber = None,
    split: Annotated[str | None, Query(max_length=200)] = None,
    q: Annotated[str, Query(max_length=1_000)] = "",
    sort: Annotated[str, Query(max_length=200)] = "",
    order: Literal["asc", "desc"] = "asc",
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
) -> Response:
    return await _grid(request, actor, dataset_id, Shown(version, split, q, sort, order, page))


@router.post("/{dataset_id}/delete")
async def delete(request: Request, actor: Deleter, dataset_id: UUID) -> Response:
    work = parts_of(request).datasets.delete(actor, dataset_id)
    return await act(request, work, base_of(request), say_to(request, "The dataset is gone."))


@router.post("/{dataset_id}/rename")
async def rename(request: Request, actor: Editor, dataset_id: UUID) -> Response:
    form = await entered(request)
    work = parts_of(request).datasets.update(actor, dataset_id, form.get("name"), form.get("description"))
    return await act(request, work, f"{base_of(request)}/{dataset_id}", say_to(request, "Saved."))


@router.post("/{dataset_id}/chosen")
async def change_chosen(request: Request, actor: Editor, dataset_id: UUID) -> Response:
    """What is done with the rows that are ticked: they are deleted, or put into a split."""
    sent = await request.form()
    chosen = [uuid_of(str(value)) for value in sent.getlist("row")]
    back = _back(request, str(sent.get("back", "")), dataset_id)
    parts = parts_of(request)
    if "delete" in sent:
        work = parts.rows.delete(actor, dataset_id, chosen)
        return await act(request, work, back, say_to(request, "The rows are deleted; older versions keep them."))
    work = parts.shape.assign(actor, dataset_id, str(sent.get("split", "")), chosen)
    return await act(request, work, back, say_to(request, "The rows are in their split."))


@router.get("/{dataset_id}/rows/new")
async def new_row(request: Request, actor: RowAdder, dataset_id: UUID) -> Response:
    pinned = await pinned_of(request, actor, dataset_id)
    return await _row(request, actor, pinned, None, edited(pinned, None))


@router.post("/{dataset_id}/rows/new")
async def add_row(request: Request, actor: RowAdder, dataset_id: UUID) -> Response:
    pinned = await pinned_of(request, actor, dataset_id)
    sent = {name: str(value) for name, value in (await request.form()).items()}
    cells, values = _entered_cells(request, pinned, sent)
    try:
        if any(cell.error for cell in cells):
            return await _row(request, actor, pinned, None, cells, status=422)
        await parts_of(request).rows.add(actor, dataset_id, [RowDraft(values, sent.get("split", ""))])
    except Problem as problem:
        return await _row(request, actor, pinned, None, cells, problem.detail, problem.status)
    return _saved(request, _back(request, sent.get("back", ""), dataset_id))


@router.get("/{dataset_id}/rows/{row_id}")
async def show_row(
    request: Request, actor: Reader, dataset_id: UUID, row_id: UUID, version: VersionNumber = None
) -> Response:
    found = await parts_of(request).datasets.row(actor, dataset_id, row_id, version)
    row = found.rows[0]
    return await _row(request, actor, found.dataset, row, edited(found.dataset, row))


@router.post("/{dataset_id}/rows/{row_id}")
async def change_row(request: Request, actor: Editor, dataset_id: UUID, row_id: UUID) -> Response:
    sent = {name: str(value) for name, value in (await request.form()).items()}
    found = await parts_of(request).datasets.row(actor, dataset_id, row_id)
    cells, values = _entered_cells(request, found.dataset, sent)
    row = found.rows[0]
    try:
        if any(cell.error for cell in cells):
            return await _row(request, actor, found.dataset, row, cells, status=422)
        made_for = sent.get("version", "")
        version = int(made_for) if made_for.isdecimal() and len(made_for) < 10 else None
        edit = RowEdit(row_id, values, sent.get("split", ""))
        await parts_of(request).rows.edit(actor, dataset_id, [edit], version)
    except Problem as problem:
        return await _row(request, actor, found.dataset, row, cells, problem.detail, problem.status)
    return _saved(request, _back(request, sent.get("back", ""), dataset_id))


async def pinned_of(request: Request, actor: Actor, dataset_id: UUID, version: int | None = None) -> PinnedDataset:
    """Returns a version of the dataset; raises UnknownDataset."""
    parts = parts_of(request)
    async with parts.datasets.maker.database.transaction(actor.tenant) as session:
        return await parts.datasets.pin(session, actor, dataset_id, version)


def columns_in(text: str) -> list[NewColumn]:
    """Returns the columns that a text names, one a line: `name`, or `name: type`."""
    found = []
    for line in filter(None, map(str.strip, text.splitlines())):
        name, _, kind = line.rpartition(":")
        known = kind.strip() in set(ColumnType)
        found.append(NewColumn(name.strip(), ColumnType(kind.strip())) if known and name else NewColumn(line))
    return found


def _entered_cells(
    request: Request, pinned: PinnedDataset, sent: dict[str, str]
) -> tuple[tuple[EditedCell, ...], dict[str, object]]:
    """What was entered, with what is wrong beside it; and the values by column name."""
    limits = parts_of(request).datasets.maker.limits
    cells, values = [], {}
    for cell in edited(pinned, None):
        text = sent.get(cell.name, "").replace("\r\n", "\n")
        error, value = "", None
        try:
            value = read(cell.column.type, text, limits.cell_bytes_max)
        except BadValue as exc:
            error = str(exc)
        cells.append(replace(cell, text=text, error=error))
        values[cell.column.name] = value
    return tuple(cells), values


def _back(request: Request, back: str, dataset_id: UUID) -> str:
    """Where the person was: an address of this dataset, and no other."""
    here = f"{base_of(request)}/{dataset_id}"
    return back if back == here or back.startswith(f"{here}?") else here


def _saved(request: Request, to: str) -> Response:
    response = RedirectResponse(to, 303)
    flash(request, response, say_to(request, "Saved."))
    return response


async def _list(request: Request, actor: Actor, form: FormState, cursor: str | None, status: int = 200) -> Response:
    renderer = renderer_of(request)
    found = await parts_of(request).datasets.page(actor, PageRequest(PAGE, cursor))
    page = DatasetsPage(
        shell=await renderer.shell(request, actor, section="datasets"),
        title=say_to(request, "Datasets"),
        base=base_of(request),
        datasets=found.items,
        next=found.next,
        form=form,
        may=May.of(actor),
    )
    return renderer.respond(page, status=status)


async def _grid(request: Request, actor: Actor, dataset_id: UUID, shown: Shown) -> Response:
    renderer, service = renderer_of(request), parts_of(request).datasets
    dataset = await service.get(actor, dataset_id)
    wanted = RowsRequest(shown.version, shown.split, shown.q, shown.sort, shown.order == "desc", ROWS)
    failure = ""
    try:
        found = await service.numbered(actor, dataset_id, wanted, shown.page)
    except Problem as problem:
        if problem.status == 404:
            raise
        failure = problem.detail
        found = NumberedPage(await pinned_of(request, actor, dataset_id, shown.version), (), 1, ROWS, 0)
    page = GridPage(
        shell=await renderer.shell(request, actor, section="datasets"),
        title=dataset.name,
        base=f"{base_of(request)}/{dataset_id}",
        api=f"/api/v1/projects/{actor.project_id}/datasets/{dataset_id}",
        dataset=dataset,
        pinned=found.dataset,
        shown=shown,
        rows=tuple(grid_row(found.dataset, row) for row in found.rows),
        found=found,
        splits=tuple(await service.splits(actor, dataset_id, shown.version)),
        failure=failure,
        is_newest=found.dataset.version == dataset.version,
        may=May.of(actor),
    )
    return renderer.respond(page)


async def _row(  # noqa: PLR0913 - the form as it is shown again
    request: Request,
    actor: Actor,
    pinned: PinnedDataset,
    row: DatasetRowView | None,
    cells: tuple[EditedCell, ...],
    message: str = "",
    status: int = 200,
) -> Response:
    renderer = renderer_of(request)
    newest = await parts_of(request).datasets.get(actor, pinned.id)
    page = RowPage(
        shell=await renderer.shell(request, actor, section="datasets"),
        title=pinned.name,
        base=f"{base_of(request)}/{pinned.id}",
        pinned=pinned,
        row=row,
        cells=cells,
        split=row.split if row is not None else "",
        back=_back(request, request.headers.get("x-grid", ""), pinned.id),
        message=message,
        is_newest=newest.version == pinned.version,
        may=May.of(actor),
    )
    if "hx-request" in request.headers:
        return HTMLResponse(renderer.fragment(page, "datasets/rowform.html"), status_code=status)
    return renderer.respond(page, status=status)
