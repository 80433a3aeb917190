"""Files of datasets over HTTP. An import's body is the file itself, read as it arrives."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response, status
from pydantic import ConfigDict, Field

from arcane.access.permissions import DATASETS_EXPORT, DATASETS_IMPORT
from arcane.datasets.columns import ColumnType
from arcane.datasets.endpoints import Parts, VersionNumber, in_project
from arcane.datasets.files.request import Format
from arcane.datasets.problems import BadFile
from arcane.datasets.schemas import DatasetOut, Description, Name, PreviewOut
from arcane.datasets.service.exporting import MEDIA_TYPES, Export
from arcane.datasets.service.importing import GivenFile, Mode
from arcane.datasets.wiring import DatasetParts
from arcane.kit.actor import Actor
from arcane.kit.download import Download
from arcane.kit.guard import Again, again_of, requires
from arcane.kit.schema import Schema

BODIES = re.compile(
    r"^/api/v1/projects/[^/]+/datasets/(?:[^/]+/)?imports(?:/preview)?$"
    r"|^/o/[^/]+/p/[^/]+/datasets/(?:[^/]+/)?import$"
)
"""Where a body is a file, or a form with one: these have a limit of their own."""

router = APIRouter(prefix="/projects/{project_id}/datasets", tags=["datasets"], dependencies=[Depends(in_project)])
Importer = Annotated[Actor, requires(DATASETS_IMPORT)]
Exporter = Annotated[Actor, requires(DATASETS_EXPORT)]
_FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {kind.partition(";")[0]: {"schema": {}} for kind in MEDIA_TYPES.values()},
    }
}
"""Any bytes at all: what is wrong with a file is said line by line."""
_EXPORTED: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file",
        "content": {kind.partition(";")[0]: {"schema": {"type": "string"}} for kind in MEDIA_TYPES.values()},
    }
}


class _FileQuery(Schema):
    """What is said about a file."""

    model_config = ConfigDict(extra="forbid")

    format: Annotated[Format, Field(description="csv, jsonl or parquet.")] = Format.CSV
    type: Annotated[
        list[Annotated[str, Field(max_length=220)]],
        Field(max_length=1_000, description="`name:text`, a column and its type, not to be found out."),
    ] = []
    delimiter: Annotated[
        str, Field(max_length=1, pattern=r"^[,;|\t]?$", description="Of CSV; empty: the one that the header has.")
    ] = ""

    def types(self) -> dict[str, ColumnType]:
        """Returns the types by column name; raises BadFile."""
        found = {}
        for said in self.type:
            name, _, kind = said.rpartition(":")
            if kind not in set(ColumnType):
                raise BadFile(f"{said} is not a column and its type, as in question:text")
            found[name] = ColumnType(kind)
        return found


class _NewFileQuery(_FileQuery):
    name: Name
    description: Description = ""


class _IntoQuery(_FileQuery):
    mode: Annotated[Mode, Field(description="Whether the file's rows come after those there, or instead.")] = (
        Mode.APPEND
    )


@asynccontextmanager
async def _received(request: Request, parts: DatasetParts, query: _FileQuery) -> AsyncIterator[GivenFile]:
    types = query.types()
    with parts.imports.processes.folder() as folder:
        await parts.imports.processes.receive(request.stream(), folder / "given")
        yield GivenFile(folder / "given", query.format, types, query.delimiter)


@router.post("/imports", status_code=status.HTTP_201_CREATED, openapi_extra=_FILE)
async def import_dataset(
    request: Request, query: Annotated[_NewFileQuery, Query()], parts: Parts, actor: Importer
) -> DatasetOut:
    """Makes a dataset of the file that is the body. Nothing is there when a row cannot be imported."""
    async with _received(request, parts, query) as file:
        return DatasetOut.model_validate(await parts.imports.create(actor, file, query.name, query.description))


@router.post("/imports/preview", openapi_extra=_FILE)
async def preview_dataset_import(
    request: Request, query: Annotated[_FileQuery, Query()], parts: Parts, actor: Importer
) -> PreviewOut:
    """What an import of the file would make: columns, first rows, and the rows that cannot be imported."""
    async with _received(request, parts, query) as file:
        return PreviewOut.of(await parts.imports.preview(actor, file))


@router.post("/{dataset_id}/imports", openapi_extra=_FILE)
async def import_into_dataset(
    dataset_id: UUID, request: Request, query: Annotated[_IntoQuery, Query()], parts: Parts, actor: Importer
) -> DatasetOut:
    """Adds the file's rows to a dataset, or puts them in place of its rows, in one new version or not at all."""
    async with _received(request, parts, query) as file:
        return DatasetOut.model_validate(await parts.imports.into(actor, dataset_id, file, query.mode))


@router.post("/{dataset_id}/imports/preview", openapi_extra=_FILE)
async def preview_import_into_dataset(
    dataset_id: UUID, request: Request, query: Annotated[_IntoQuery, Query()], parts: Parts, actor: Importer
) -> PreviewOut:
    """What an import of the file into the dataset would make."""
    async with _received(request, parts, query) as file:
        return PreviewOut.of(await parts.imports.preview(actor, file, into=dataset_id, mode=query.mode))


@router.get("/{dataset_id}/export", responses=_EXPORTED, response_class=Response)
async def export_dataset(  # noqa: PLR0913 - which file of which part of which version
    request: Request,
    dataset_id: UUID,
    parts: Parts,
    actor: Exporter,
    format: Format = Format.CSV,
    version: VersionNumber | None = None,
    split: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """A version, or one split of it, as a file; streamed."""
    export = await parts.exports.export(actor, dataset_id, format, version, split)
    return file_response(export, again_of(request, DATASETS_EXPORT))


def file_response(export: Export, again: Again) -> Response:
    """Returns the export as a file to keep, sent for as long as `again` raises nothing."""
    plain = re.sub(r"[^A-Za-z0-9._ -]", "_", export.file_name)
    disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(export.file_name)}"
    return Download(export.chunks, again, MEDIA_TYPES[export.format], {"content-disposition": disposition})
