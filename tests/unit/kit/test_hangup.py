"""What waits for something to happen ends with who asked for it, and with the server."""

from __future__ import annotations

from collections.abc import Callable

import anyio
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message

from arcane.kit.hangup import CLIENT_GONE, while_open
from arcane.kit.problems import Unavailable

pytestmark = pytest.mark.anyio


class Poll:
    """A request that waits: its client may hang up, its server close, and something happen."""

    def __init__(self) -> None:
        self.app = Starlette()
        self.app.state.closing = self.closing = anyio.Event()
        self.hung_up, self.happened, self.begun = anyio.Event(), anyio.Event(), anyio.Event()
        self.cancelled = False

    async def answered(self) -> Response:
        """Returns what the client is told."""

        async def receive() -> Message:
            await self.hung_up.wait()
            return {"type": "http.disconnect"}

        return await while_open(Request({"type": "http", "app": self.app}, receive), self._until_it_happens)

    async def _until_it_happens(self) -> Response:
        self.begun.set()
        try:
            await self.happened.wait()
        except anyio.get_cancelled_exc_class():
            self.cancelled = True
            raise
        return Response(b"it happened")

    async def answered_when(self, event: Callable[[Poll], anyio.Event]) -> Response:
        """Returns what the client is told when `event` comes while it waits."""
        async with anyio.create_task_group() as group:

            async def later() -> None:
                await self.begun.wait()
                event(self).set()

            group.start_soon(later)
            with anyio.fail_after(10):
                return await self.answered()


async def test_what_happens_is_told() -> None:
    poll = Poll()
    answer = await poll.answered_when(lambda one: one.happened)
    assert (answer.status_code, answer.body, poll.cancelled) == (200, b"it happened", False)


async def test_a_client_that_hangs_up_ends_the_waiting() -> None:
    poll = Poll()
    answer = await poll.answered_when(lambda one: one.hung_up)
    assert (answer.status_code, poll.cancelled) == (CLIENT_GONE, True)


async def test_a_server_that_closes_says_so_instead_of_waiting() -> None:
    poll = Poll()
    with pytest.raises(ExceptionGroup) as raised:
        await poll.answered_when(lambda one: one.closing)
    assert raised.group_contains(Unavailable, match="is being stopped")
    assert poll.cancelled
