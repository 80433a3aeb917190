"""Serves the worker's HTTP door within the worker's own tasks: signals stay with `worker.main`."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import anyio
import uvicorn
from starlette.types import ASGIApp

_DRAIN_S = 5


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listening(host: str, port: int) -> socket.socket:
    """Returns a socket that is bound to `host:port`. Raises OSError."""
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound


def own_address(host: str, port: int) -> str:
    """Returns the URL of what listens there; who listens on every address is reached by this machine's name."""
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        host = socket.gethostname()
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


async def serve(app: ASGIApp, bound: socket.socket) -> None:
    """Serves until it is cancelled; what is being answered then has a moment to finish."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=_DRAIN_S,
    )
    server = _Server(config)
    try:
        await server.serve(sockets=[bound])
    except anyio.get_cancelled_exc_class():
        with anyio.CancelScope(shield=True):
            server.force_exit = True
            await server.shutdown(sockets=[bound])
        raise
