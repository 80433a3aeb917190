"""Connections to providers: a request is one write, and there are never more of them than the bounds say."""

from __future__ import annotations

import anyio
import httpcore2
import pytest
from anyio.abc import SocketAttribute, SocketStream

from arcane.kit.egress_addresses import AddressPolicy
from worker.llm.http import AnswerTooLarge, HttpBounds, guarded_client
from worker.llm.one_write import HeadWithBody

pytestmark = pytest.mark.anyio

LOOPBACK = AddressPolicy.of(["127.0.0.0/8"])
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


def bounds(connections: int) -> HttpBounds:
    return HttpBounds(connect_s=5.0, read_s=30.0, answer_bytes=1_000, connections=connections)


class Wire(httpcore2.AsyncNetworkStream):
    """A connection in memory, which notes what is written."""

    def __init__(self, *, hung_up: bool = False) -> None:
        self.writes: list[bytes] = []
        self.hung_up = hung_up

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        if self.hung_up:
            raise httpcore2.WriteError
        self.writes.append(buffer)

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        return ANSWER


async def test_what_is_written_leaves_at_once_before_an_answer_is_waited_for() -> None:
    wire = Wire()
    connection = HeadWithBody(wire)
    await connection.write(b"head,")
    await connection.write(b"body")
    assert wire.writes == []
    assert await connection.read(100) == ANSWER
    assert wire.writes == [b"head,body"]
    await connection.read(100)
    assert len(wire.writes) == 1


async def test_a_large_request_is_not_held_in_memory() -> None:
    wire = Wire()
    connection = HeadWithBody(wire)
    for _ in range(3):
        await connection.write(b"x" * 40_000)
    assert [len(written) for written in wire.writes] == [80_000]


async def test_the_answer_of_a_server_that_hung_up_on_the_request_is_read() -> None:
    connection = HeadWithBody(Wire(hung_up=True))
    await connection.write(b"x")
    assert await connection.read(100) == ANSWER


async def test_no_more_connections_are_open_than_the_bounds_say_and_they_are_used_again() -> None:
    opened = answered = 0
    go_on = anyio.Event()

    async def serve(stream: SocketStream) -> None:
        nonlocal opened
        opened += 1
        async with stream:
            while True:
                try:
                    await stream.receive()
                except anyio.EndOfStream:
                    return
                await go_on.wait()
                await stream.send(ANSWER)

    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, serve)
        port = listener.extra(SocketAttribute.local_port)
        async with guarded_client(LOOPBACK, bounds(10)) as client:

            async def ask() -> None:
                nonlocal answered
                answer = await client.get(f"http://127.0.0.1:{port}/")
                answered += answer.text == "ok"

            async with anyio.create_task_group() as asking:
                for _ in range(25):
                    asking.start_soon(ask)
                with anyio.fail_after(20):
                    while opened < 10:  # noqa: ASYNC110 - the server's doing
                        await anyio.sleep(0.01)
                go_on.set()
            assert (opened, answered) == (10, 25)
            await ask()
            assert opened == 10
        group.cancel_scope.cancel()


async def test_an_answer_that_is_too_large_is_not_read() -> None:
    large = b"HTTP/1.1 200 OK\r\ncontent-length: 2000\r\n\r\n" + b"x" * 2_000

    async def serve(stream: SocketStream) -> None:
        async with stream:
            await stream.receive()
            await stream.send(large)

    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, serve)
        async with guarded_client(LOOPBACK, bounds(1)) as client:
            with pytest.raises(AnswerTooLarge):
                await client.get(f"http://127.0.0.1:{listener.extra(SocketAttribute.local_port)}/")
        group.cancel_scope.cancel()
