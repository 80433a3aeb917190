"""The one road out to providers: every request of every one of them goes over this transport.

Addresses of providers are typed by users. Where a request may go is for `worker.llm.guard` to say. There are no proxies
from the environment, no redirects, and no cookies, which one organisation would get from another's answers; answers
have a largest size, which is that of what they unpack to.

aiohttp carries the requests, at a third of what httpcore and httpx take for one. The SDKs are given a client of httpx
all the same, which is the one they take; who knows what the SDK would send asks the road itself (`Client.exchange`).
"""

# ruff: noqa: TID251 - the ban on aiohttp sessions points everyone else here

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import aiohttp
import httpx2
from aiohttp.abc import AbstractStreamWriter
from aiohttp.connector import Connection
from aiohttp.payload import BytesPayload
from multidict import CIMultiDict
from yarl import URL

from arcane.kit.egress_addresses import AddressPolicy
from worker.llm.guard import Guard, Refused

_KEEPALIVE_S = 30.0
_NAMES_KEPT_S = 10
_HEADER_BYTES_MAX = 16 * 1024
_AT_ONCE_BYTES_MAX = 32 * 1024
_FRAMING = ("Content-Length", "Transfer-Encoding")  # said anew, by the body as it is sent
_PACKED = "gzip, deflate"  # what aiohttp unpacks whatever else is installed
_KEPT_BACK = frozenset({"set-cookie", "content-encoding", "content-length"})
_WRITTEN_BY_THE_SDK = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")

_FAILURES = (aiohttp.ClientError, aiohttp.http_exceptions.HttpProcessingError, OSError)


class AddressRefused(httpx2.ConnectError):
    """A host of ours that may not be called, or only with the operator's leave."""


class AnswerTooLarge(httpx2.ReadError):
    """An answer went on beyond the largest size there is."""


@dataclass(frozen=True, slots=True)
class HttpBounds:
    """How long and how much: `read_s` is the longest silence of a provider."""

    connect_s: float
    read_s: float
    answer_bytes: int
    connections: int


@dataclass(frozen=True, slots=True)
class Head:
    """What stands before the body of a request: made once, it may go before many bodies."""

    method: str
    url: URL
    headers: CIMultiDict[str]
    timeout: aiohttp.ClientTimeout


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, unpacked."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def for_sdk(self, request: httpx2.Request) -> httpx2.Response:
        """Returns the answer as an SDK knows it."""
        return httpx2.Response(self.status, headers=self.headers, content=self.body, request=request)


class _AtOnce(aiohttp.ClientRequest):
    """A request whose body leaves with its head, now, and not in a task that comes when all others had their turn.

    aiohttp does so itself where Python can begin a task at once (3.12).
    """

    def write_bytes(
        self, writer: AbstractStreamWriter, conn: Connection, content_length: int | None = None
    ) -> Coroutine[Any, Any, None]:
        """The body is written, or will be once what this returns has run."""
        writing = super().write_bytes(writer, conn, content_length)
        if not isinstance(self._body, BytesPayload) or (self._body.size or 0) > _AT_ONCE_BYTES_MAX:
            return writing
        with suppress(StopIteration):
            writing.send(None)
            raise AssertionError("what is this small does not wait")
        return _nothing()


async def _nothing() -> None:
    """Nothing is left to do."""


class _Bounded(httpx2.AsyncByteStream):
    """The body of an answer, while it comes."""

    def __init__(self, answer: aiohttp.ClientResponse, most: int) -> None:
        self._answer = answer
        self._left = most

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            try:
                chunk = await self._answer.content.readany()
            except _FAILURES as exc:
                raise _failure(exc) from None
            if not chunk:
                return
            self._left -= len(chunk)
            if self._left < 0:
                raise AnswerTooLarge("the answer is larger than this instance takes")
            yield chunk

    async def aclose(self) -> None:
        self._answer.close()


