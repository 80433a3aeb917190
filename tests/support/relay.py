"""A door on loopback that stays where it is while the server behind it moves, ends and comes back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class Relay:
    """Passes bytes on to `target` (a port), hangs up on everybody while there is none, swallows them while `silent`."""

    port: int = 0
    target: int | None = None
    silent: bool = False
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.target is None:
            writer.transport.abort()
            return
        try:
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        both = {writer, inner_writer}
        self._open |= both
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pass_on(reader, inner_writer))
                group.create_task(self._pass_on(inner_reader, writer))
        finally:
            self._open -= both
            for one in both:
                one.transport.abort()

    async def cut(self) -> None:
        """Every connection has ended, without a word."""
        for writer in list(self._open):
            writer.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while chunk := await reader.read(65_536):
                if not self.silent:
                    writer.write(chunk)
                    await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.transport.abort()


@asynccontextmanager
async def relaying(target: int) -> AsyncIterator[Relay]:
    """Yields a relay to the port `target` of this machine."""
    relay = Relay(target=target)
    server = await asyncio.start_server(relay.serve, "127.0.0.1", 0)
    relay.port = server.sockets[0].getsockname()[1]
    try:
        yield relay
    finally:
        server.close()
        await relay.cut()
        await server.wait_closed()
