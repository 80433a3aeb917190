"""Two answers for whoever supervises this process: it runs (`/health`), and its backend knows it (`/health/ready`).

A web framework for two fixed answers would double the worker's memory, so this speaks the little
HTTP it needs.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import anyio
from anyio.abc import SocketStream
from anyio.streams.buffered import BufferedByteReceiveStream

_READ_TIMEOUT_S = 5.0
_MAX_HEAD_BYTES = 8 * 1024
_REASONS = {200: "OK", 404: "Not Found", 405: "Method Not Allowed", 503: "Service Unavailable"}


@dataclass(frozen=True, slots=True)
class Health:
    """Answers health checks; `ready` tells whether the worker can do its work."""

    ready: Callable[[], bool]

    async def answer(self, stream: SocketStream) -> None:
        """One request on `stream` has been answered and the connection closed."""
        async with stream:
            try:
                with anyio.fail_after(_READ_TIMEOUT_S):
                    head = await BufferedByteReceiveStream(stream).receive_until(b"\r\n\r\n", _MAX_HEAD_BYTES)
                    await stream.send(self._response(head))
            except (TimeoutError, anyio.IncompleteRead, anyio.DelimiterNotFound, anyio.BrokenResourceError):
                return  # whoever asked went away, or does not speak HTTP

    def _response(self, head: bytes) -> bytes:
        method, _, rest = head.partition(b"\r\n")[0].partition(b" ")
        status, state = self._state(method, rest.partition(b" ")[0])
        body = json.dumps({"status": state}).encode()
        lines = [
            f"HTTP/1.1 {status} {_REASONS[status]}",
            "content-type: application/json",
            f"content-length: {len(body)}",
            "connection: close",
        ]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + (b"" if method == b"HEAD" else body)

    def _state(self, method: bytes, path: bytes) -> tuple[int, str]:
        if method not in (b"GET", b"HEAD"):
            return 405, "method not allowed"
        if path == b"/health":
            return 200, "ok"
        if path == b"/health/ready":
            return (200, "ready") if self.ready() else (503, "waiting")
        return 404, "not found"
