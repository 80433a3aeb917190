"""Live views over HTTP: server-sent events, for as long as somebody listens and may."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Path, Query, Request
from starlette.responses import Response

from arcane.access.permissions import TRACES_READ
from arcane.kit.actor import Actor
from arcane.kit.guard import Again, again_of, requires
from arcane.kit.sse import HEARTBEAT, EventStreamResponse, mark
from arcane.traces.live.encoding import follow_frames, tail_frames
from arcane.traces.live.follow import Following, FollowService
from arcane.traces.live.tail import Tail, TailRequest, TailService, since_of
from arcane.traces.schemas import TailIn

Reader = Annotated[Actor, requires(TRACES_READ)]
_EVENT = {
    "type": "object",
    "description": "One server-sent event; `data` is JSON.",
    "properties": {name: {"type": "string"} for name in ("event", "data", "id")},
}
_EVENTS: dict[int | str, dict[str, Any]] = {
    200: {"description": "Server-sent events", "content": {"text/event-stream": {"schema": _EVENT}}},
    429: {"description": "Too many live views"},
}


async def _in_project(project_id: UUID) -> None:
    """The path names the project; the guard reads it, and so does the OpenAPI document."""


async def _tails(request: Request) -> TailService:
    tails: TailService = request.app.state.tails
    return tails


async def _follows(request: Request) -> FollowService:
    follows: FollowService = request.app.state.follows
    return follows


router = APIRouter(prefix="/projects/{project_id}", tags=["live"], dependencies=[Depends(_in_project)])

Tails = Annotated[TailService, Depends(_tails)]
Follows = Annotated[FollowService, Depends(_follows)]
TraceIdText = Annotated[str, Path(description="1 to 32 hex digits.", examples=["0af7651916cd43dd8448eb211c80319c"])]
Seen = Annotated[
    str,
    Query(
        max_length=40,
        description="The trace as you have it: `<spans>.<sum of their duration_ns modulo 2^32>`. It is not told again.",
    ),
]
LastEventId = Annotated[str | None, Header(description="Where an interrupted tail goes on.")]


@router.get("/tail", response_class=Response, responses=_EVENTS)
async def tail(
    request: Request, tails: Tails, actor: Reader, query: Annotated[TailIn, Query()], last_event_id: LastEventId = None
) -> Response:
    """Tells of traces that match a query as they appear, as server-sent events.

    `open` comes first, then `trace` for each trace (with `again` when it has grown), `poll` for each time a
    datasource was asked, `dropped` with a count when you did not take what there was in time, and `end` with a reason.
    """
    wanted = TailRequest(query.query, tuple(query.datasource), query.spans_per_trace, since_of(last_event_id))
    return EventStreamResponse(_tail_frames(await tails.open(actor, wanted), again_of(request, TRACES_READ)))


@router.get("/traces/{trace_id}/live", response_class=Response, responses=_EVENTS)
async def follow_trace(
    request: Request, trace_id: TraceIdText, follows: Follows, actor: Reader, seen: Seen = ""
) -> Response:
    """Tells of spans as they are added to a trace, as server-sent events, until nothing is for a while.

    `spans` holds a trace document with only the spans that are new or changed, `state` says that the datasources
    were asked once more, and since when nothing was added; `end` says why it is over.
    """
    return EventStreamResponse(
        _follow_frames(await follows.open(actor, trace_id, seen), again_of(request, TRACES_READ))
    )


async def _tail_frames(tail: Tail, again: Again) -> AsyncGenerator[bytes, None]:
    async for events, moment in tail.events(again):
        yield b"".join(tail_frames(events)) + (mark(str(moment)) if moment else b"") or HEARTBEAT


async def _follow_frames(following: Following, again: Again) -> AsyncGenerator[bytes, None]:
    async for events in following.events(again):
        yield b"".join(follow_frames(events)) or HEARTBEAT
