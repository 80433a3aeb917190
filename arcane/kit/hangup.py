"""A client that hangs up ends what it asked for: nobody works for nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import anyio
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive

from arcane.kit.problems import Unavailable

CLIENT_GONE = 499
"""What nginx logs for it; nobody receives it."""


async def while_connected(request: Request, work: Callable[[], Awaitable[Response]]) -> Response:
    """Returns the response that `work` makes; cancels it, with all its upstream requests, when the client hangs up.

    Every hot route comes through here, and a task group costs a small answer a tenth of its time, most of
    that to put into words who cancelled whom. So the listener is a bare task: it only waits, and every way
    out of here ends it.
    """
    with anyio.CancelScope() as scope:
        listening = asyncio.ensure_future(_until_gone(request.receive))

        def gone(_: asyncio.Future[None]) -> None:
            scope.cancel()

        listening.add_done_callback(gone)
        try:
            return await work()
        finally:
            listening.remove_done_callback(gone)
            listening.cancel()
    return Response(status_code=CLIENT_GONE)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def while_open(request: Request, work: Callable[[], Awaitable[Response]]) -> Response:
    """As `while_connected`, for an answer that waits until something happens: a closing server waits for nothing.

    The request's body has been read before. Raises Unavailable when the server closes first.
    """
    closing: anyio.Event = request.app.state.closing
    with anyio.CancelScope() as scope:
        ending = asyncio.ensure_future(closing.wait())

        def closed(_: asyncio.Future[None]) -> None:
            scope.cancel()

        ending.add_done_callback(closed)
        try:
            return await while_connected(request, work)
        finally:
            ending.remove_done_callback(closed)
            ending.cancel()
    raise Unavailable("the backend is being stopped; ask again in a moment")
