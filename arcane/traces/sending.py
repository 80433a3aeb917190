"""Sends a streamed answer: a line or a server-sent event each, for as long as somebody reads."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

import anyio
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from arcane.federation.together import beside
from arcane.kit.problems import Problem
from arcane.traces.arriving import Arriving, Asked
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


class EventsResponse(Response):
    """The events of an answer. A client that hangs up ends all upstream requests; one that reads slowly slows them."""

    media_type = NDJSON

    def __init__(self, sending: Sending, media_type: str) -> None:
        super().__init__(media_type=media_type, headers={"cache-control": "no-store", "x-accel-buffering": "no"})
        del self.headers["content-length"]
        self._sending = sending
        self._encode = sse if media_type == SSE else ndjson
        self._quiet = b": waiting\n\n" if media_type == SSE else b""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Returns when everything is sent, or nobody reads any more."""
        with anyio.move_on_after(self._sending.seconds + _PATIENCE_S):
            async with beside() as group:

                async def listen() -> None:
                    while (await receive())["type"] != "http.disconnect":
                        pass
                    group.cancel_scope.cancel()

                group.start_soon(listen)
                await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
                await self._events(send)
                await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _events(self, send: Send) -> None:
        async def say(*bodies: EventBody) -> None:
            piece = b"".join(map(self._encode, bodies))
            await send({"type": "http.response.body", "body": piece, "more_body": True})

        await say(begin_body(self._sending.asked))
        async with self._sending.open() as arriving:
            while True:
                try:
                    with anyio.move_on_after(_QUIET_S) as quiet:
                        events = await anext(arriving)
                except StopAsyncIteration:
                    return
                if quiet.cancelled_caught:
                    if self._quiet:
                        await send({"type": "http.response.body", "body": self._quiet, "more_body": True})
                    continue
                try:
                    check_ended(events[-1], abort=self._sending.asked.question.abort)
                except Problem as exc:
                    await say(ProblemBody(exc.body(self._sending.path)))
                    return
                await say(*map(event_body, events))
