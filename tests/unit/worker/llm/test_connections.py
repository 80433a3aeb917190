"""The road to providers: where it leads, what it lets through, and how a request that fails is told."""

from __future__ import annotations

import asyncio
import gzip
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import anyio
import httpx2
import pytest
from anyio.abc import SocketAttribute, SocketStream

from arcane.kit.egress_addresses import AddressPolicy
from tests.support.certificates import self_signed
from worker.llm.guard import Guard, Refused
from worker.llm.http import AddressRefused, AnswerTooLarge, Client, HttpBounds, guarded_client

pytestmark = pytest.mark.anyio

LOOPBACK = AddressPolicy.of(["127.0.0.0/8"])
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
PLACE = ("127.0.0.1", 80)


def road(connections: int = 4, policy: AddressPolicy = LOOPBACK, read_s: float = 30.0) -> Client:
    return guarded_client(policy, HttpBounds(connect_s=5.0, read_s=read_s, answer_bytes=1_000, connections=connections))


async def through_httpx(client: Client, url: str) -> str:
    return (await client.post(url, content=b"body")).text


async def directly(client: Client, url: str) -> str:
    head = client.head_of(client.build_request("POST", url, content=b"what the head was made with"))
    return (await client.exchange(head, b"body")).body.decode()


Way = Callable[[Client, str], Awaitable[str]]
WAYS = pytest.mark.parametrize("way", [through_httpx, directly])


