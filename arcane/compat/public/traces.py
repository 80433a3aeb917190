"""Datasources and traces for published clients: the original product's shapes, asked through the one service."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

import msgspec
from anyio.lowlevel import checkpoint
from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response, StreamingResponse

from arcane.access.permissions import DATASOURCES_READ, TRACES_READ
from arcane.catalog.service import CatalogService
from arcane.compat.public.answering import PublicRoute
from arcane.compat.public.asked import PublicSearch, query_of
from arcane.compat.public.paging import whole
from arcane.kit.actor import Actor
from arcane.kit.guard import key_requires
from arcane.kit.http import deadline_of, json_response
from arcane.kit.schema import Schema
from arcane.model.hit import MatchedSpan, TraceHit
from arcane.spi.otlp import encode_json, encoded_attributes
from arcane.traceql.ast import Field, Scope
from arcane.traceql.format import format_field
from arcane.traces.questions import AttributeRequest, SearchRequest, TraceAnswer
from arcane.traces.schemas import End, Start
from arcane.traces.service import TraceService

router = APIRouter(prefix="/datasources", route_class=PublicRoute, include_in_schema=False)

Reader = Annotated[Actor, key_requires(TRACES_READ)]
AttributeName = Annotated[str, Path(max_length=1_000)]
_SPANS_SHOWN = 3
_ATTRIBUTES_MOST = 1_000
_OTLP_HEAD = b'{"resourceSpans":'
_BATCHES_HEAD = b'{"batches":'
_FLAGS = (
    "isSearchByQueryEnabled",
    "isSearchByAttributesEnabled",
    "isGetAttributeNamesEnabled",
    "isGetAttributeValuesEnabled",
)
"""All true for every datasource: what a backend cannot do, Arcane does."""


class Around(Schema):
    """Where the trace may lie."""

    start: Start = None
    end: End = None


@router.get("")
async def list_datasources(request: Request, actor: Annotated[Actor, key_requires(DATASOURCES_READ)]) -> Response:
    """Returns the datasources of the organisation, by name."""
    catalog: CatalogService = request.app.state.catalog
    found = await whole(lambda page: catalog.page(actor, page))
    return json_response(
        [
            {
                "id": view.id,
                "name": view.name,
                "description": view.description or None,
                "type": "traces",
                "source": view.kind,
                **dict.fromkeys(_FLAGS, True),
            }
            for view in found
        ]
    )


@router.post("/{datasource}/traces/search", status_code=201)
async def search(request: Request, datasource: str, body: PublicSearch, actor: Reader) -> Response:
    """Returns the newest traces, up to the limit; `sources` says how complete the answer is."""
    traces = _traces(request)
    within = traces.time_range(body.start, body.end)
    wanted = SearchRequest(query_of(body), (datasource,), within, None, body.limit, _SPANS_SHOWN)
    answer = await traces.search(actor, wanted, deadline_of(request))
    found = [_hit(one.hit) for one in answer.found]
    return json_response({"traces": found, "complete": answer.complete, "sources": answer.sources}, status=201)


@router.get("/{datasource}/traces/attributes")
async def attribute_names(
    request: Request, datasource: str, around: Annotated[Around, Query()], actor: Reader
) -> Response:
    """Returns the names of attributes, each once, whatever it stands on; of the last hour unless a range is given."""
    traces = _traces(request)
    within = traces.time_range(around.start, around.end)
    wanted = AttributeRequest(within, (datasource,), "", None, _ATTRIBUTES_MOST)
    answer = await traces.attribute_names(actor, wanted, deadline_of(request))
    return json_response(sorted({item.name for item in answer.items if item.scope != Scope.INTRINSIC}))


@router.get("/{datasource}/traces/attributes/{name:path}/values")
async def attribute_values(
    request: Request, datasource: str, name: AttributeName, around: Annotated[Around, Query()], actor: Reader
) -> Response:
    """Returns the values of an attribute as text; of the last hour unless a range is given."""
    traces = _traces(request)
    within = traces.time_range(around.start, around.end)
    wanted = AttributeRequest(within, (datasource,), "", None, _ATTRIBUTES_MOST)
    field = format_field(Field(Scope.NONE, name))
    answer = await traces.attribute_values(actor, field, wanted, deadline_of(request))
    return json_response(list(dict.fromkeys(_text(item.value) for item in answer.items)))


@router.get("/{datasource}/traces/{trace_id}")
async def get_trace(
    request: Request, datasource: str, trace_id: str, actor: Reader, around: Annotated[Around, Query()]
) -> Response:
    """Returns the trace as this datasource has it: OTLP's resource spans, under `batches`."""
    traces = _traces(request)
    around_ns = traces.time_range(around.start, around.end)
    answer = await traces.trace(actor, trace_id, deadline_of(request), around_ns, (datasource,))
    return StreamingResponse(_yielding(_batches(answer)), media_type="application/json")


def _traces(request: Request) -> TraceService:
    traces: TraceService = request.app.state.traces
    return traces


def _hit(hit: TraceHit) -> dict[str, Any]:
    return {
        "traceID": hit.trace_id,
        "rootServiceName": hit.root_service or "",
        "rootTraceName": hit.root_name or "",
        "startTimeUnixNano": str(hit.start),
        "durationMs": hit.duration // 1_000_000,
        "spanSet": {"spans": [_span(span) for span in hit.spans], "matched": hit.matched},
    }


def _span(span: MatchedSpan) -> dict[str, Any]:
    return {
        "spanID": span.span_id,
        "name": span.name or "",
        "serviceName": span.service or "",
        "startTimeUnixNano": str(span.start),
        "durationNanos": str(span.duration),
        "attributes": encoded_attributes(span.attributes),
    }


def _text(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _batches(answer: TraceAnswer) -> Iterator[bytes]:
    """Yields OTLP JSON whose one member has the name that the original gave it."""
    pieces = encode_json(answer.trace.spans)
    yield _BATCHES_HEAD + next(pieces).removeprefix(_OTLP_HEAD)
    yield from pieces


async def _yielding(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece
        await checkpoint()
