"""Server-sent events: an answer that goes on while somebody listens (WHATWG HTML, 9.2)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

import anyio
import msgspec
from starlette.background import BackgroundTask
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from arcane.kit.guard import Again
from arcane.kit.problems import Problem

MEDIA_TYPE = "text/event-stream"
DOCUMENTED: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Server-sent events",
        "content": {
            MEDIA_TYPE: {
                "schema": {
                    "type": "object",
                    "required": ["data"],
                    "properties": {"event": {"type": "string"}, "data": {"type": "string"}, "id": {"type": "string"}},
                }
            }
        },
    }
}
"""How an endpoint of events says so in the OpenAPI document: one event as it arrives, its data a JSON text."""

HEARTBEAT = b":\n\n"
"""A comment: it keeps proxies from closing what says nothing, and finds out whether somebody is still there."""


def frame(event: str, document: bytes | str) -> bytes:
    """Returns an event as it is sent; every line of the document becomes one of the event."""
    body = document.encode() if isinstance(document, str) else document
    lines = body.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    return b"event: " + event.encode() + b"\n" + b"".join(b"data: " + line + b"\n" for line in lines) + b"\n"


def mark(last_event_id: str) -> bytes:
    """Returns what makes a browser come back with `Last-Event-ID: <last_event_id>`; it is no event of its own."""
    return b"id: " + last_event_id.encode() + b"\n\n"


def reconnect_after(milliseconds: int) -> bytes:
    """Returns what tells a browser how long to wait before it comes back."""
    return b"retry: " + str(milliseconds).encode() + b"\n\n"


async def while_allowed(frames: AsyncGenerator[bytes, None], again: Again) -> AsyncGenerator[bytes, None]:
    """Yields `frames`, each only if whoever listens may still hear it.

    Who may not any more, or whose subject is gone, hears that last: an event named `problem`.
    """
    async with aclosing(frames) as open_frames:
        try:
            async for each in open_frames:
                await again()
                yield each
        except Problem as problem:
            yield frame("problem", msgspec.json.encode(problem.body("")))


class EventStreamResponse(Response):
    """Sends `frames` as they are made. A listener who hangs up ends what makes them, and so does a closing server."""

    media_type = MEDIA_TYPE

    def __init__(
        self,
        frames: AsyncGenerator[bytes, None] | None = None,
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        media_type: str | None = None,
        background: BackgroundTask | None = None,
    ) -> None:
        self._frames = frames
        super().__init__(None, status_code, headers, media_type, background)
        self.headers["cache-control"] = "no-store"
        self.headers["x-accel-buffering"] = "no"
        del self.headers["content-length"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Returns when there is nothing more to say, or nobody to hear it."""
        closing: anyio.Event | None = getattr(scope["app"].state, "closing", None) if "app" in scope else None
        talking = anyio.CancelScope()
        async with anyio.create_task_group() as group:

            async def until_hangup() -> None:
                while (await receive())["type"] != "http.disconnect":
                    pass
                group.cancel_scope.cancel()

            async def until_closing(event: anyio.Event) -> None:
                await event.wait()
                talking.cancel()

            group.start_soon(until_hangup)
            if closing is not None:
                group.start_soon(until_closing, closing)
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            with talking:
                await self._talk(send)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            group.cancel_scope.cancel()

    async def _talk(self, send: Send) -> None:
        if self._frames is None:
            return
        async with aclosing(self._frames) as frames:
            async for each in frames:
                await send({"type": "http.response.body", "body": each, "more_body": True})
