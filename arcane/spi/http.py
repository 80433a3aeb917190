"""The HTTP session an adapter is handed. The host owns addresses, TLS, limits and retries; adapters ask."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import msgspec

from arcane.model.deadline import Deadline


class HttpRequest(msgspec.Struct, frozen=True):
    """A request relative to the datasource's base URL. `path` is already percent-encoded and begins with `/`."""

    path: str
    method: str = "GET"
    params: Sequence[tuple[str, str]] = ()
    headers: Mapping[str, str] = {}
    body: bytes | None = None


class HttpResponse(msgspec.Struct, frozen=True):
    """An answer read whole. Header names are lower case. Any status comes back, none is raised."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def content_type(self) -> str:
        """The media type without parameters, lower case, "" when absent."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class HttpStream(Protocol):
    """An answer that is read as it comes."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers, names in lower case."""
        ...

    def chunks(self) -> AsyncIterator[bytes]:
        """Yields the body, decompressed; raises TooLarge past the byte limit, TimedOut past the deadline."""
        ...


class HttpSession(Protocol):
    """All requests of one datasource: base URL, credentials and custom headers are already in it."""

    async def send(self, request: HttpRequest, deadline: Deadline) -> HttpResponse:
        """Returns the whole answer; raises Unreachable, TimedOut, Forbidden, TooLarge or BadResponse."""
        ...

    def stream(self, request: HttpRequest, deadline: Deadline) -> AbstractAsyncContextManager[HttpStream]:
        """Opens an answer for reading in chunks; leaving the context ends the upstream request."""
        ...
