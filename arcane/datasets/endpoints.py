"""Datasets over HTTP: what there is, its versions, its rows."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, status

from arcane.access.permissions import (
    DATASETS_CREATE,
    DATASETS_DELETE,
    DATASETS_READ,
    DATASETS_ROWS_CREATE,
    DATASETS_UPDATE,
)
from arcane.datasets import schemas as s
from arcane.datasets.wiring import DatasetParts
from arcane.kit.actor import Actor
from arcane.kit.guard import requires
from arcane.kit.lists import Paging


def in_project(project_id: UUID) -> None:
    """The path names the project; the guard reads it, and so does the OpenAPI document."""


router = APIRouter(prefix="/projects/{project_id}/datasets", tags=["datasets"], dependencies=[Depends(in_project)])


def parts_of(request: Request) -> DatasetParts:
    """Returns the services that main put on the application."""
    parts: DatasetParts = request.app.state.datasets
    return parts


Parts = Annotated[DatasetParts, Depends(parts_of)]
Reader = Annotated[Actor, requires(DATASETS_READ)]
Creator = Annotated[Actor, requires(DATASETS_CREATE)]
Editor = Annotated[Actor, requires(DATASETS_UPDATE)]
Deleter = Annotated[Actor, requires(DATASETS_DELETE)]
RowAdder = Annotated[Actor, requires(DATASETS_ROWS_CREATE)]
VersionNumber = Annotated[int, Query(ge=1, le=2**31 - 1)]
PathNumber = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.get("")
async def list_datasets(parts: Parts, paging: Paging, actor: Reader) -> s.DatasetPage:
    """The project's datasets, by name."""
    return s.DatasetPage.model_validate(await parts.datasets.page(actor, paging))


@router.post("", status_code=status.HTTP_201_CREATED)
async def create_dataset(body: s.DatasetIn, parts: Parts, actor: Creator) -> s.DatasetOut:
    """Adds an empty dataset."""
    columns = [column.wanted() for column in body.columns]
    return s.DatasetOut.model_validate(await parts.datasets.create(actor, body.name, body.description, columns))


@router.get("/{dataset_id}")
async def get_dataset(dataset_id: UUID, parts: Parts, actor: Reader) -> s.DatasetOut:
    """One dataset, its newest version."""
    return s.DatasetOut.model_validate(await parts.datasets.get(actor, dataset_id))


@router.patch("/{dataset_id}")
async def update_dataset(dataset_id: UUID, body: s.DatasetPatch, parts: Parts, actor: Editor) -> s.DatasetOut:
    """Renames a dataset, or describes it; its rows stay as they are."""
    return s.DatasetOut.model_validate(await parts.datasets.update(actor, dataset_id, body.name, body.description))


@router.delete("/{dataset_id}", status_code=status.HTTP_204_NO_CONTENT)
async def delete_dataset(dataset_id: UUID, parts: Parts, actor: Deleter) -> None:
    """Removes a dataset with all its versions."""
    await parts.datasets.delete(actor, dataset_id)


@router.put("/{dataset_id}/columns")
async def change_dataset_columns(dataset_id: UUID, body: s.ColumnsIn, parts: Parts, actor: Editor) -> s.DatasetOut:
    """Renames, adds, orders and removes columns in a new version; values follow a column's id."""
    columns = [column.wanted() for column in body.columns]
    return s.DatasetOut.model_validate(await parts.shape.columns(actor, dataset_id, columns, body.version))


@router.get("/{dataset_id}/versions")
async def list_dataset_versions(dataset_id: UUID, parts: Parts, paging: Paging, actor: Reader) -> s.VersionPage:
    """The versions of a dataset, newest first."""
    return s.VersionPage.model_validate(await parts.datasets.versions(actor, dataset_id, paging))


@router.get("/{dataset_id}/versions/{number}")
async def get_dataset_version(dataset_id: UUID, number: PathNumber, parts: Parts, actor: Reader) -> s.VersionOut:
    """One version: its columns, and how it came about."""
    return s.VersionOut.model_validate(await parts.datasets.version(actor, dataset_id, number))


