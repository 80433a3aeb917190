"""Files of datasets in pages: a preview before the import, and the export."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import FormData, UploadFile

from arcane.access import permissions as p
from arcane.datasets.columns import Column, ColumnType
from arcane.datasets.file_endpoints import file_response
from arcane.datasets.files.request import Format, ReadAnswer
from arcane.datasets.pinned import PinnedDataset
from arcane.datasets.problems import BadFile
from arcane.datasets.service.importing import GivenFile, Mode
from arcane.datasets.views import DatasetRowView, DatasetView
from arcane.kit.actor import Actor
from arcane.kit.guard import again_of, requires
from arcane.kit.problems import Problem
from web.datasetrows import GridRow, grid_row
from web.flash import flash
from web.forms import FormState, refused, say_to
from web.pages.datasets import base_of, parts_of
from web.rendering import Page, renderer_of

router = APIRouter(prefix="/o/{organisation}/p/{project}/datasets", include_in_schema=False)
Importer = Annotated[Actor, requires(p.DATASETS_IMPORT)]
Exporter = Annotated[Actor, requires(p.DATASETS_EXPORT)]
_CHUNK = 256 * 1024
_NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Preview:
    """What an import would make of a file."""

    answer: ReadAnswer
    rows: tuple[GridRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPage(Page):
    template: ClassVar[str] = "datasets/import.html"

    base: str
    action: str
    into: DatasetView | None
    form: FormState
    preview: Preview | None


@router.get("/import")
async def show_import(request: Request, actor: Importer) -> Response:
    return await _respond(request, actor, None, FormState(), None)


@router.post("/import")
async def import_new(request: Request, actor: Importer) -> Response:
    return await _imported(request, actor, None)


@router.get("/{dataset_id}/import")
async def show_import_into(request: Request, actor: Importer, dataset_id: UUID) -> Response:
    return await _respond(request, actor, await parts_of(request).datasets.get(actor, dataset_id), FormState(), None)


@router.post("/{dataset_id}/import")
async def import_into(request: Request, actor: Importer, dataset_id: UUID) -> Response:
    return await _imported(request, actor, await parts_of(request).datasets.get(actor, dataset_id))


@router.get("/{dataset_id}/export")
async def export(
    request: Request,
    actor: Exporter,
    dataset_id: UUID,
    format: Format = Format.CSV,
    version: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
) -> Response:
    made = await parts_of(request).exports.export(actor, dataset_id, format, version)
    return file_response(made, again_of(request, p.DATASETS_EXPORT))


async def _imported(request: Request, actor: Actor, into: DatasetView | None) -> Response:
    """What is asked for: a look at what would become of the file, or the import."""
    sent = await request.form()
    form = {name: value for name, value in sent.items() if isinstance(value, str)}
    imports = parts_of(request).imports
    mode = Mode.REPLACE if form.get("mode") == Mode.REPLACE else Mode.APPEND
    try:
        with imports.processes.folder() as folder:
            file = await _received(request, sent, form, folder / "given")
            if "preview" in form:
                into_id = into.id if into is not None else None
                answer = await imports.preview(actor, file, into=into_id, mode=mode)
                return await _respond(request, actor, into, FormState(form), _preview(answer))
            if into is None:
                made = await imports.create(actor, file, form.get("name", ""), form.get("description", ""))
            else:
                made = await imports.into(actor, into.id, file, mode)
    except Problem as problem:
        errors = FormState(form, {}, problem.detail) if isinstance(problem, BadFile) else refused(form, problem)
        return await _respond(request, actor, into, errors, None, problem.status)
    response = RedirectResponse(f"{base_of(request)}/{made.id}", 303)
    flash(request, response, say_to(request, "The file is imported."))
    return response


async def _received(request: Request, sent: FormData, form: dict[str, str], path: Path) -> GivenFile:
    upload = sent.get("file")
    if not isinstance(upload, UploadFile) or not upload.filename:
        raise BadFile(say_to(request, "Choose a file."))
    await parts_of(request).imports.processes.receive(_chunks(upload), path)
    ending = upload.filename.rpartition(".")[2].lower()
    known = {"jsonl": Format.JSONL, "ndjson": Format.JSONL, "parquet": Format.PARQUET, "pq": Format.PARQUET}
    types: dict[str, ColumnType] = {}
    for name, kind in form.items():
        if name.startswith("type:") and kind in set(ColumnType):
            types[name.removeprefix("type:")] = ColumnType(kind)
    return GivenFile(path, known.get(ending, Format.CSV), types)


async def _chunks(upload: UploadFile) -> AsyncIterator[bytes]:
    while chunk := await upload.read(_CHUNK):
        yield chunk


def _preview(answer: ReadAnswer) -> Preview:
    columns = tuple(Column(one.id, one.name, ColumnType(one.type)) for one in answer.columns)
    pinned = PinnedDataset(_NOBODY, _NOBODY, _NOBODY, "", 1, columns, answer.rows)
    rows = [DatasetRowView(_NOBODY, place, row, "", None, 1) for place, row in enumerate(answer.sample, start=1)]
    return Preview(answer, tuple(grid_row(pinned, row) for row in rows))


async def _respond(  # noqa: PLR0913 - the form as it is shown again
    request: Request,
    actor: Actor,
    into: DatasetView | None,
    form: FormState,
    preview: Preview | None,
    status: int = 200,
) -> Response:
    renderer = renderer_of(request)
    base = base_of(request)
    shared: dict[str, Any] = {"base": base, "action": f"{base}/{into.id}/import" if into else f"{base}/import"}
    page = ImportPage(
        shell=await renderer.shell(request, actor, section="datasets"),
        title=say_to(request, "Import a file"),
        into=into,
        form=form,
        preview=preview,
        **shared,
    )
    if "hx-request" in request.headers:
        return HTMLResponse(renderer.fragment(page, "datasets/preview.html"))
    return renderer.respond(page, status=status)
