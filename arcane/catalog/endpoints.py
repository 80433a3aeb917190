"""Datasources over HTTP: an organisation's own, and what a project's reader sees of them."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, status

from arcane.access.permissions import (
    DATASOURCES_CREATE,
    DATASOURCES_DELETE,
    DATASOURCES_READ,
    DATASOURCES_UPDATE,
    TRACES_READ,
)
from arcane.catalog.schemas import (
    ConnectionRetestIn,
    ConnectionTestIn,
    ConnectionTestOut,
    DatasourceIn,
    DatasourceOut,
    DatasourcePage,
    DatasourcePatch,
    KindOut,
    Kinds,
    ReadableDatasourceOut,
    ReadableDatasources,
)
from arcane.catalog.service import CatalogService
from arcane.kit.actor import Actor
from arcane.kit.guard import requires
from arcane.kit.http import deadline_of
from arcane.kit.lists import Paging


def _in_organisation(organisation_id: UUID) -> None:
    """The path names the organisation; the guard reads it, and so does the OpenAPI document."""


def _in_project(project_id: UUID) -> None:
    """The path names the project."""


router = APIRouter(tags=["datasources"])
_organisation = APIRouter(prefix="/organisations/{organisation_id}", dependencies=[Depends(_in_organisation)])
_project = APIRouter(prefix="/projects/{project_id}", dependencies=[Depends(_in_project)])


def _catalog(request: Request) -> CatalogService:
    catalog: CatalogService = request.app.state.catalog
    return catalog


Catalog = Annotated[CatalogService, Depends(_catalog)]
Reader = Annotated[Actor, requires(DATASOURCES_READ)]
Creator = Annotated[Actor, requires(DATASOURCES_CREATE)]
Editor = Annotated[Actor, requires(DATASOURCES_UPDATE)]
Deleter = Annotated[Actor, requires(DATASOURCES_DELETE)]
TraceReader = Annotated[Actor, requires(TRACES_READ)]


@_organisation.get("/datasource-kinds")
async def list_datasource_kinds(catalog: Catalog, actor: Reader) -> Kinds:
    """Every kind of datasource this instance has a package for, with the fields of its form."""
    return Kinds(items=[KindOut.of(kind) for kind in catalog.kinds()], next=None)


@_organisation.get("/datasources")
async def list_datasources(catalog: Catalog, paging: Paging, actor: Reader) -> DatasourcePage:
    """The organisation's datasources, by name."""
    return DatasourcePage.model_validate(await catalog.page(actor, paging))


@_organisation.post("/datasources", status_code=status.HTTP_201_CREATED)
async def create_datasource(body: DatasourceIn, catalog: Catalog, actor: Creator) -> DatasourceOut:
    """Adds a datasource. It is not asked: test the connection for that."""
    return DatasourceOut.model_validate(await catalog.create(actor, body.draft()))


@_organisation.post("/datasources/test")
async def try_unsaved_datasource(
    body: ConnectionTestIn, request: Request, catalog: Catalog, actor: Creator
) -> ConnectionTestOut:
    """Asks a datasource that is not stored what it is and what it can do."""
    found = await catalog.test_unsaved(actor, body.kind, body.settings, deadline_of(request))
    return ConnectionTestOut.of(found)


@_organisation.get("/datasources/{datasource_id}")
async def get_datasource(datasource_id: UUID, catalog: Catalog, actor: Reader) -> DatasourceOut:
    """One datasource, its secrets masked."""
    return DatasourceOut.model_validate(await catalog.get(actor, datasource_id))


@_organisation.patch("/datasources/{datasource_id}")
async def update_datasource(
    datasource_id: UUID, body: DatasourcePatch, catalog: Catalog, actor: Editor
) -> DatasourceOut:
    """Changes a datasource; requests under way finish with the old settings."""
    return DatasourceOut.model_validate(await catalog.update(actor, datasource_id, body.change()))


@_organisation.delete("/datasources/{datasource_id}", status_code=status.HTTP_204_NO_CONTENT)
async def delete_datasource(datasource_id: UUID, catalog: Catalog, actor: Deleter) -> None:
    """Removes a datasource. The traces it holds are not touched."""
    await catalog.delete(actor, datasource_id)


@_organisation.post("/datasources/{datasource_id}/test")
async def try_datasource(
    datasource_id: UUID,
    request: Request,
    catalog: Catalog,
    actor: Reader,
    body: ConnectionRetestIn | None = None,
) -> ConnectionTestOut:
    """Asks a stored datasource what it is and what it can do.

    With `settings`, it is asked with these changes; that needs the permission to make them.
    """
    settings = body.settings if body else None
    found = await catalog.test_saved(actor, datasource_id, settings, deadline_of(request))
    return ConnectionTestOut.of(found)


@_project.get("/datasources")
async def list_project_datasources(catalog: Catalog, actor: TraceReader) -> ReadableDatasources:
    """The datasources that the project's questions may be put to, by name."""
    items = [ReadableDatasourceOut.model_validate(found) for found in await catalog.list(actor)]
    return ReadableDatasources(items=items, next=None)


router.include_router(_organisation)
router.include_router(_project)
