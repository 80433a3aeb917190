"""Traces over HTTP. Answers are encoded once, by msgspec; the schemas describe them."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from arcane.access.permissions import TRACES_READ
from arcane.kit.actor import Actor
from arcane.kit.express import PLAIN_UUID, Express
from arcane.kit.guard import Access, Guard
from arcane.kit.hangup import while_connected
from arcane.kit.http import deadline_of, json_response
from arcane.model.time import TimeRange
from arcane.traces import questions as q
from arcane.traces import schemas as s
from arcane.traces import trace_schemas as ts
from arcane.traces.bodies import search_document
from arcane.traces.problems import position_of
from arcane.traces.service import TraceService
from arcane.traces.streaming import otlp_response, trace_response


async def in_project(project_id: UUID) -> None:
    """The path names the project; the guard reads it, and so does the OpenAPI document."""


def _traces_of(request: Request) -> TraceService:
    traces: TraceService = request.app.state.traces
    return traces


async def _traces(request: Request) -> TraceService:
    return _traces_of(request)


# Dependencies here are coroutines although they wait for nothing: a plain function takes a trip to a thread.
# Each costs some 30 µs all the same, so the two routes that are asked most do without those they can.
router = APIRouter(prefix="/projects/{project_id}", tags=["traces"], dependencies=[Depends(in_project)])

Traces = Annotated[TraceService, Depends(_traces)]
_READER = Guard(Access(permission=TRACES_READ))
Reader = Annotated[Actor, Depends(_READER)]
TraceIdText = Annotated[str, Path(description="1 to 32 hex digits.", examples=["0af7651916cd43dd8448eb211c80319c"])]
SpanIdText = Annotated[str, Path(description="1 to 16 hex digits.", examples=["b7ad6b7169203331"])]


async def _around(traces: Traces, start: s.Start = None, end: s.End = None) -> TimeRange | None:
    return traces.time_range(start, end)


async def _wanted(traces: Traces, query: Annotated[s.AttributesIn, Query()]) -> q.AttributeRequest:
    within = traces.time_range(query.start, query.end)
    return q.AttributeRequest(within, tuple(query.datasource), query.prefix, query.scope, query.limit)


Around = Annotated[TimeRange | None, Depends(_around)]
Wanted = Annotated[q.AttributeRequest, Depends(_wanted)]
FieldText = Annotated[str, Path(description="As a query writes it.", examples=["span.http.request.method"])]
_OTLP: dict[int | str, dict[str, Any]] = {
    200: {"description": "OTLP JSON", "content": {"application/json": {"schema": {"type": "object"}}}}
}
_FAILED: dict[int | str, dict[str, Any]] = {502: {"description": "Every datasource failed, or one that may know"}}


@router.post("/search", response_model=s.SearchOut, responses=_FAILED)
async def search(request: Request, body: s.SearchIn, actor: Reader) -> Response:
    """Searches several datasources at once, newest traces first.

    A datasource that is slow or down costs its own rows only, and `sources` names it. `next` goes on
    where each datasource stopped; rows of one that failed come with a later page.
    """
    traces = _traces_of(request)
    wanted = q.SearchRequest(
        body.query,
        tuple(body.datasources),
        traces.time_range(body.start, body.end),
        body.cursor,
        body.limit,
        body.spans_per_trace,
        body.on_failure == "abort",
    )

    async def work() -> Response:
        answer = await traces.search(actor, wanted, deadline_of(request))
        return Response(search_document(answer), media_type="application/json")

    return await while_connected(request, work)


@router.post("/search/explain")
async def explain_search(request: Request, body: s.QuestionIn, traces: Traces, actor: Reader) -> s.PlanOut:
    """Says what each datasource would be asked, what Arcane would evaluate itself, and why. Asks none."""
    within = traces.time_range(body.start, body.end)
    wanted = q.SearchRequest(body.query, tuple(body.datasources), within)
    return s.PlanOut.model_validate(await traces.explain(actor, wanted, deadline_of(request)))


@router.post("/query/check")
async def check_query(body: s.QueryIn, traces: Traces, actor: Reader) -> s.CheckOut:
    """Says whether a query can be asked, and where it is wrong."""
    checked = traces.check_query(body.query)
    errors = [
        s.QueryErrorOut(message=error.message, hint=error.hint, **position_of(error.position))
        for error in checked.errors
    ]
    return s.CheckOut(valid=not errors, errors=errors, canonical=checked.canonical)


@router.get("/traces/{trace_id}", response_model=ts.TraceOut, responses=_FAILED)
async def get_trace(
    request: Request, trace_id: TraceIdText, actor: Reader, start: s.Start = None, end: s.End = None
) -> Response:
    """Returns a trace as all datasources together have it, long ones in pieces as they are encoded."""
    traces = _traces_of(request)
    around = traces.time_range(start, end)

    async def work() -> Response:
        answer = await traces.trace(actor, trace_id, deadline_of(request), around)
        return trace_response(answer, await traces.llm(answer))

    return await while_connected(request, work)


@router.get("/traces/{trace_id}/otlp", response_class=Response, responses=_OTLP | _FAILED)
async def download_trace(
    request: Request, trace_id: TraceIdText, traces: Traces, actor: Reader, around: Around
) -> Response:
    """Returns a trace as OTLP JSON, every value exactly as it was recorded (unless it is hidden from you)."""

    async def work() -> Response:
        return otlp_response(await traces.trace(actor, trace_id, deadline_of(request), around))

    return await while_connected(request, work)


@router.get(
    "/traces/{trace_id}/spans/{span_id}/messages",
    response_model=ts.ExchangeOut,
    responses=_FAILED,
)
async def get_messages(
    request: Request, trace_id: TraceIdText, span_id: SpanIdText, traces: Traces, actor: Reader
) -> Response:
    """Returns what went into a span and what came out, as messages, whatever dialect the span speaks."""

    async def work() -> Response:
        return json_response(await traces.messages(actor, trace_id, span_id, deadline_of(request)))

    return await while_connected(request, work)


@router.get("/attributes")
async def list_attributes(request: Request, traces: Traces, actor: Reader, wanted: Wanted) -> s.AttributesOut:
    """Returns names of attributes for completion, over all datasources."""
    return s.AttributesOut.model_validate(await traces.attribute_names(actor, wanted, deadline_of(request)))


@router.get("/attributes/{name:path}/values")
async def list_attribute_values(
    request: Request, name: FieldText, traces: Traces, actor: Reader, wanted: Wanted
) -> s.ValuesOut:
    """Returns values of an attribute for completion, over all datasources."""
    answer = await traces.attribute_values(actor, name, wanted, deadline_of(request))
    return s.ValuesOut.model_validate(answer)


def express_routes(prefix: str) -> list[Express]:
    """Returns the short way to what is asked most: a search, and a trace by its id."""
    project = f"{prefix}/projects/(?P<project_id>{PLAIN_UUID})"
    return [
        Express("GET", f"{project}/traces/(?P<trace_id>[0-9a-fA-F]{{1,32}})", _READER, get_trace),
        Express("POST", f"{project}/search", _READER, search, body=s.SearchIn),
    ]