class GuardedTransport(httpx2.AsyncBaseTransport):
    """Sends requests to allowed addresses; takes cookies out of what comes back, and ends what is too large."""

    def __init__(self, policy: AddressPolicy, bounds: HttpBounds) -> None:
        self._guard = Guard(policy, bounds.connect_s)
        self._answer_bytes = bounds.answer_bytes
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                resolver=self._guard,
                socket_factory=self._guard.socket_for,
                ttl_dns_cache=_NAMES_KEPT_S,
                limit=bounds.connections,
                keepalive_timeout=_KEEPALIVE_S,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            request_class=_AtOnce if sys.version_info < (3, 12) else aiohttp.ClientRequest,
            skip_auto_headers=_WRITTEN_BY_THE_SDK,
            max_line_size=_HEADER_BYTES_MAX,
            max_field_size=_HEADER_BYTES_MAX,
        )

    def head_of(self, request: httpx2.Request) -> Head:
        """Returns what stands before the body of `request`. Raises AddressRefused."""
        try:
            self._guard.judge(request.url.host)
        except Refused as exc:
            raise AddressRefused(str(exc)) from exc
        bounds = request.extensions.get("timeout", {})
        text = request.headers.encoding
        headers = CIMultiDict((name.decode(text), value.decode(text)) for name, value in request.headers.raw)
        for framing in _FRAMING:
            headers.popall(framing, None)
        headers["Accept-Encoding"] = _PACKED
        return Head(
            method=request.method,
            url=URL(str(request.url), encoded=True).with_user(None),
            headers=headers,
            timeout=aiohttp.ClientTimeout(
                total=None,
                connect=bounds.get("pool"),
                sock_connect=bounds.get("connect"),
                sock_read=bounds.get("read"),
            ),
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Returns the answer of the provider, whose body is read as it comes."""
        answer = await self._asked(self.head_of(request), await request.aread())
        return httpx2.Response(
            answer.status,
            headers=_said(answer),
            stream=_Bounded(answer, self._answer_bytes),
            extensions={"http_version": b"HTTP/1.1", "reason_phrase": (answer.reason or "").encode("latin-1")},
        )

    async def exchange(self, head: Head, body: bytes) -> Answer:
        """Returns the whole answer of the provider. Raises what httpx raises."""
        answer = await self._asked(head, body)
        try:
            read = b"".join([chunk async for chunk in _Bounded(answer, self._answer_bytes)])
        finally:
            answer.close()
        return Answer(answer.status, _said(answer), read)

    async def _asked(self, head: Head, body: bytes) -> aiohttp.ClientResponse:
        try:
            return await self._session.request(
                head.method,
                head.url,
                data=body or None,
                headers=head.headers,
                timeout=head.timeout,
                allow_redirects=False,
            )
        except _FAILURES as exc:
            raise _failure(exc) from None

    async def aclose(self) -> None:
        """Its connections are closed."""
        await self._session.close()


class Client(httpx2.AsyncClient):
    """The client that all providers share."""

    def __init__(self, transport: GuardedTransport, **bounds: Any) -> None:
        super().__init__(transport=transport, **bounds)
        self.head_of = transport.head_of
        self.exchange = transport.exchange


def guarded_client(policy: AddressPolicy, bounds: HttpBounds) -> Client:
    """Returns a client that goes nowhere but where `policy` lets it; made inside the loop it is used in."""
    return Client(
        GuardedTransport(policy, bounds),
        timeout=httpx2.Timeout(bounds.read_s, connect=bounds.connect_s),
        follow_redirects=False,
        trust_env=False,
    )


def _said(answer: aiohttp.ClientResponse) -> list[tuple[str, str]]:
    """Returns the headers, without those of how the body came, and without cookies."""
    return [(name, value) for name, value in answer.headers.items() if name.lower() not in _KEPT_BACK]


def _failure(exc: BaseException) -> httpx2.TransportError:
    """Returns what httpx calls the failure. aiohttp's own words are left out: they may hold the request's headers."""
    inner: BaseException | None = exc
    while inner is not None:
        if isinstance(inner, Refused):
            return AddressRefused(str(inner))
        inner = getattr(inner, "os_error", None) or inner.__cause__
    match exc:
        case aiohttp.ConnectionTimeoutError():
            return httpx2.ConnectTimeout("no connection was made in time")
        case TimeoutError():
            return httpx2.ReadTimeout("nothing came for too long")
        case aiohttp.ClientConnectorCertificateError():
            return httpx2.ConnectError("the certificate is not trusted")
        case aiohttp.ClientConnectorError() | aiohttp.ClientSSLError() | aiohttp.InvalidURL():
            return httpx2.ConnectError("no connection could be made")
        case (
            aiohttp.ClientPayloadError() | aiohttp.ClientResponseError() | aiohttp.http_exceptions.HttpProcessingError()
        ):
            return httpx2.RemoteProtocolError("the answer is broken, or broke off")
        case _:
            return httpx2.ReadError("the connection was lost")
