"""A client that hangs up ends what it asked for: nobody works for nobody."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio
from starlette.requests import Request
from starlette.responses import Response

from arcane.kit.problems import Problem

T = TypeVar("T")

CLIENT_GONE = 499
"""What nginx logs for it; nobody receives it."""


async def while_connected(request: Request, work: Callable[[], Awaitable[Response]]) -> Response:
    """Returns the response that `work` makes; cancels it, with all its upstream requests, when the client hangs up."""
    made: Response | None = None
    refused: Problem | None = None
    async with anyio.create_task_group() as group:

        async def listen() -> None:
            while (await request.receive())["type"] != "http.disconnect":
                pass
            group.cancel_scope.cancel()

        group.start_soon(listen)
        try:
            made = await work()
        except Problem as exc:  # leaves as it is, not as a group of one
            refused = exc
        group.cancel_scope.cancel()
    if refused is not None:
        raise refused
    return made or Response(status_code=CLIENT_GONE)
