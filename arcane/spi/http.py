"""The HTTP session an adapter is handed. The host owns addresses, TLS, limits and retries; adapters ask."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, Protocol

import msgspec

from arcane.model.deadline import Deadline

_RETRY_AFTER_MAX_S: Final = 3_600.0


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

    @property
    def retry_after_s(self) -> float | None:
        """In how many seconds to ask again, an hour at most; None where the server does not say."""
        told = retry_after_s(self.headers, datetime.now(UTC))
        return None if told is None else min(told, _RETRY_AFTER_MAX_S)


def retry_after_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """Returns what `Retry-After` says in seconds (RFC 9110 10.2.3), None where it is missing or neither form."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdecimal():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


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
