"""Datasources: the list with their health, the form that a kind's settings make, testing and deleting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from arcane.access import permissions as p
from arcane.catalog.connection import ConnectionTest
from arcane.catalog.editing import Change, Draft
from arcane.catalog.registry import Kind
from arcane.catalog.service import CatalogService
from arcane.catalog.views import DatasourceView
from arcane.kit.actor import Actor
from arcane.kit.guard import requires
from arcane.kit.http import deadline_of
from arcane.kit.pagination import PageRequest
from arcane.kit.problems import NotFound, Problem
from web.controls import Groups, Stored, controls_of, given, said_by, version_of
from web.flash import flash
from web.forms import FormState, act, entered, refused, say_to
from web.frame import SettingsPage, datasources_frame
from web.rendering import renderer_of

router = APIRouter(prefix="/o/{organisation}/settings/datasources", include_in_schema=False)
PAGE = 100
Reader = Annotated[Actor, requires(p.DATASOURCES_READ)]
Creator = Annotated[Actor, requires(p.DATASOURCES_CREATE)]
Editor = Annotated[Actor, requires(p.DATASOURCES_UPDATE)]
Deleter = Annotated[Actor, requires(p.DATASOURCES_DELETE)]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasourcesPage(SettingsPage):
    template: ClassVar[str] = "datasources/list.html"

    datasources: tuple[DatasourceView, ...]
    next: str | None
    may_create: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class KindsPage(SettingsPage):
    template: ClassVar[str] = "datasources/kinds.html"

    kinds: tuple[Kind, ...]


@dataclass(frozen=True, slots=True)
class Subject:
    """What the form is about: a new datasource of a kind, or one that is stored; and how a test of it went."""

    kind: Kind
    view: DatasourceView | None = None
    test: ConnectionTest | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasourceFormPage(SettingsPage):
    template: ClassVar[str] = "datasources/form.html"

    kind: Kind
    groups: Groups
    form: FormState
    datasource: DatasourceView | None
    test: ConnectionTest | None
    may_save: bool
    may_delete: bool


def _catalog(request: Request) -> CatalogService:
    catalog: CatalogService = request.app.state.catalog
    return catalog


@router.get("")
async def show_list(request: Request, actor: Reader, cursor: str | None = None) -> Response:
    page = await _catalog(request).page(actor, PageRequest(PAGE, cursor))
    frame = await datasources_frame(request, actor)
    shown = DatasourcesPage(
        **frame.fields(""),  # type: ignore[arg-type]
        datasources=page.items,
        next=page.next,
        may_create=actor.may(p.DATASOURCES_CREATE),
    )
    return renderer_of(request).respond(shown)


@router.get("/new")
async def choose_kind(request: Request, actor: Creator) -> Response:
    frame = await datasources_frame(request, actor)
    kinds = tuple(kind for kind in _catalog(request).kinds() if kind.kind != "memory")
    shared = {**frame.fields(""), "title": say_to(request, "Connect a datasource")}
    return renderer_of(request).respond(KindsPage(**shared, kinds=kinds))  # type: ignore[arg-type]


@router.get("/new/{kind}")
async def new(request: Request, actor: Creator, kind: str) -> Response:
    return await _form(request, actor, Subject(_kind(request, kind)), FormState())


@router.post("/new/{kind}")
async def create(request: Request, actor: Creator, kind: str) -> Response:
    made, form = _kind(request, kind), await entered(request)
    settings = given(said_by(made.fields, form))
    try:
        if "test" in form:
            test = await _catalog(request).test_unsaved(actor, kind, settings, deadline_of(request))
            return await _form(request, actor, Subject(made, test=test), FormState(form))
        row = await _catalog(request).create(
            actor, Draft(kind, form.get("name", ""), settings, form.get("description", ""))
        )
    except Problem as problem:
        return await _form(request, actor, Subject(made), refused(form, problem), problem.status)
    return _saved(request, f"{_base(request)}/{row.id}")


@router.get("/{datasource_id}")
async def show(request: Request, actor: Reader, datasource_id: UUID) -> Response:
    view = await _catalog(request).get(actor, datasource_id)
    return await _form(request, actor, Subject(_kind_of(request, view), view), FormState())


@router.get("/{datasource_id}/health")
async def show_health(request: Request, actor: Reader, datasource_id: UUID) -> Response:
    """How it answers now: the page asks every few seconds while somebody looks at it."""
    view = await _catalog(request).get(actor, datasource_id)
    if "hx-request" not in request.headers:
        return RedirectResponse(f"{_base(request)}/{view.id}", 303)
    page = await _page(request, actor, Subject(_kind_of(request, view), view), FormState())
    return HTMLResponse(renderer_of(request).fragment(page, "datasources/health.html"))


@router.post("/{datasource_id}")
async def change(request: Request, actor: Editor, datasource_id: UUID) -> Response:
    view = await _catalog(request).get(actor, datasource_id)
    kind, form = _kind_of(request, view), await entered(request)
    settings = said_by(kind.fields, form)
    try:
        if "test" in form:
            test = await _catalog(request).test_saved(actor, view.id, settings, deadline_of(request))
            return await _form(request, actor, Subject(kind, view, test), FormState(form))
        wanted = Change(form.get("name"), form.get("description"), settings, version_of(form) or view.version)
        await _catalog(request).update(actor, view.id, wanted)
    except Problem as problem:
        return await _form(request, actor, Subject(kind, view), refused(form, problem), problem.status)
    return _saved(request, f"{_base(request)}/{view.id}")


@router.post("/{datasource_id}/delete")
async def delete(request: Request, actor: Deleter, datasource_id: UUID) -> Response:
    said = say_to(request, "The datasource is gone. Its traces are where they were.")
    return await act(request, _catalog(request).delete(actor, datasource_id), _base(request), said)


def _base(request: Request) -> str:
    return f"/o/{request.path_params['organisation']}/settings/datasources"


def _saved(request: Request, to: str) -> Response:
    response = RedirectResponse(to, 303)
    flash(request, response, say_to(request, "Saved."))
    return response


def _kind(request: Request, name: str) -> Kind:
    found = next((kind for kind in _catalog(request).kinds() if kind.kind == name and kind.available), None)
    if found is None:
        raise NotFound("there is no such kind of datasource")
    return found


def _kind_of(request: Request, view: DatasourceView) -> Kind:
    """The kind of a stored datasource, also when its plugin is gone: then there is nothing to edit but the name."""
    found = next((kind for kind in _catalog(request).kinds() if kind.kind == view.kind), None)
    return found or Kind(view.kind, view.kind_title, reason=view.unavailable_reason or "")


async def _form(request: Request, actor: Actor, subject: Subject, form: FormState, status: int = 200) -> Response:
    page = await _page(request, actor, subject, form)
    if "hx-request" in request.headers:
        return HTMLResponse(renderer_of(request).fragment(page, "datasources/test.html"))
    return renderer_of(request).respond(page, status=status)


async def _page(request: Request, actor: Actor, subject: Subject, form: FormState) -> DatasourceFormPage:
    kind, view = subject.kind, subject.view
    frame = await datasources_frame(request, actor)
    return DatasourceFormPage(
        **{**frame.fields(""), "title": view.name if view else frame.shell.language.tell(kind.title)},  # type: ignore[arg-type]
        kind=kind,
        groups=controls_of(kind.fields, form, None if view is None else Stored(view.settings, view.secret_set)),
        form=form,
        datasource=view,
        test=subject.test,
        may_save=actor.may(p.DATASOURCES_UPDATE if view else p.DATASOURCES_CREATE),
        may_delete=view is not None and actor.may(p.DATASOURCES_DELETE),
    )
