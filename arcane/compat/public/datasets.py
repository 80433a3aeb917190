"""Datasets for the published clients: rows are lists of texts, in the order of the header."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import ConfigDict, Field
from starlette.responses import Response

from arcane.access.permissions import DATASETS_READ, DATASETS_ROWS_CREATE
from arcane.compat.public.answering import PublicRoute
from arcane.compat.public.ids import id_of
from arcane.compat.public.paging import Numbered, pagination, whole
from arcane.datasets.columns import BadValue, Column, read, written
from arcane.datasets.pinned import PinnedDataset
from arcane.datasets.problems import InvalidDataset, UnknownDataset
from arcane.datasets.views import DatasetRowView, RowDraft, RowsRequest
from arcane.datasets.wiring import DatasetParts
from arcane.kit.actor import Actor
from arcane.kit.guard import key_requires
from arcane.kit.http import json_response
from arcane.kit.schema import Schema

router = APIRouter(prefix="/datasets", route_class=PublicRoute, include_in_schema=False)

Reader = Annotated[Actor, key_requires(DATASETS_READ)]
Adder = Annotated[Actor, key_requires(DATASETS_ROWS_CREATE)]
_ROW_ORDER = "id"


class NewRow(Schema):
    """A row: one text for each column."""

    model_config = ConfigDict(extra="forbid")

    values: Annotated[list[str], Field(max_length=10_000)]


@router.get("")
async def list_datasets(request: Request, actor: Reader) -> Response:
    """Returns the project's datasets."""
    found = await whole(lambda page: _parts(request).datasets.page(actor, page))
    return json_response(
        [
            {
                "id": view.id,
                "name": view.name,
                "description": view.description or None,
                "createdAt": view.created_at,
                "updatedAt": view.updated_at,
            }
            for view in found
        ]
    )


@router.get("/{dataset}")
async def get_dataset(
    request: Request, dataset: str, numbered: Annotated[Numbered, Query()], actor: Reader
) -> Response:
    """Returns a page of rows of the newest version, and what the dataset is."""
    datasets, dataset_id = _parts(request).datasets, _id(dataset)
    view = await datasets.get(actor, dataset_id)
    wanted = RowsRequest(
        search=numbered.search,
        sort=_sorted_by(numbered.sort_by, view.columns),
        descending=numbered.descending,
        limit=numbered.limit,
    )
    page = await datasets.numbered(actor, dataset_id, wanted, numbered.page)
    body = {
        "id": dataset_id,
        "name": view.name,
        "description": view.description or None,
        "header": [column.name for column in page.dataset.columns],
        "data": [row_body(page.dataset, row) for row in page.rows],
        "pagination": pagination(page.page, page.limit, page.total),
    }
    return json_response(body)


@router.post("/{dataset}/rows", status_code=201)
async def add_row(request: Request, dataset: str, body: NewRow, actor: Adder) -> Response:
    """Returns the new row, which is the last one; the dataset has a new version."""
    parts, dataset_id = _parts(request), _id(dataset)
    view = await parts.datasets.get(actor, dataset_id)
    if len(body.values) != len(view.columns):
        raise InvalidDataset(f"a row of this dataset has {len(view.columns)} values, in the order of its header")
    most = parts.rows.maker.limits.cell_bytes_max
    values = {column.name: _read(column, text, most) for column, text in zip(view.columns, body.values, strict=True)}
    added = await parts.rows.add(actor, dataset_id, [RowDraft(values)])
    return json_response(row_body(added.dataset, added.rows[0]), status=201)


def row_body(dataset: PinnedDataset, row: DatasetRowView) -> dict[str, Any]:
    """Returns the row with its cells as texts."""
    cells = [written(column.type, row.values.get(column.id)) for column in dataset.columns]
    return {"id": row.row_id, "values": cells}


def _parts(request: Request) -> DatasetParts:
    parts: DatasetParts = request.app.state.datasets
    return parts


def _id(text: str) -> UUID:
    return id_of(text, UnknownDataset("there is no such dataset"))


def _sorted_by(text: str, columns: tuple[Column, ...]) -> str:
    """Returns the name of the column that is meant: the clients send its number, or `id` for the order of rows."""
    if text in ("", _ROW_ORDER):
        return ""
    if text.isascii() and text.isdigit() and int(text) < len(columns):
        return columns[int(text)].name
    raise InvalidDataset(f"sortBy is {_ROW_ORDER} or the number of a column, from 0")


def _read(column: Column, text: str, most: int) -> Any:
    try:
        return read(column.type, text, most)
    except BadValue as exc:
        raise InvalidDataset(f"{column.name}: {exc}") from exc
