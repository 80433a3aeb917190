"""Servers on loopback that answer what a test says, byte for byte: what an adapter may meet in the wild."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as it arrived."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


Answer = Callable[[Seen, asyncio.StreamWriter], Awaitable[None]]


@dataclass(slots=True)
class Backend:
    """A server; `seen` are the requests so far, `closed` counts connections that the client ended."""

    host: str
    port: int
    seen: list[Seen] = field(default_factory=list)
    connections: int = 0
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"


@asynccontextmanager
async def backend(answer: Answer, host: str = "127.0.0.1") -> AsyncIterator[Backend]:
    """Yields a server that gives every request to `answer`; `gone` is set when a client hangs up."""
    state = Backend(host, 0)
    writers: set[asyncio.StreamWriter] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        state.connections += 1
        writers.add(writer)
        try:
            while (seen := await _read(reader)) is not None:
                state.seen.append(seen)
                await answer(seen, writer)
                await writer.drain()
                if writer.is_closing():
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writers.discard(writer)
            writer.close()

    class HangsUp(asyncio.StreamReaderProtocol):
        """Closes when the client does, even while an answer is being made."""

        def eof_received(self) -> bool:
            super().eof_received()
            return False

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            state.gone.set()

    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: HangsUp(asyncio.StreamReader(), connected), host, 0)
    state.port = server.sockets[0].getsockname()[1]
    try:
        yield state
    finally:
        server.close()
        for writer in list(writers):
            writer.transport.abort()
        await server.wait_closed()


async def _read(reader: asyncio.StreamReader) -> Seen | None:
    head = await reader.readuntil(b"\r\n\r\n") if not reader.at_eof() else b""
    if not head:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ")
    headers = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Seen(method, target, headers, body)


def reply(body: bytes = b"{}", *, status: str = "200 OK", headers: Mapping[str, str] | None = None) -> bytes:
    """Returns a whole answer."""
    lines = {"Content-Length": str(len(body)), "Content-Type": "application/json", **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body


def always(raw: bytes) -> Answer:
    """Answers every request with `raw`."""

    async def answer(_seen: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)

    return answer


def redirect(location: str, status: int = 302) -> Answer:
    """Answers every request with a redirect."""
    return always(reply(b"", status=f"{status} Found", headers={"Location": location}))


async def never(_seen: Seen, writer: asyncio.StreamWriter) -> None:
    """Answers nothing until the client hangs up."""
    await writer.wait_closed()
