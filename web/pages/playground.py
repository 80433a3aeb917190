"""The playground: a draft in an editor, run against up to four models at once, and saved as the next version.

The browser holds the draft and talks to the API; this page brings what it starts with. A conversation that comes from
a span of a trace goes from one window to the other and never through here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query, Request, Response

from arcane.access import permissions as p
from arcane.kit.actor import Actor
from arcane.kit.guard import requires
from arcane.prompts.views import PromptView, VersionView
from web.pages.prompts import base_of, models_of, prompts_of
from web.rendering import Page, renderer_of

router = APIRouter(prefix="/o/{organisation}/p/{project}/playground", include_in_schema=False)
Runner = Annotated[Actor, requires(p.PROMPTS_RUN)]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaygroundPage(Page):
    """`start` is what the editor begins with, as JSON; `models` are the organisation's.

    `connect` is where the person can connect a model; empty for who may not.
    """

    template: ClassVar[str] = "prompts/playground.html"

    api: str
    base: str
    prompt: PromptView | None
    version: VersionView | None
    models: tuple[tuple[str, str], ...]
    start: dict[str, Any]
    connect: str
    may_save: bool


@router.get("")
async def playground(
    request: Request, actor: Runner, prompt: UUID | None = None, version: Annotated[str, Query(max_length=48)] = ""
) -> Response:
    renderer, prompts = renderer_of(request), prompts_of(request)
    shell = await renderer.shell(request, actor, section="playground")
    found = await prompts.get(actor, str(prompt)) if prompt else None
    stored = await prompts.version(actor, str(prompt), version) if prompt else None
    models = await models_of(request, actor) if actor.may(p.MODEL_CONFIGURATIONS_READ) else ()
    return renderer.respond(
        PlaygroundPage(
            shell=shell,
            title=shell.language.gettext("Playground"),
            api=f"/api/v1/projects/{actor.project_id}",
            base=base_of(request),
            prompt=found,
            version=stored,
            models=models,
            start=_start(found, stored, models),
            connect=_connect(request) if actor.may(p.MODEL_CONFIGURATIONS_CREATE) else "",
            may_save=actor.may(p.PROMPTS_UPDATE if found else p.PROMPTS_CREATE),
        )
    )


def _connect(request: Request) -> str:
    return f"/o/{request.path_params['organisation']}/settings/models/new"


def _start(
    prompt: PromptView | None, version: VersionView | None, models: tuple[tuple[str, str], ...]
) -> dict[str, Any]:
    first = models[0][0] if models else ""
    if version is None:
        draft: dict[str, Any] = {
            "kind": "chat",
            "messages": [{"role": "system", "text": ""}, {"role": "user", "text": ""}],
            "format": "mustache",
            "tools": [],
            "tool_choice": "auto",
            "response_schema": None,
            "parameters": {},
        }
    else:
        draft = {"kind": version.kind.value, **msgspec.to_builtins(version.spec)}
    return {
        "prompt": None if prompt is None else {"id": str(prompt.id), "name": prompt.name},
        "version": None if version is None else version.name,
        "model": str(version.model_configuration_id) if version else first,
        "models": [list(one) for one in models],
        "draft": draft,
    }
