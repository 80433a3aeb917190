"""The only way out over HTTP.

Adapters get an `EgressSession` and ask it; where a request may go, how long it may take and how
much may come back is decided here. Redirects are followed by hand, because each is a new address to check and
may not carry credentials elsewhere. See docs/reference/egress.md.
"""

# ruff: noqa: TID251 - the ban on aiohttp sessions points everyone else here

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import aiohttp
from aiohttp.abc import AbstractResolver
from aiohttp.compression_utils import HAS_ZSTD
from anyio import Semaphore, WouldBlock, move_on_after

from arcane.kit.database import transaction_is_open
from arcane.kit.egress_addresses import AddressPolicy
from arcane.kit.egress_connect import GuardingResolver, guarded_socket
from arcane.kit.egress_errors import Translating
from arcane.kit.egress_url import BaseUrl, Hop, Origin, checked_headers, checked_method
from arcane.model.deadline import Deadline
from arcane.model.notice import Notice
from arcane.settings import EgressSettings, LimitSettings
from arcane.spi.errors import BadResponse, TimedOut, TooLarge
from arcane.spi.http import HttpRequest, HttpResponse, HttpStream

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MAX_HEADER_BYTES = 16 * 1024
_MAX_HEADERS = 100
_DNS_CACHE_S = 10
_IDLE_CONNECTION_S = 60.0
_OWN_HEADERS = {
    "Accept-Encoding": "gzip, deflate, zstd" if HAS_ZSTD else "gzip, deflate",
    "User-Agent": "arcane",
}


class Egress:
    """The rules of this process, and its bound on requests under way; makes one session a datasource."""

    def __init__(
        self, settings: EgressSettings, limits: LimitSettings, resolver: AbstractResolver | None = None
    ) -> None:
        """Raises ValueError when `allow_networks` holds something that is not a network."""
        self.settings = settings
        self.policy = AddressPolicy.of(settings.allow_networks)
        self.schemes = tuple(scheme.lower() for scheme in settings.allow_schemes)
        self.places = Semaphore(limits.concurrent_requests, fast_acquire=True)
        self.resolver = resolver

    def session(self, base_url: str, headers: Mapping[str, str]) -> EgressSession:
        """Returns a session below `base_url` with `headers` on every request to its origin; connects later.

        Raises Misconfigured or Forbidden for a URL or header that cannot be used.
        """
        base = BaseUrl.parse(base_url, self.schemes, self.policy)
        return EgressSession(self, base, checked_headers(headers))


