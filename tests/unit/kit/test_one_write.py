"""An answer's head leaves with its body, and never waits for one that takes its time."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable
from typing import Any

import anyio
import anyio.lowlevel
import pytest
import uvicorn
from anyio.abc import SocketStream

from arcane.kit.one_write import HeadWithBody, OneWriteProtocol

pytestmark = pytest.mark.anyio

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n"
BODY = b"{}"


class Recorded(asyncio.Transport):
    """Keeps what each system call would send."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[bytes] = []
        self.closed = False

    def write(self, data: Any) -> None:
        self.calls.append(bytes(data))

    def writelines(self, list_of_data: Iterable[Any]) -> None:
        self.calls.append(b"".join(list_of_data))

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


@pytest.fixture
def below() -> Recorded:
    return Recorded()


@pytest.fixture
async def transport(below: Recorded) -> HeadWithBody:
    return HeadWithBody(below, asyncio.get_running_loop())


async def test_a_head_and_its_body_are_one_write(transport: HeadWithBody, below: Recorded) -> None:
    transport.write(HEAD)
    assert below.calls == []
    transport.write(BODY)
    assert below.calls == [HEAD + BODY]
    await anyio.lowlevel.checkpoint()
    assert below.calls == [HEAD + BODY]


async def test_a_head_whose_body_takes_its_time_leaves_at_the_end_of_the_turn(
    transport: HeadWithBody, below: Recorded
) -> None:
    transport.write(HEAD)
    await anyio.lowlevel.checkpoint()
    assert below.calls == [HEAD]
    transport.write(BODY)
    assert below.calls == [HEAD, BODY]


async def test_pieces_of_a_body_leave_as_they_come(transport: HeadWithBody, below: Recorded) -> None:
    for piece in (HEAD, b"one", memoryview(b"two")):
        transport.write(piece)  # type: ignore[arg-type]
    assert below.calls == [HEAD + b"one", b"two"]


async def test_what_is_closed_has_sent_everything(transport: HeadWithBody, below: Recorded) -> None:
    transport.write(HEAD)
    transport.close()
    assert below.calls == [HEAD]
    assert transport.is_closing()


async def answers(stream: SocketStream, count: int) -> bytes:
    """Returns what was received when `count` bodies are there."""
    found = b""
    while found.count(BODY) < count:
        found += await stream.receive()
    return found


async def test_a_server_answers_each_of_several_requests_that_came_at_once() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": BODY})

    with socket.create_server(("127.0.0.1", 0)) as bound:
        config = uvicorn.Config(app, http=OneWriteProtocol, lifespan="off", log_config=None)
        server = uvicorn.Server(config)
        async with anyio.create_task_group() as group:
            group.start_soon(server.serve, [bound])
            async with await anyio.connect_tcp("127.0.0.1", bound.getsockname()[1]) as stream:
                for _ in range(2):
                    await stream.send(b"GET / HTTP/1.1\r\nhost: here\r\n\r\n" * 3)
                    found = await answers(stream, 3)
                    assert found.count(b"HTTP/1.1 200 OK") == 3
            server.should_exit = True
