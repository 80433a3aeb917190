"""Prompts: the list, one prompt with its versions and labels, what changed between two, and the history of runs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final
from uuid import UUID

import anyio.to_thread
import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from arcane.access import permissions as p
from arcane.kit.actor import Actor
from arcane.kit.guard import requires
from arcane.kit.pagination import PageRequest
from arcane.kit.schema import Schema
from arcane.kit.seen import seen_of
from arcane.models.service import ModelService
from arcane.prompts.difference import Difference, compared
from arcane.prompts.running import PromptRuns
from arcane.prompts.schemas import PromptPatch
from arcane.prompts.service import PromptService
from arcane.prompts.views import PromptView, RunView, VersionView
from web.forms import act, entered, parsed, say_to
from web.rendering import Page, renderer_of

router = APIRouter(prefix="/o/{organisation}/p/{project}/prompts", include_in_schema=False)
PAGE: Final = 50
MOST_MODELS: Final = 200
Reader = Annotated[Actor, requires(p.PROMPTS_READ)]
Editor = Annotated[Actor, requires(p.PROMPTS_UPDATE)]
Deleter = Annotated[Actor, requires(p.PROMPTS_DELETE)]
Cursor = Annotated[str | None, Query(max_length=2048)]


class Wanted(Schema):
    """Which version is shown, compared with which, and where the list of versions goes on."""

    version: str = Field("", max_length=48)
    compare: str = Field("", max_length=48)
    cursor: str | None = Field(None, max_length=2048)


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptsPage(Page):
    template: ClassVar[str] = "prompts/list.html"

    base: str
    playground: str
    prompts: tuple[PromptView, ...]
    search: str
    next: str | None
    may_create: bool
    may_run: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptPage(Page):
    """`shown` is the version that is read; `difference` what changed to it since `before`."""

    template: ClassVar[str] = "prompts/prompt.html"

    base: str
    playground: str
    here: str
    prompt: PromptView
    shown: VersionView
    versions: tuple[VersionView, ...]
    next: str | None
    before: VersionView | None
    difference: Difference | None
    model: str
    tools: tuple[tuple[str, str], ...]
    schema: str
    may_run: bool
    may_update: bool
    may_delete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsPage(Page):
    template: ClassVar[str] = "prompts/runs.html"

    base: str
    prompt: PromptView | None
    runs: tuple[RunView, ...]
    names: dict[UUID, str]
    next: str | None


def prompts_of(request: Request) -> PromptService:
    """Returns the service of prompts."""
    prompts: PromptService = request.app.state.prompts
    return prompts


def base_of(request: Request) -> str:
    """Returns the address of the project's prompts."""
    return f"/o/{request.path_params['organisation']}/p/{request.path_params['project']}/prompts"


def playground_of(request: Request) -> str:
    """Returns the address of the project's playground."""
    return f"/o/{request.path_params['organisation']}/p/{request.path_params['project']}/playground"


async def models_of(request: Request, actor: Actor) -> tuple[tuple[str, str], ...]:
    """Returns the organisation's model configurations: id, and what a person calls it."""
    models: ModelService = request.app.state.models
    page = await models.page(actor, PageRequest(MOST_MODELS))
    return tuple((str(one.id), f"{one.name} · {one.model}") for one in page.items)


@router.get("")
async def show_list(
    request: Request, actor: Reader, cursor: Cursor = None, search: Annotated[str, Query(max_length=200)] = ""
) -> Response:
    renderer = renderer_of(request)
    shell = await renderer.shell(request, actor, section="prompts")
    search = search.replace("\x00", "").strip()
    page = await prompts_of(request).page(actor, PageRequest(PAGE, cursor), search)
    shown = PromptsPage(
        shell=shell,
        title=shell.language.gettext("Prompts"),
        base=base_of(request),
        playground=playground_of(request),
        prompts=page.items,
        search=search,
        next=page.next,
        may_create=actor.may(p.PROMPTS_CREATE),
        may_run=actor.may(p.PROMPTS_RUN),
    )
    return renderer.respond(shown)


