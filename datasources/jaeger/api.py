"""The two generations of Jaeger's HTTP API, asked alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from urllib.parse import quote

from arcane.spi import Deadline, HttpRequest, HttpResponse, HttpSession, Rejected, Trace, TraceId
from datasources.jaeger import decode
from datasources.jaeger.answers import RouteMissing, body_of
from datasources.jaeger.compile import ANYTHING, Ask, params_of_v1, params_of_v3
from datasources.jaeger.decode_v1 import traces_of_v1

_ACCEPT = {"accept": "application/json"}
_RAW_V3 = (("raw_traces", "true"),)
_RAW_V1 = (("raw", "true"),)
"""Otherwise clocks are adjusted on the way, and times are no longer those that were recorded."""


class Api(Protocol):
    """What is asked of a Jaeger. Every method may raise RouteMissing, which another API can answer."""

    name: str
    search: str
    """Where a search is sent."""
    listing: str
    """Where the services are asked for."""

    def params(self, ask: Ask) -> list[tuple[str, str]]:
        """Returns how a search is sent."""
        ...

    async def services(self, deadline: Deadline) -> list[str]:
        """Returns every service that has spans, sorted."""
        ...

    async def operations(self, service: str, deadline: Deadline) -> list[str]:
        """Returns the names that spans of a service have, sorted."""
        ...

    async def find(self, ask: Ask, deadline: Deadline, *, bare: bool = False) -> list[Trace]:
        """Returns at most `ask.depth` traces; bare ones may be without what spans carry of their own."""
        ...

    async def trace(self, trace_id: TraceId, deadline: Deadline) -> Trace | None:
        """Returns a trace, or None."""
        ...


class ApiV3:
    """Of Jaeger 2, and of the last versions of Jaeger 1: OTLP, and a service is not needed."""

    name = "v3"
    search = "/api/v3/traces"
    listing = "/api/v3/services"

    def __init__(self, http: HttpSession) -> None:
        self._http = http

    def params(self, ask: Ask) -> list[tuple[str, str]]:
        return params_of_v3(ask)

    async def services(self, deadline: Deadline) -> list[str]:
        return decode.services_of_v3(await self._get(self.listing, (), deadline) or b"{}")

    async def operations(self, service: str, deadline: Deadline) -> list[str]:
        params = (("service", service),)
        return decode.operations_of_v3(await self._get("/api/v3/operations", params, deadline) or b"{}")

    async def find(self, ask: Ask, deadline: Deadline, *, bare: bool = False) -> list[Trace]:
        body = await self._get(self.search, self.params(ask), deadline)
        return [] if body is None else decode.traces_of_v3(body, bare=bare)

    async def trace(self, trace_id: TraceId, deadline: Deadline) -> Trace | None:
        body = await self._get(f"{self.search}/{trace_id}", _RAW_V3, deadline)
        return None if body is None else decode.only(decode.traces_of_v3(body), trace_id)

    @property
    def attributes_probe(self) -> list[tuple[str, str]]:
        """The search that is refused where searches take attributes."""
        return [*self.params(Ask(ANYTHING, 0, 1, 1)), ("query.attributes", "{")]

    async def reads_attributes(self, deadline: Deadline) -> bool:
        """Returns whether a search takes attributes: versions that do refuse what is not JSON, others ignore it."""
        try:
            await self._get(self.search, self.attributes_probe, deadline)
        except Rejected:
            return True
        return False

    async def _get(self, path: str, params: Sequence[tuple[str, str]], deadline: Deadline) -> bytes | None:
        return body_of(await _get(self._http, path, params, deadline))


class ApiV1:
    """Of Jaeger's own pages, until Jaeger 2.20: its own model, and a search needs a service."""

    name = "v1"
    search = "/api/traces"
    listing = "/api/services"

    def __init__(self, http: HttpSession) -> None:
        self._http = http

    def params(self, ask: Ask) -> list[tuple[str, str]]:
        return params_of_v1(ask)

    async def services(self, deadline: Deadline) -> list[str]:
        return decode.names_of_v1(await self._get(self.listing, (), deadline) or b"{}")

    async def operations(self, service: str, deadline: Deadline) -> list[str]:
        path = f"/api/services/{quote(service, safe='')}/operations"
        return decode.names_of_v1(await self._get(path, (), deadline) or b"{}")

    async def find(self, ask: Ask, deadline: Deadline, *, bare: bool = False) -> list[Trace]:
        body = await self._get(self.search, self.params(ask), deadline)
        return [] if body is None else traces_of_v1(body)

    async def trace(self, trace_id: TraceId, deadline: Deadline) -> Trace | None:
        body = await self._get(f"{self.search}/{trace_id}", _RAW_V1, deadline)
        return None if body is None else decode.only(traces_of_v1(body), trace_id)

    async def _get(self, path: str, params: Sequence[tuple[str, str]], deadline: Deadline) -> bytes | None:
        return body_of(await _get(self._http, path, params, deadline))


async def api_of(http: HttpSession, deadline: Deadline) -> ApiV3 | ApiV1:
    """Returns the newest API that is served at the address; raises RouteMissing where none is."""
    newest, oldest = ApiV3(http), ApiV1(http)
    try:
        await newest.services(deadline)
    except RouteMissing:
        await oldest.services(deadline)
        return oldest
    return newest


async def version(http: HttpSession, deadline: Deadline) -> str | None:
    """Returns the version that Jaeger's own page names, None where it is not served."""
    page = await _get(http, "/", (), deadline)
    return decode.version_of(page.body) if page.status == 200 else None


async def _get(http: HttpSession, path: str, params: Sequence[tuple[str, str]], deadline: Deadline) -> HttpResponse:
    return await http.send(HttpRequest(path, params=params, headers=_ACCEPT), deadline)
