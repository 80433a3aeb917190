"""An answer that is told piece by piece ends with who listens: nobody works for nobody."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from arcane.federation.together import beside

Say = Callable[[bytes], Awaitable[None]]


class PushedResponse(Response):
    """An answer that `push` says piece by piece; a client that hangs up ends it at once, wherever it is.

    A generator would not do where something is under way between two pieces: one that is not asked for the
    next piece any more stays as it is until the garbage collector finds it.
    """

    def __init__(
        self, push: Callable[[Say], Awaitable[None]], media_type: str, *, seconds: float | None = None
    ) -> None:
        super().__init__(media_type=media_type, headers={"cache-control": "no-store", "x-accel-buffering": "no"})
        del self.headers["content-length"]
        self._push = push
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Returns when everything is said, nobody listens any more, or `seconds` are over."""

        async def say(piece: bytes) -> None:
            await send({"type": "http.response.body", "body": piece, "more_body": True})

        with anyio.move_on_after(self._seconds):
            async with beside() as group:

                async def listen() -> None:
                    while (await receive())["type"] != "http.disconnect":
                        pass
                    group.cancel_scope.cancel()

                group.start_soon(listen)
                await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
                await self._push(say)
                await send({"type": "http.response.body", "body": b"", "more_body": False})
