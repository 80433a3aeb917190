"""Sends a streamed answer: a line or a server-sent event each, for as long as somebody reads."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial

import anyio
from starlette.responses import Response

from arcane.kit.problems import Problem
from arcane.traces.arriving import Arriving, Asked
from arcane.traces.pushed import PushedResponse, Say
from arcane.traces.service import check_ended
from arcane.traces.stream_bodies import EventBody, ProblemBody, begin_body, event_body, ndjson, sse

NDJSON = "application/x-ndjson"
SSE = "text/event-stream"
_QUIET_S = 15.0
"""How long nothing is said before a comment keeps the connection open."""
_PATIENCE_S = 60.0
"""How long the end of an answer waits for a reader who has stopped reading."""


@dataclass(frozen=True, slots=True)
class Sending:
    """What is sent: `open` begins the answer, which takes `seconds` at most."""

    asked: Asked
    open: Callable[[], AbstractAsyncContextManager[Arriving]]
    seconds: float
    path: str


def events_response(sending: Sending, media_type: str) -> Response:
    """Returns the events of an answer. A client that reads slowly slows the datasources down."""
    return PushedResponse(partial(_push, sending, media_type), media_type, seconds=sending.seconds + _PATIENCE_S)


async def _push(sending: Sending, media_type: str, say: Say) -> None:
    is_sse = media_type == SSE
    spell = sse if is_sse else ndjson

    async def tell(*bodies: EventBody) -> None:
        await say(b"".join(map(spell, bodies)))

    await tell(begin_body(sending.asked))
    async with sending.open() as arriving:
        while True:
            try:
                with anyio.move_on_after(_QUIET_S) as quiet:
                    events = await anext(arriving)
            except StopAsyncIteration:
                return
            if quiet.cancelled_caught:
                if is_sse:
                    await say(b": waiting\n\n")
                continue
            try:
                check_ended(events[-1], abort=sending.asked.question.abort)
            except Problem as exc:
                await tell(ProblemBody(exc.body(sending.path)))
                return
            await tell(*map(event_body, events))