class EgressSession:
    """An HttpSession (arcane.spi.http) for one datasource: its pool of connections, its credentials, its bound."""

    def __init__(self, egress: Egress, base: BaseUrl, headers: Mapping[str, str]) -> None:
        self._egress = egress
        self._base = base
        self._headers = {**_OWN_HEADERS, **headers}
        self._client: aiohttp.ClientSession | None = None
        self.limit_by(lambda: egress.settings.max_connections)

    def limit_by(self, polite: Callable[[], int]) -> None:
        """Bounds requests under way by what the backend calls polite, which it may say later than the first one."""
        self._polite = polite
        self._places = _places(self._most())

    def _most(self) -> int:
        return max(1, min(self._polite(), self._egress.settings.max_connections))

    def _own_places(self) -> Semaphore:
        """Places for as many as it wants now; who has one of the former places gives it back there."""
        most = self._most()
        if self._places.max_value != most:
            self._places = _places(most)
        return self._places

    async def send(self, request: HttpRequest, deadline: Deadline) -> HttpResponse:
        """Returns the whole answer, of any status; raises DatasourceError."""
        places = await self._take_places(deadline)
        try:
            response = await self._answer(request, deadline)
            try:
                body = b"".join([chunk async for chunk in self._chunks(response, deadline)])
            finally:
                response.close()
            return HttpResponse(response.status, _lower(response), body)
        finally:
            _give_back(places)

    @asynccontextmanager
    async def stream(self, request: HttpRequest, deadline: Deadline) -> AsyncIterator[HttpStream]:
        """Yields an answer to read in chunks; what is not read is not fetched. Leaving ends the request."""
        places = await self._take_places(deadline)
        try:
            response = await self._answer(request, deadline)
            body = self._chunks(response, deadline)
            try:
                yield _Answer(response.status, _lower(response), body)
            finally:
                await body.aclose()
                response.close()
        finally:
            _give_back(places)

    async def aclose(self) -> None:
        """Closes every connection. No request is under way or follows."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def _take_places(self, deadline: Deadline) -> tuple[Semaphore, ...]:
        """Waits for a place at this datasource first, so that a slow one does not hold the process's places."""
        if transaction_is_open():
            raise RuntimeError("a request may not leave while a database transaction is open in this task")
        own, everyones = self._own_places(), self._egress.places
        await _acquire(own, deadline)
        try:
            await _acquire(everyones, deadline)
        except BaseException:
            own.release()
            raise
        return own, everyones

    async def _answer(self, request: HttpRequest, deadline: Deadline) -> aiohttp.ClientResponse:
        """Returns the first answer that is not a redirect."""
        hop = Hop(
            url=self._base.url(request),
            origin=self._base.origin,
            method=checked_method(request.method),
            headers={**self._headers, **checked_headers(request.headers)} if request.headers else self._headers,
            body=request.body,
        )
        for _ in range(self._egress.settings.max_redirects + 1):
            response = await self._fetch(hop, deadline)
            location = response.headers.get("Location")
            if response.status not in _REDIRECTS or location is None:
                return response
            response.release()
            hop = hop.redirected(response.status, location, self._egress.schemes, self._egress.policy)
        raise BadResponse(
            Notice(
                "%(origin)s redirects more than %(most)d times",
                origin=self._base.origin,
                most=self._egress.settings.max_redirects,
            )
        )

    async def _fetch(self, hop: Hop, deadline: Deadline) -> aiohttp.ClientResponse:
        remaining = deadline.remaining()
        if remaining <= 0:
            raise TimedOut(Notice("no time was left to ask %(origin)s", origin=hop.origin))
        timeout = aiohttp.ClientTimeout(
            total=remaining,
            sock_connect=min(remaining, self._egress.settings.connect_timeout_s),
            ceil_threshold=remaining + 1,  # aiohttp would round long timeouts up to whole seconds
        )
        with Translating(hop.origin, deadline):
            return await self._connected().request(
                hop.method, hop.url, data=hop.body, headers=hop.headers, timeout=timeout, allow_redirects=False
            )

    async def _chunks(self, response: aiohttp.ClientResponse, deadline: Deadline) -> AsyncGenerator[bytes, None]:
        """Yields the decompressed body; the next chunk is read from the socket when it is asked for."""
        limit = self._egress.settings.max_response_bytes
        origin = _origin(response)
        seen = 0
        if (response.content_length or 0) > limit:
            raise TooLarge(Notice("the answer of %(origin)s is over %(limit)d bytes", origin=origin, limit=limit))
        while True:
            with Translating(origin, deadline):
                chunk = await response.content.readany()
            if not chunk:
                return
            seen += len(chunk)
            if seen > limit:
                raise TooLarge(Notice("the answer of %(origin)s is over %(limit)d bytes", origin=origin, limit=limit))
            if deadline.expired:
                raise TimedOut(Notice("%(origin)s did not answer in time", origin=origin))
            yield chunk

    def _connected(self) -> aiohttp.ClientSession:
        if self._client is None:
            settings, policy = self._egress.settings, self._egress.policy
            connector = aiohttp.TCPConnector(
                resolver=GuardingResolver(policy, self._egress.resolver),
                socket_factory=partial(guarded_socket, policy),
                ttl_dns_cache=_DNS_CACHE_S,
                limit=settings.max_connections,
                keepalive_timeout=_IDLE_CONNECTION_S,
            )
            self._client = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                max_line_size=_MAX_HEADER_BYTES,
                max_field_size=_MAX_HEADER_BYTES,
                max_headers=_MAX_HEADERS,
            )
        return self._client


@dataclass(frozen=True, slots=True)
class _Answer:
    """An HttpStream."""

    status: int
    headers: Mapping[str, str]
    body: AsyncIterator[bytes]

    def chunks(self) -> AsyncIterator[bytes]:
        """Yields the body once."""
        return self.body


def _places(most: int) -> Semaphore:
    return Semaphore(most, max_value=most, fast_acquire=True)


async def _acquire(places: Semaphore, deadline: Deadline) -> None:
    try:
        places.acquire_nowait()
    except WouldBlock:
        with move_on_after(deadline.remaining()):
            await places.acquire()
            return
        raise TimedOut("too many requests are under way; no place was free in time") from None


def _give_back(places: tuple[Semaphore, ...]) -> None:
    for place in places:
        place.release()


def _lower(response: aiohttp.ClientResponse) -> dict[str, str]:
    """Header names in lower case; a repeated header's values are joined as RFC 9110 5.3 says."""
    found: dict[str, str] = {}
    for name, value in response.headers.items():
        key = name.lower()
        found[key] = f"{found[key]}, {value}" if key in found else value
    return found


def _origin(response: aiohttp.ClientResponse) -> Origin:
    return Origin(response.url.scheme, response.url.raw_host or "", response.url.port or 0)
