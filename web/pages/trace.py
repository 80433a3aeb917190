"""The trace page: a waterfall that the browser draws, and the same trace as plain lists for readers without scripts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

from fastapi import APIRouter, Request, Response

from arcane.kit.actor import Actor
from arcane.kit.guard import requires
from arcane.kit.problems import NotFound
from arcane.model.ids import parse_trace_id
from web.rendering import Page, renderer_of

router = APIRouter(include_in_schema=False)

PATH: Final = "/o/{organisation}/p/{project}/traces/{trace_id}"
Reader = Annotated[Actor, requires("traces:read")]


@dataclass(frozen=True, slots=True, kw_only=True)
class TracePage(Page):
    """`api` is where the trace is fetched, `list` the search page, `plain` this page without scripts."""

    template: ClassVar[str] = "traces/trace.html"

    trace_id: str
    api: str
    list: str
    plain: str


@router.get(PATH)
async def trace(request: Request, trace_id: str, actor: Reader) -> Response:
    try:
        known = parse_trace_id(trace_id)
    except ValueError as exc:
        raise NotFound("a trace id is 1 to 32 hex digits") from exc
    renderer = renderer_of(request)
    shell = await renderer.shell(request, actor, section="traces")
    path = request.path_params
    here = f"/o/{path['organisation']}/p/{path['project']}/traces"
    page = TracePage(
        shell=shell,
        title=shell.language.gettext("Trace"),
        trace_id=known,
        api=f"/api/v1/projects/{actor.project_id}/traces/{known}",
        list=here,
        plain=f"{here}/{known}?view=plain",
    )
    return renderer.respond(page)
