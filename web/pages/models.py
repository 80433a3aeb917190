"""Model configurations: the list, the form that a provider's settings make, testing and deleting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from arcane.access import permissions as p
from arcane.catalog.form import FieldType, FormField
from arcane.kit.actor import Actor
from arcane.kit.guard import requires
from arcane.kit.http import deadline_of
from arcane.kit.pagination import PageRequest
from arcane.kit.problems import NotFound, Problem
from arcane.models.providers import KINDS, ProviderKind, kind_of
from arcane.models.running import ModelTest, RunNow
from arcane.models.schemas import ModelConfigurationIn, ModelConfigurationPatch
from arcane.models.service import ModelService
from arcane.models.views import ModelView
from web.controls import Groups, Stored, controls_of, given, said_by, version_of
from web.flash import flash
from web.forms import FormState, act, entered, parsed, refused, say_to
from web.frame import SettingsPage, models_frame
from web.rendering import renderer_of

router = APIRouter(prefix="/o/{organisation}/settings/models", include_in_schema=False)
PAGE = 100
Reader = Annotated[Actor, requires(p.MODEL_CONFIGURATIONS_READ)]
Creator = Annotated[Actor, requires(p.MODEL_CONFIGURATIONS_CREATE)]
Editor = Annotated[Actor, requires(p.MODEL_CONFIGURATIONS_UPDATE)]
Deleter = Annotated[Actor, requires(p.MODEL_CONFIGURATIONS_DELETE)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelsPage(SettingsPage):
    template: ClassVar[str] = "models/list.html"

    models: tuple[ModelView, ...]
    next: str | None
    may_create: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvidersPage(SettingsPage):
    template: ClassVar[str] = "models/providers.html"

    kinds: tuple[ProviderKind, ...]


@dataclass(frozen=True, slots=True)
class Subject:
    """What the form is about: a new model of a provider, or one that is stored; and how a test of it went."""

    kind: ProviderKind
    view: ModelView | None = None
    test: ModelTest | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFormPage(SettingsPage):
    template: ClassVar[str] = "models/form.html"

    kind: ProviderKind
    groups: Groups
    form: FormState
    model: ModelView | None
    test: ModelTest | None
    may_save: bool
    may_delete: bool


def _models(request: Request) -> ModelService:
    models: ModelService = request.app.state.models
    return models


def _runs(request: Request) -> RunNow:
    runs: RunNow = request.app.state.run_now
    return runs


@router.get("")
async def show_list(request: Request, actor: Reader, cursor: str | None = None) -> Response:
    page = await _models(request).page(actor, PageRequest(PAGE, cursor))
    frame = await models_frame(request, actor)
    shown = ModelsPage(
        **frame.fields(""),  # type: ignore[arg-type]
        models=page.items,
        next=page.next,
        may_create=actor.may(p.MODEL_CONFIGURATIONS_CREATE),
    )
    return renderer_of(request).respond(shown)


@router.get("/new")
async def choose_provider(request: Request, actor: Creator) -> Response:
    frame = await models_frame(request, actor)
    shared = {**frame.fields(""), "title": say_to(request, "Connect a model")}
    return renderer_of(request).respond(ProvidersPage(**shared, kinds=KINDS))  # type: ignore[arg-type]


@router.get("/new/{provider}")
async def new(request: Request, actor: Creator, provider: str) -> Response:
    return await _form(request, actor, Subject(_kind(provider)), FormState())


@router.post("/new/{provider}")
async def create(request: Request, actor: Creator, provider: str) -> Response:
    kind, form = _kind(provider), await entered(request)
    try:
        said = given(said_by(_fields(request, kind), form))
        draft = parsed(request, ModelConfigurationIn, {"provider": kind.key, **_body(said, form)}).draft()
        if "test" in form:
            test = await _runs(request).test_unsaved(actor, draft, deadline_of(request))
            return await _form(request, actor, Subject(kind, test=test), FormState(form))
        made = await _models(request).create(actor, draft)
    except Problem as problem:
        return await _form(request, actor, Subject(kind), refused(form, problem), problem.status)
    return _saved(request, f"{_base(request)}/{made.id}")


@router.get("/{configuration_id}")
async def show(request: Request, actor: Reader, configuration_id: UUID) -> Response:
    view = await _models(request).get(actor, configuration_id)
    return await _form(request, actor, Subject(_kind(view.provider), view), FormState())


@router.post("/{configuration_id}")
async def change(request: Request, actor: Editor, configuration_id: UUID) -> Response:
    view = await _models(request).get(actor, configuration_id)
    kind, form = _kind(view.provider), await entered(request)
    try:
        said = said_by(_fields(request, kind), form)
        body = {**_body(said, form), "version": version_of(form) or view.version}
        wanted = parsed(request, ModelConfigurationPatch, body).change()
        if "test" in form:
            test = await _runs(request).test_changed(actor, view.id, wanted, deadline_of(request))
            return await _form(request, actor, Subject(kind, view, test), FormState(form))
        await _models(request).update(actor, view.id, wanted)
    except Problem as problem:
        return await _form(request, actor, Subject(kind, view), refused(form, problem), problem.status)
    return _saved(request, f"{_base(request)}/{view.id}")


@router.post("/{configuration_id}/delete")
async def delete(request: Request, actor: Deleter, configuration_id: UUID) -> Response:
    said = say_to(request, "Arcane has forgotten the model and its key.")
    return await act(request, _models(request).delete(actor, configuration_id), _base(request), said)


def _base(request: Request) -> str:
    return f"/o/{request.path_params['organisation']}/settings/models"


def _saved(request: Request, to: str) -> Response:
    response = RedirectResponse(to, 303)
    flash(request, response, say_to(request, "Saved."))
    return response


def _kind(provider: str) -> ProviderKind:
    found = kind_of(provider)
    if found is None:
        raise NotFound("there is no such provider")
    return found


def _fields(request: Request, kind: ProviderKind) -> tuple[FormField, ...]:
    """The form's fields: settings as they are, parameters and price below a name of their own.

    A parameter that is yes, no or unsaid has no place in a form of check boxes; the API sets it.
    """
    parameters, price = say_to(request, "What goes with every call"), say_to(request, "Price")
    help_text = say_to(request, "US dollars for a million tokens. Empty: the public list's price.")
    return (
        *kind.fields,
        *(
            msgspec.structs.replace(field, name=f"parameters/{field.name}", group=parameters)
            for field in kind.parameter_fields
            if field.type is not FieldType.BOOLEAN
        ),
        _price("input_usd", say_to(request, "Tokens read"), price, help_text),
        _price("output_usd", say_to(request, "Tokens written"), price, help_text),
    )


def _price(name: str, label: str, group: str, help_text: str) -> FormField:
    return FormField(f"price/{name}", label, FieldType.NUMBER, False, help_text, group=group, minimum=0)


def _body(said: Mapping[str, Any], form: Mapping[str, str]) -> dict[str, Any]:
    """What the form says as the API takes it."""
    settings = {name: value for name, value in said.items() if name not in ("parameters", "price")}
    return {
        "name": form.get("name", ""),
        "model": form.get("model", ""),
        "settings": settings,
        "parameters": said.get("parameters", {}),
        "price": given(said.get("price", {})) or None,
    }


async def _form(request: Request, actor: Actor, subject: Subject, form: FormState, status: int = 200) -> Response:
    kind, view = subject.kind, subject.view
    frame = await models_frame(request, actor)
    page = ModelFormPage(
        **{**frame.fields(""), "title": view.name if view else frame.shell.language.tell(kind.title)},  # type: ignore[arg-type]
        kind=kind,
        groups=controls_of(_fields(request, kind), form, None if view is None else _stored(view)),
        form=form,
        model=view,
        test=subject.test,
        may_save=actor.may(p.MODEL_CONFIGURATIONS_UPDATE if view else p.MODEL_CONFIGURATIONS_CREATE),
        may_delete=view is not None and actor.may(p.MODEL_CONFIGURATIONS_DELETE),
    )
    if "hx-request" in request.headers:
        return HTMLResponse(renderer_of(request).fragment(page, "models/test.html"))
    return renderer_of(request).respond(page, status=status)


def _stored(view: ModelView) -> Stored:
    price = {} if view.price is None else {"input_usd": view.price.input_usd, "output_usd": view.price.output_usd}
    return Stored({**view.settings, "parameters": view.parameters, "price": price}, view.secret_set)
