"""The trace page: a waterfall that the browser draws, and the same trace as plain lists for readers without scripts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final

import msgspec
from fastapi import APIRouter, Request, Response

from arcane.access.permissions import DATASETS_ROWS_CREATE, PROMPTS_RUN
from arcane.conventions import Message, ToolDefinition, call_settings, messages_of
from arcane.kit.actor import Actor
from arcane.kit.guard import requires
from arcane.kit.http import deadline_of, json_response
from arcane.kit.problems import MalformedInput, NotFound
from arcane.model.ids import SpanId, TraceId, parse_trace_id
from arcane.model.span import Span, SpanEvent, SpanKind
from web.asking import traces_of
from web.plain import PlainTrace, plain_trace
from web.rendering import Page, renderer_of
from web.shell import Shell
from web.sources import SourceLine, source_lines

router = APIRouter(include_in_schema=False)

PATH: Final = "/o/{organisation}/p/{project}/traces/{trace_id}"
_KINDS: Final = {kind.word: kind for kind in SpanKind}
Reader = Annotated[Actor, requires("traces:read")]


@dataclass(frozen=True, slots=True, kw_only=True)
class TracePage(Page):
    """`api` is where the trace is fetched, `list` the search page, `plain` this page without scripts.
    `playground` is where a model call can be tried again, `captures` where a span becomes a row of a dataset; "" for
    whoever may not.

    A trace whose last span ended within `fresh_s` seconds is followed at once.
    """

    template: ClassVar[str] = "traces/trace.html"

    trace_id: str
    api: str
    list: str
    plain: str
    fresh_s: float
    playground: str
    captures: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainTracePage(Page):
    """The same trace, written by the server. `chosen` is the span that is open."""

    template: ClassVar[str] = "traces/plain.html"

    trace_id: str
    api: str
    list: str
    chosen: str
    captures: str
    trace: PlainTrace
    sources: tuple[SourceLine, ...]


@router.get(PATH)
async def trace(request: Request, trace_id: str, actor: Reader, view: str = "") -> Response:
    try:
        known = parse_trace_id(trace_id)
    except ValueError as exc:
        raise NotFound("a trace id is 1 to 32 hex digits, and not all of them are 0") from exc
    renderer = renderer_of(request)
    shell = await renderer.shell(request, actor, section="traces")
    here = f"/o/{shell.organisation}/p/{request.path_params['project']}/traces"
    api = f"/api/v1/projects/{actor.project_id}/traces/{known}"
    if view == "plain":
        return renderer.respond(await _plain(request, actor, shell, (known, api, here)))
    page = TracePage(
        shell=shell,
        title=shell.language.gettext("Trace"),
        trace_id=known,
        api=api,
        list=here,
        plain=f"{here}/{known}?view=plain",
        fresh_s=request.app.state.settings.live.fresh_s,
        playground=f"{here.removesuffix('traces')}playground" if actor.may(PROMPTS_RUN) else "",
        captures=_captures(actor, shell),
    )
    return renderer.respond(page)


class EventContent(msgspec.Struct, frozen=True):
    """An event of a span."""

    name: str
    attributes: dict[str, Any]


class SpanContent(msgspec.Struct, frozen=True):
    """The parts of a span that hold messages, as the browser got them with the trace."""

    name: str
    kind: str
    attributes: dict[str, Any]
    events: tuple[EventContent, ...] = ()

    def span(self) -> Span:
        """Returns it as the conventions read it; what they do not look at is empty."""
        return Span(
            trace_id=TraceId(""),
            span_id=SpanId(""),
            parent_span_id="",
            name=self.name,
            kind=_KINDS.get(self.kind, SpanKind.UNSPECIFIED),
            start=0,
            end=0,
            attributes=self.attributes,
            events=tuple(SpanEvent(event.name, 0, event.attributes) for event in self.events),
        )


class SpanReading(msgspec.Struct, frozen=True):
    """The messages of a span; and of a model call, its parameters and the tools it could ask for."""

    input: tuple[Message, ...]
    output: tuple[Message, ...]
    parameters: dict[str, Any]
    tools: tuple[ToolDefinition, ...]


@router.post(f"{PATH}/messages")
async def messages(request: Request, actor: Reader) -> Response:
    """Reads the messages of one span that the browser already has: nothing is fetched again, nothing is kept."""
    try:
        content = msgspec.json.decode(await request.body(), type=SpanContent)
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise MalformedInput("this is not a span of the trace answer") from exc
    exchange, called = messages_of(content.span()), call_settings(content.attributes)
    return json_response(SpanReading(exchange.input, exchange.output, called.parameters, called.tools))


def _captures(actor: Actor, shell: Shell) -> str:
    return shell.place.captures if shell.place and actor.may(DATASETS_ROWS_CREATE) else ""


async def _plain(request: Request, actor: Actor, shell: Shell, addresses: tuple[str, str, str]) -> PlainTracePage:
    trace_id, api, here = addresses
    traces = traces_of(request)
    answer = await traces.trace(actor, trace_id, deadline_of(request))
    plain = plain_trace(answer, await traces.llm(answer), shell.language)
    return PlainTracePage(
        shell=shell,
        title=plain.name,
        trace_id=trace_id,
        api=api,
        list=here,
        chosen=request.query_params.get("span", ""),
        captures=_captures(actor, shell),
        trace=plain,
        sources=source_lines(answer.sources, shell.language, asks=False),
    )