class Server:
    """Answers each request with the next of `answers`; None hangs up, nothing keeps silent."""

    def __init__(self, *answers: bytes | None) -> None:
        self.answers = list(answers)
        self.got: list[bytes] = []
        self.opened = 0
        self.came = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/"

    def serve(self) -> None:
        """Until it is closed, one connection after the other."""
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.opened += 1
            with connection, suppress(ConnectionError):
                self._answer(connection)

    def close(self) -> None:
        """Who waits in `serve` goes home."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _answer(self, connection: socket.socket) -> None:
        while request := connection.recv(65_536):
            self.got.append(request)
            self.came.set()
            answer = self.answers.pop(0)
            if answer is None:
                return
            connection.sendall(answer)
            if b"Connection: close" in answer:
                return


@contextmanager
def answering(*answers: bytes | None) -> Iterator[Server]:
    server = Server(*answers)
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join(10)


@WAYS
async def test_head_and_body_leave_in_one_write_and_say_what_was_said(way: Way) -> None:
    with answering(ANSWER) as server:
        async with road() as client:
            assert await way(client, server.url) == "ok"
    head, _, body = server.got[0].partition(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    assert lines[0] == b"post / http/1.1"
    assert sorted(name for name, _, _ in (line.partition(b":") for line in lines[1:])) == sorted(
        {b"host", b"accept", b"accept-encoding", b"connection", b"user-agent", b"content-length"}
    )
    assert (b"content-length: 4" in lines, body) == (True, b"body")


async def test_a_request_is_on_its_way_before_anybody_else_has_a_turn() -> None:
    """Or 200 requests that begin together would all leave when the last of them is made."""
    with answering(ANSWER, ANSWER) as server:
        async with road() as client:
            await directly(client, server.url)
            server.came.clear()
            came: list[bool] = []

            async def others_turn() -> None:
                came.append(server.came.wait(10))  # blocks the loop: what is not written now is not written

            async with anyio.create_task_group() as group:
                group.start_soon(directly, client, server.url)
                group.start_soon(others_turn)
            assert came == [True]
    assert server.opened == 1


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
        url = f"http://127.0.0.1:{listener.extra(SocketAttribute.local_port)}/"
        async with road(10) as client:

            async def ask(way: Way) -> None:
                nonlocal answered
                said = await way(client, url)
                answered += said == "ok"

            async with anyio.create_task_group() as asking:
                for number in range(25):
                    asking.start_soon(ask, directly if number % 2 else through_httpx)
                with anyio.fail_after(20):
                    while opened < 10:  # noqa: ASYNC110 - the server's doing
                        await anyio.sleep(0.01)
                go_on.set()
            assert (opened, answered) == (10, 25)
            await ask(directly)
            assert opened == 10
        group.cancel_scope.cancel()


@WAYS
async def test_a_connection_that_was_closed_between_requests_is_not_used_again(way: Way) -> None:
    closing = ANSWER.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    with answering(closing, ANSWER) as server:
        async with road() as client:
            assert await way(client, server.url) == "ok"
            assert await way(client, server.url) == "ok"
    assert server.opened == 2


@WAYS
async def test_an_answer_that_is_too_large_is_not_read(way: Way) -> None:
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + b"x" * 2_000) as server:
        async with road() as client:
            with pytest.raises(AnswerTooLarge):
                await way(client, server.url)


@WAYS
async def test_an_answer_that_unpacks_to_too_much_is_not_unpacked(way: Way) -> None:
    packed = gzip.compress(b"x" * 100_000)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    assert len(packed) < 1_000
    with answering(head + packed) as server:
        async with road() as client:
            with pytest.raises(AnswerTooLarge):
                await way(client, server.url)
    assert b"accept-encoding: gzip, deflate\r\n" in server.got[0].lower()


async def test_a_certificate_that_nobody_vouches_for_is_not_trusted(tmp_path: Path) -> None:
    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=self_signed(tmp_path))
    async with server, road() as client:
        with pytest.raises(httpx2.ConnectError, match="the certificate is not trusted"):
            await directly(client, f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/")


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (None, httpx2.ReadError),
        (b"welcome\r\n\r\n", httpx2.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\nConnection: close\r\n\r\nhalf", httpx2.RemoteProtocolError),
        (b"", httpx2.ReadTimeout),
    ],
    ids=["hung up", "not HTTP", "half an answer", "silence"],
)
@WAYS
async def test_a_failure_is_told_as_httpx_tells_it(way: Way, answer: bytes | None, told: type[Exception]) -> None:
    with answering(answer) as server:
        async with road(read_s=0.5) as client:
            with pytest.raises(told) as raised:
                await way(client, server.url)
    assert server.url not in str(raised.value)


@WAYS
async def test_where_nobody_listens_there_is_no_connection(way: Way) -> None:
    with answering() as server:
        pass
    async with road() as client:
        with pytest.raises(httpx2.ConnectError):
            await way(client, server.url)


@WAYS
async def test_redirects_are_not_followed_and_no_cookie_comes_through_or_back(way: Way) -> None:
    moved = b"HTTP/1.1 302 Found\r\nLocation: /other\r\nSet-Cookie: a=1\r\nContent-Length: 5\r\n\r\nmoved"
    with answering(moved, ANSWER) as server:
        async with road() as client:
            assert await way(client, server.url) == "moved"
            assert await way(client, server.url) == "ok"
            assert not list(client.cookies)
    assert b"cookie" not in server.got[1].lower()


@WAYS
async def test_an_address_that_is_refused_is_not_called(way: Way) -> None:
    with answering(ANSWER) as server:
        port = server.url.rpartition(":")[2]
        async with road(policy=AddressPolicy()) as client:
            for host in ("127.0.0.1", "localhost", "[::1]", "2130706433", "127.1"):
                with pytest.raises(AddressRefused):
                    await way(client, f"http://{host}:{port}")
    assert server.opened == 0


async def test_the_socket_itself_is_judged_whatever_was_looked_up() -> None:
    guard = Guard(AddressPolicy(), 5.0)
    for place in (PLACE, ("10.0.0.1", 80), ("169.254.169.254", 80)):
        with pytest.raises(Refused):
            guard.socket_for((socket.AF_INET, socket.SOCK_STREAM, 0, "", place))
    with pytest.raises(Refused):
        guard.socket_for((socket.AF_UNIX, socket.SOCK_STREAM, 0, "", ("/run/some.sock", 0)))
    Guard(LOOPBACK, 5.0).socket_for((socket.AF_INET, socket.SOCK_STREAM, 0, "", PLACE)).close()