@router.get("/runs")
async def show_runs(
    request: Request, actor: Reader, cursor: Cursor = None, prompt: Annotated[str, Query(max_length=200)] = ""
) -> Response:
    renderer = renderer_of(request)
    shell = await renderer.shell(request, actor, section="prompts")
    runs: PromptRuns = request.app.state.prompt_runs
    found = await prompts_of(request).get(actor, prompt) if prompt else None
    page = await runs.page(actor, PageRequest(PAGE, cursor), prompt)
    names = await prompts_of(request).names(actor, sorted({run.prompt_id for run in page.items if run.prompt_id}))
    return renderer.respond(
        RunsPage(
            shell=shell,
            title=shell.language.gettext("Runs"),
            base=base_of(request),
            prompt=found,
            runs=page.items,
            names=names,
            next=page.next,
        )
    )


@router.get("/{prompt_id}")
async def show(request: Request, actor: Reader, prompt_id: UUID, wanted: Annotated[Wanted, Query()]) -> Response:
    renderer, prompts, named = renderer_of(request), prompts_of(request), str(prompt_id)
    shell = await renderer.shell(request, actor, section="prompts")
    prompt = await prompts.get(actor, named)
    shown = await prompts.version(actor, named, wanted.version)
    before = await prompts.version(actor, named, wanted.compare) if wanted.compare else None
    page = await prompts.versions(actor, named, PageRequest(PAGE, wanted.cursor))
    models = dict(await models_of(request, actor)) if actor.may(p.MODEL_CONFIGURATIONS_READ) else {}
    spec = shown.spec
    return renderer.respond(
        PromptPage(
            shell=shell,
            title=prompt.name,
            base=base_of(request),
            playground=playground_of(request),
            here=f"{base_of(request)}/{prompt.id}",
            prompt=prompt,
            shown=shown,
            versions=page.items,
            next=page.next,
            before=before,
            difference=await anyio.to_thread.run_sync(compared, before, shown) if before else None,
            model=models.get(str(shown.model_configuration_id), ""),
            tools=tuple((tool.name, _pretty(msgspec.to_builtins(tool))) for tool in spec.tools),
            schema="" if spec.response_schema is None else _pretty(spec.response_schema),
            may_run=actor.may(p.PROMPTS_RUN),
            may_update=actor.may(p.PROMPTS_UPDATE),
            may_delete=actor.may(p.PROMPTS_DELETE),
        )
    )


@router.post("/{prompt_id}/rename")
async def rename(request: Request, actor: Editor, prompt_id: UUID) -> Response:
    """Other words for the prompt; its versions stay as they are, and programs that call it by its old name do not."""
    form = await entered(request)
    said: dict[str, object] = {name: form[name] for name in ("name", "description") if name in form}
    said["seen"] = seen_of(form.get("seen", ""))

    async def work() -> None:
        await prompts_of(request).update(actor, str(prompt_id), parsed(request, PromptPatch, said).change())

    return await act(request, work(), f"{base_of(request)}/{prompt_id}", say_to(request, "Saved."))


@router.post("/{prompt_id}/labels")
async def set_label(request: Request, actor: Editor, prompt_id: UUID) -> Response:
    form = await entered(request)
    label, version = form.get("label", "").strip(), form.get("version", "")[:48]
    to = f"{base_of(request)}/{prompt_id}?version={version if version.isalnum() else ''}"
    work = prompts_of(request).set_label(actor, str(prompt_id), label, version)
    return await act(request, work, to, say_to(request, "The label points at this version now."))


@router.post("/{prompt_id}/labels/{label}/remove")
async def remove_label(request: Request, actor: Editor, prompt_id: UUID, label: str) -> Response:
    work = prompts_of(request).remove_label(actor, str(prompt_id), label)
    return await act(request, work, f"{base_of(request)}/{prompt_id}", say_to(request, "The label is gone."))


@router.post("/{prompt_id}/delete")
async def delete(request: Request, actor: Deleter, prompt_id: UUID) -> Response:
    said = say_to(request, "The prompt is gone, with all of its versions.")
    return await act(request, prompts_of(request).delete(actor, str(prompt_id)), base_of(request), said)


def _pretty(document: object) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2)
