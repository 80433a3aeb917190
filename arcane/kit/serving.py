"""Serving an ASGI application over HTTP, alone or as a child of `arcane up`."""

from __future__ import annotations

import socket

import anyio
import uvicorn
from starlette.applications import Starlette

from arcane.kit.lasting import settle
from arcane.kit.one_write import OneWriteProtocol
from arcane.kit.supervised import say_ready, until_parent_ends

_DRAIN_S = 10


class PortTaken(Exception):
    """Somebody else listens there, or this user may not."""


def listen(host: str, port: int) -> socket.socket:
    """Returns a socket that is bound to `host:port`. Raises PortTaken with a line that says what to do."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except (OSError, OverflowError) as exc:
        bound.close()
        why = getattr(exc, "strerror", None) or "there is no such port"
        raise PortTaken(f"cannot listen on {host}:{port}: {why}; stop what runs there, or choose another port") from exc
    return bound


async def serve(app: Starlette, bound: socket.socket, *, supervised: bool) -> None:
    """Serves `app` until the process is told to end (or its parent ends, when `supervised`).

    Requests are drained; what goes on while somebody listens ends by `app.state.closing`.
    """
    server = _Server(
        uvicorn.Config(
            app,
            http=OneWriteProtocol,
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="on",
            ws="none",
            timeout_graceful_shutdown=_DRAIN_S,
        ),
        supervised=supervised,
        closing=app.state.closing,
    )
    async with anyio.create_task_group() as group:
        if supervised:
            group.start_soon(server.end_with_parent)
        await server.serve(sockets=[bound])
        group.cancel_scope.cancel()
    if not server.started or server.lifespan.error_occurred:
        raise SystemExit(1)  # the lifespan failed and has said why


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, *, supervised: bool, closing: anyio.Event) -> None:
        super().__init__(config)
        self.closing = closing
        self.supervised = supervised

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        settle()
        if self.started and self.supervised:
            say_ready()

    async def on_tick(self, counter: int) -> bool:
        """Returns whether to end: also when background work broke, rather than answer as if all were well."""
        return self.lifespan.error_occurred or await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.closing.set()
        await super().shutdown(sockets)

    async def end_with_parent(self) -> None:
        await until_parent_ends()
        self.should_exit = True
