"""A request leaves with one write: httpcore writes its head and its body apart, and each costs a system call."""

from __future__ import annotations

import ssl
from contextlib import suppress
from typing import Any

import httpcore2

_HELD_MAX = 64 * 1024


class HeadWithBody(httpcore2.AsyncNetworkStream):
    """A connection that holds back what is written until there is a lot of it, or an answer is waited for."""

    def __init__(self, inner: httpcore2.AsyncNetworkStream) -> None:
        self._inner = inner
        self._held = b""

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - httpcore's signature
        """The bytes are sent, or will be with the next ones, or before the next read."""
        self._held += buffer
        if len(self._held) > _HELD_MAX:
            await self._send(timeout)

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - httpcore's signature
        """Returns what came, once everything was sent; a server may answer although it hung up on a request."""
        if self._held:
            with suppress(httpcore2.WriteError):
                await self._send(timeout)
        return await self._inner.read(max_bytes, timeout)

    async def aclose(self) -> None:
        """The connection is closed; what was held back is not sent."""
        await self._inner.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
    ) -> httpcore2.AsyncNetworkStream:
        """Returns the encrypted connection over this one."""
        return HeadWithBody(await self._inner.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        """Returns what is known of the connection."""
        return self._inner.get_extra_info(info)

    async def _send(self, timeout: float | None) -> None:  # noqa: ASYNC109 - see `write`
        held, self._held = self._held, b""
        await self._inner.write(held, timeout)
