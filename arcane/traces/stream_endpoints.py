"""A search over HTTP whose answer leaves while it is made."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request
from starlette.responses import JSONResponse, Response

from arcane.kit.problems import Problem
from arcane.model.deadline import Deadline
from arcane.traces import questions as q
from arcane.traces.endpoints import Reader, Traces, in_project
from arcane.traces.sending import NDJSON, SSE, Sending, events_response
from arcane.traces.stream_schemas import StreamEventOut, StreamIn

router = APIRouter(prefix="/projects/{project_id}", tags=["traces"], dependencies=[Depends(in_project)])


class NotAcceptable(Problem):
    """The `Accept` header names nothing that the answer can be."""

    status = 406
    slug = "not-acceptable"
    title = "Not acceptable"


class _Described(JSONResponse):
    """Has the OpenAPI document say that each line is JSON; what is sent are bytes."""

    media_type = NDJSON


_EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events, one a line or one a server-sent event; the last one is `end` or `problem`.",
        "content": {SSE: {"schema": {"type": "string", "description": "The same: `event:` and `data:` of each."}}},
    }
}


@router.post("/search/stream", response_class=_Described, response_model=StreamEventOut, responses=_EVENTS)
async def stream_search(
    request: Request, body: StreamIn, traces: Traces, actor: Reader, accept: Annotated[str, Header()] = "*/*"
) -> Response:
    """Searches as `search` does, and says what happens while it happens.

    Rows leave when their datasource gives them (`arrival`) or newest first over all of them (`newest`).
    Without a limit the answer goes to the end of the range, in memory that does not grow with it. A
    client that reads slowly slows the datasources down, one that hangs up ends what they do.
    """
    wanted = q.SearchRequest(
        body.query,
        tuple(body.datasources),
        traces.time_range(body.start, body.end),
        body.cursor,
        body.limit,
        body.spans_per_trace,
        body.on_failure == "abort",
        order=body.order,
        endless=body.limit is None,
    )
    media_type = _chosen(accept)
    asked = await traces.ask(actor, wanted)
    seconds = traces.limits.stream_timeout_s if wanted.endless else request.app.state.settings.server.request_timeout_s
    return events_response(
        Sending(asked, lambda: traces.arriving(asked, Deadline.after(seconds)), seconds, request.url.path), media_type
    )


def _chosen(accept: str) -> str:
    """Returns the media type that the client wants, lines where it does not mind; raises NotAcceptable."""
    wanted = [part.partition(";")[0].strip().lower() for part in accept.split(",")]
    if SSE in wanted and NDJSON not in wanted:
        return SSE
    if not {NDJSON, "application/*", "*/*", ""}.isdisjoint(wanted):
        return NDJSON
    raise NotAcceptable(f"the answer is {NDJSON} or {SSE}", accept=accept[:200])
