"""The one road out to providers: every request of every one of them goes over these transports.

Addresses of providers are typed by users. Each name is looked up once, every address that comes back is judged by the
rules of `arcane.kit.egress_addresses`, and the judged address is what is dialled: a second look-up with another answer
does not happen. There are no proxies from the environment, no redirects, and no cookies, which one organisation would
get from another's answers; answers have a largest size.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from itertools import chain
from typing import Any
from weakref import WeakSet

import anyio
import httpcore2
import httpx2

from arcane.kit.egress_addresses import Address, AddressPolicy, AmbiguousHost, address_of, literal_address
from worker.llm.one_write import HeadWithBody

_KEEPALIVE_S = 30.0
_POOL_CONNECTIONS = 8


class AddressRefused(httpcore2.ConnectError):
    """A host of ours that may not be called, or only with the operator's leave."""


class AnswerTooLarge(httpcore2.ReadError):
    """An answer went on beyond the largest size there is."""


def _judged(policy: AddressPolicy, host: str, found: Iterable[Address]) -> list[str]:
    """Returns the addresses that may be dialled. Raises AddressRefused when there are none."""
    allowed: list[str] = []
    reason = "without an address"
    for address in found:
        refusal = policy.refusal(address)
        if refusal is None:
            allowed.append(str(address))
        else:
            reason = refusal
    if not allowed:
        raise AddressRefused(f"{host} is {reason}, and this instance does not call such addresses")
    return allowed


def _spelled(host: str) -> Address | None:
    try:
        return literal_address(host)
    except AmbiguousHost as exc:
        raise AddressRefused(f"{host} is {exc}") from exc


class GuardedBackend(httpcore2.AsyncNetworkBackend):
    """Dials judged addresses only."""

    def __init__(self, policy: AddressPolicy) -> None:
        self._policy = policy
        self._inner = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Returns a connection to the first judged address of `host` that takes one."""
        spelled = _spelled(host)
        if spelled is not None:
            found: list[Address] = [spelled]
        else:
            try:
                with anyio.fail_after(timeout):
                    answers = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            except TimeoutError as exc:
                raise httpcore2.ConnectTimeout(f"{host} was not found in time") from exc
            except OSError as exc:
                raise httpcore2.ConnectError(f"{host} was not found") from exc
            found = [address_of(answer[4]) for answer in answers]
        return HeadWithBody(await self._first(_judged(self._policy, host, found), port, timeout, local_address))

    async def _first(
        self, addresses: list[str], port: int, seconds: float | None, local_address: str | None
    ) -> httpcore2.AsyncNetworkStream:
        for address in addresses[:-1]:
            try:
                return await self._inner.connect_tcp(address, port, seconds, local_address)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue
        return await self._inner.connect_tcp(addresses[-1], port, seconds, local_address)

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Refuses: a provider is on a network."""
        raise AddressRefused("a socket of this machine is no provider")

    async def sleep(self, seconds: float) -> None:
        """Sleeps."""
        await anyio.sleep(seconds)


@dataclass(frozen=True, slots=True)
class HttpBounds:
    """How long and how much: `read_s` is the longest silence of a provider."""

    connect_s: float
    read_s: float
    answer_bytes: int
    connections: int


class _Bounded(httpx2.AsyncByteStream):
    def __init__(self, inner: httpx2.AsyncByteStream, most: int, pool: _Pool) -> None:
        self._inner, self._left, self._pool = inner, most, pool

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._inner:
            self._left -= len(chunk)
            if self._left < 0:
                raise AnswerTooLarge("the answer is larger than this instance takes")
            yield chunk

    async def aclose(self) -> None:
        self._pool.out.discard(self)
        await self._inner.aclose()


@dataclass(frozen=True, slots=True)
class _Pool:
    """A few connections, and what uses them: requests until they are answered, then the answers until they are read."""

    transport: httpx2.AsyncHTTPTransport
    connections: int
    out: WeakSet[object] = field(default_factory=WeakSet)


class GuardedTransport(httpx2.AsyncBaseTransport):
    """Sends requests to judged addresses; takes cookies out of what comes back, and ends what is too large.

    With every request, a pool of httpcore's looks at all of its connections, twice. Many small pools spare us that.
    """

    def __init__(self, policy: AddressPolicy, bounds: HttpBounds) -> None:
        self._answer_bytes = bounds.answer_bytes
        trusted = ssl.create_default_context()
        whole, rest = divmod(bounds.connections, _POOL_CONNECTIONS)
        sizes = [_POOL_CONNECTIONS] * whole + ([rest] if rest else [])
        self._pools = [_Pool(_transport(trusted, policy, size), size) for size in sizes]

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Returns the answer of the provider."""
        pool = self._pool_for(request.url)
        pool.out.add(request)
        try:
            answer = await pool.transport.handle_async_request(request)
        finally:
            pool.out.discard(request)
        if "set-cookie" in answer.headers:
            del answer.headers["set-cookie"]
        if isinstance(answer.stream, httpx2.AsyncByteStream):
            answer.stream = _Bounded(answer.stream, self._answer_bytes, pool)
            pool.out.add(answer.stream)
        return answer

    def _pool_for(self, url: httpx2.URL) -> _Pool:
        """Returns the first pool with room, seen from where this host begins: there are connections to it already."""
        begin = hash(url.host) % len(self._pools)
        for pool in chain(self._pools[begin:], self._pools[:begin]):
            if len(pool.out) < pool.connections:
                return pool
        return min(self._pools, key=lambda pool: len(pool.out) / pool.connections)

    async def aclose(self) -> None:
        """Its connections are closed."""
        for pool in self._pools:
            await pool.transport.aclose()


def _transport(trusted: ssl.SSLContext, policy: AddressPolicy, connections: int) -> httpx2.AsyncHTTPTransport:
    transport = httpx2.AsyncHTTPTransport(verify=trusted, trust_env=False)
    transport._pool = httpcore2.AsyncConnectionPool(
        ssl_context=trusted,
        max_connections=connections,
        max_keepalive_connections=connections,
        keepalive_expiry=_KEEPALIVE_S,
        network_backend=GuardedBackend(policy),
    )
    return transport


def guarded_client(policy: AddressPolicy, bounds: HttpBounds) -> httpx2.AsyncClient:
    """Returns the client that all providers share."""
    return httpx2.AsyncClient(
        transport=GuardedTransport(policy, bounds),
        timeout=httpx2.Timeout(bounds.read_s, connect=bounds.connect_s),
        follow_redirects=False,
        trust_env=False,
    )
