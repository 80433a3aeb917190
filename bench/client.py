"""A keep-alive HTTP/1.1 client that costs little, so that the figures are the server's and not the client's."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import cast

import anyio

BAD = 400


class Failed(Exception):
    """The server answered with an error, or not at all."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server is, and what every request to it carries."""

    port: int
    headers: str = ""
    host: str = "127.0.0.1"

    def get(self, target: str, accept: str = "application/json") -> bytes:
        """Returns the bytes of a GET request."""
        return (
            f"GET {target} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\nAccept: {accept}\r\n{self.headers}\r\n"
        ).encode()

    def post(self, target: str, body: bytes) -> bytes:
        """Returns the bytes of a POST request with a JSON body."""
        return (
            f"POST {target} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n{self.headers}\r\n"
        ).encode() + body


class Connection(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[bytes] | None = None
        self._reset()

    def _reset(self) -> None:
        self._head = b""
        self._parts: list[bytes] = []
        self._left = -1  # bytes of the body that are still to come, -1 before the head is there
        self._chunked = False

    @classmethod
    async def open(cls, address: Address) -> Connection:
        """Returns a connection to `address`."""
        _, connection = await asyncio.get_running_loop().create_connection(cls, address.host, address.port)
        return connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own is none by class

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(Failed("the connection was closed"))

    def close(self) -> None:
        """Closes the connection."""
        if self._transport is not None:
            self._transport.close()

    async def ask(self, request: bytes) -> bytes:
        """Returns the body of the answer; raises Failed for an error."""
        assert self._transport is not None
        self._answer = self._loop.create_future()
        self._transport.write(request)
        return await self._answer

    async def timed(self, request: bytes) -> float:
        """Returns the milliseconds until the whole answer was there."""
        began = time.perf_counter()
        await self.ask(request)
        return (time.perf_counter() - began) * 1_000

    def data_received(self, data: bytes) -> None:
        if self._left < 0:
            self._head += data
            end = self._head.find(b"\r\n\r\n")
            if end < 0:
                return
            data, self._head = self._head[end + 4 :], self._head[:end]
            self._begin_body()
        self._parts.append(data)
        self._left -= len(data)
        if self._chunked:
            tail = data if len(data) >= 7 else b"".join(self._parts[-7:])
            if tail.endswith(b"0\r\n\r\n") and (tail[-7:-5] == b"\r\n" or len(tail) == 5):
                self._done()
        elif self._left <= 0:
            self._done()

    def _begin_body(self) -> None:
        head = self._head.lower()
        at = head.find(b"content-length:")
        self._chunked = at < 0
        self._left = 1 << 60 if at < 0 else int(head[at + 15 :].split(b"\r\n", 1)[0])

    def _done(self) -> None:
        body, head, answer = b"".join(self._parts), self._head, self._answer
        self._reset()
        assert answer is not None
        if int(head[9:12]) >= BAD:
            answer.set_exception(Failed(f"{head[:15].decode()}: {body[:400].decode(errors='replace')}"))
        else:
            answer.set_result(body)


@dataclass(frozen=True, slots=True)
class Load:
    """What clients got done together."""

    requests: int
    seconds: float
    milliseconds: list[float]

    @property
    def per_second(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds


async def load(address: Address, requests: list[bytes], clients: int, seconds: float) -> Load:
    """Returns what `clients` connections got answered in `seconds`, each asking `requests` in turn."""
    took: list[float] = []
    end = time.perf_counter() + seconds

    async def one(number: int) -> None:
        connection = await Connection.open(address)
        turn = number
        while time.perf_counter() < end:
            took.append(await connection.timed(requests[turn % len(requests)]))
            turn += 1
        connection.close()

    began = time.perf_counter()
    async with anyio.create_task_group() as group:
        for number in range(clients):
            group.start_soon(one, number)
    return Load(len(took), time.perf_counter() - began, sorted(took))
