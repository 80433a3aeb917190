"""A server whose background work has broken ends, for somebody to start it again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest
from starlette.applications import Starlette

from arcane.kit.serving import listen, serve


@pytest.mark.anyio
async def test_it_does_not_answer_on_without_its_background_work() -> None:
    listens = anyio.Event()

    async def breaks() -> None:
        await listens.wait()
        raise ConnectionError("what keeps the application going is gone")

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with anyio.create_task_group() as group:
            group.start_soon(breaks)
            yield

    app = Starlette(lifespan=lifespan)
    app.state.closing = anyio.Event()
    bound = listen("127.0.0.1", 0)
    bound.listen()  # who knocks early waits

    async def knock() -> None:
        async with await anyio.connect_tcp(*bound.getsockname()) as stream:
            await stream.send(b"GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
            assert (await stream.receive()).startswith(b"HTTP/1.1 404")
        listens.set()

    async with anyio.create_task_group() as group:
        group.start_soon(knock)
        with anyio.fail_after(20), pytest.raises(SystemExit) as raised:
            await serve(app, bound, supervised=False)
    assert raised.value.code == 1