@router.post("/{dataset_id}/versions/{number}/restore")
async def restore_dataset_version(dataset_id: UUID, number: PathNumber, parts: Parts, actor: Editor) -> s.DatasetOut:
    """Makes a new version that is what an older one was."""
    return s.DatasetOut.model_validate(await parts.rows.restore(actor, dataset_id, number))


@router.get("/{dataset_id}/differences")
async def list_dataset_differences(  # noqa: PLR0913 - two versions and a page
    dataset_id: UUID, older: VersionNumber, newer: VersionNumber, parts: Parts, paging: Paging, actor: Reader
) -> s.DifferencesOut:
    """The rows in which the version `newer` differs from the version `older`, in the order of rows."""
    return s.DifferencesOut.of(await parts.datasets.differences(actor, dataset_id, (older, newer), paging))


@router.get("/{dataset_id}/rows")
async def list_dataset_rows(
    dataset_id: UUID, query: Annotated[s.RowsQuery, Query()], parts: Parts, actor: Reader
) -> s.RowsOut:
    """Rows of a version. All pages of one walk are of the version it began with."""
    return s.RowsOut.of(await parts.datasets.rows(actor, dataset_id, query.wanted()))


@router.post("/{dataset_id}/rows", status_code=status.HTTP_201_CREATED)
async def add_dataset_rows(dataset_id: UUID, body: s.RowsIn, parts: Parts, actor: RowAdder) -> s.RowsOut:
    """Adds rows after all others, in a new version."""
    return s.RowsOut.of(await parts.rows.add(actor, dataset_id, body.drafts()))


@router.patch("/{dataset_id}/rows")
async def edit_dataset_rows(dataset_id: UUID, body: s.RowEditsIn, parts: Parts, actor: Editor) -> s.RowsOut:
    """Changes cells of rows in a new version, and answers with the rows as they are then."""
    return s.RowsOut.of(await parts.rows.edit(actor, dataset_id, body.edits(), body.version))


@router.post("/{dataset_id}/rows/delete")
async def delete_dataset_rows(dataset_id: UUID, body: s.RowsDeletion, parts: Parts, actor: Editor) -> s.DatasetOut:
    """Makes a new version without the rows; older versions keep them."""
    return s.DatasetOut.model_validate(await parts.rows.delete(actor, dataset_id, body.row_ids, body.version))


@router.get("/{dataset_id}/rows/{row_id}")
async def get_dataset_row(
    dataset_id: UUID, row_id: UUID, parts: Parts, actor: Reader, version: VersionNumber | None = None
) -> s.RowOut:
    """One row of the newest version, or of the one that is named."""
    page = await parts.datasets.row(actor, dataset_id, row_id, version)
    return s.RowOut.of(page.dataset, page.rows[0])


@router.get("/{dataset_id}/splits")
async def list_dataset_splits(
    dataset_id: UUID, parts: Parts, actor: Reader, version: VersionNumber | None = None
) -> s.Splits:
    """The splits of a version with their numbers of rows."""
    return s.Splits.of(await parts.datasets.splits(actor, dataset_id, version))


@router.post("/{dataset_id}/splits")
async def assign_dataset_split(dataset_id: UUID, body: s.SplitByHand, parts: Parts, actor: Editor) -> s.DatasetOut:
    """Puts rows into a split."""
    return s.DatasetOut.model_validate(await parts.shape.assign(actor, dataset_id, body.split, body.row_ids))


@router.post("/{dataset_id}/splits/by-column")
async def split_dataset_by_column(dataset_id: UUID, body: s.SplitByColumn, parts: Parts, actor: Editor) -> s.DatasetOut:
    """Puts every row into the split that its text in a column names."""
    return s.DatasetOut.model_validate(await parts.shape.assign_by_column(actor, dataset_id, body.column))


@router.post("/{dataset_id}/splits/by-chance")
async def split_dataset_by_chance(dataset_id: UUID, body: s.SplitByChance, parts: Parts, actor: Editor) -> s.DatasetOut:
    """Puts rows into splits by percentages; the same seed gives the same splits."""
    changed = await parts.shape.assign_by_chance(
        actor, dataset_id, body.shares, body.seed, unassigned=body.only_unassigned
    )
    return s.DatasetOut.model_validate(changed)
