"""Asks Jaeger over HTTP. What is asked is made in `compile` and `search`, what it means in `decode`."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

import anyio

from arcane.spi import (
    NANOS_PER_SECOND,
    Adapter,
    AttributeQuery,
    AttributeValueCount,
    Capabilities,
    DatasourceError,
    Deadline,
    Field,
    Health,
    HttpSession,
    Notice,
    Order,
    ScanPage,
    ScanRequest,
    Scope,
    SentRequest,
    TimeRange,
    Trace,
    TraceId,
)
from datasources.jaeger.answers import RouteMissing
from datasources.jaeger.api import ApiV1, ApiV3, api_of, version
from datasources.jaeger.compile import ANYTHING, MICROSECOND, Ask, branches_of, push_rules
from datasources.jaeger.search import Bounds, Search, Wanted, ask_of
from datasources.jaeger.settings import JaegerSettings
from datasources.jaeger.stores import STORES, Reach, Store, reach_of

T = TypeVar("T")
_CONCURRENCY = 8
_HOUR_NS = 3_600 * NANOS_PER_SECOND
_NEWEST_OF = 20
_SERVICE = Field(Scope.RESOURCE, "service.name")
_NAME = Field(Scope.INTRINSIC, "name")


@dataclass(frozen=True, slots=True)
class Known:
    """What was found out about the Jaeger at the other end; nothing of any request."""

    api: ApiV3 | ApiV1
    reads_attributes: bool = False
    serviceless: bool | None = None
    """It answered a search that named no service. None: there was nothing yet to see it by."""


class JaegerAdapter(Adapter):
    """A Jaeger of version 1 or 2, with whichever storage."""

    def __init__(self, http: HttpSession, store: Store, bounds: Bounds) -> None:
        self._http = http
        self._store = store
        self._bounds = bounds
        self._limiter = anyio.CapacityLimiter(_CONCURRENCY)
        self._known: Known | None = None
        self.capabilities = Capabilities(
            push=push_rules(Reach()),  # until more is known
            push_or=True,
            order=Order.FIRST_FOUND,
            whole_traces=True,
            max_limit=bounds.max_traces,
            time_resolution_ns=MICROSECOND,
            concurrency=_CONCURRENCY,
        )

    @classmethod
    def of(cls, http: HttpSession, settings: JaegerSettings) -> JaegerAdapter:
        bounds = Bounds(settings.max_traces, settings.max_services, settings.longest_trace_minutes)
        return cls(http, STORES[settings.storage], bounds)

    async def scan(self, request: ScanRequest, deadline: Deadline) -> AsyncGenerator[ScanPage, None]:
        async def find(known: Known) -> ScanPage:
            known = await self._prove(known, request.within, deadline)
            reach = self._reach(known)
            branches = branches_of(request.filter.condition, reach)
            search = Search(known.api, reach, self._bounds, self._limiter, deadline)
            wanted = Wanted(branches, request.within, request.limit, request.began_within, request.bare)
            page = await search.run(wanted)
            if page.candidates and known.serviceless is None:
                self._learn(replace(known, serviceless=False))
            return page

        yield await self._with_api(find, deadline)

    async def get_trace(self, trace_id: TraceId, within: TimeRange | None, deadline: Deadline) -> Trace | None:
        """`within` is not passed on: it would be a bound of the spans, and a long trace would come back cut."""

        async def get(known: Known) -> Trace | None:
            return await known.api.trace(trace_id, deadline)

        return await self._with_api(get, deadline)

    async def check(self, deadline: Deadline) -> Health:
        self._known = None
        known = await self._ask_who_is_there(deadline)
        began = time.perf_counter()
        services = await known.api.services(deadline)
        latency_ms = (time.perf_counter() - began) * 1_000
        newest = await self._newest(deadline)
        said = await version(self._http, deadline)
        findings = self._findings(self._known or known, len(services), newest)
        return Health(said, round(latency_ms, 1), newest, tuple(findings))

    def describe(self, request: ScanRequest, *, whole: bool) -> tuple[SentRequest, ...]:
        """As far as it is known which API there is, and what its storage takes; the newer one is assumed."""
        known = self._known or Known(ApiV3(self._http))
        reach = self._reach(known)
        branches = branches_of(request.filter.condition, reach)
        before, after = Wanted(branches, request.within, request.limit, request.began_within).beside(
            self._bounds.margin_ns
        )
        within = TimeRange(request.within.start - before, request.within.end + after)
        each = Notice("for each service")
        searches = [
            SentRequest(
                "GET",
                known.api.search,
                tuple(known.api.params(ask_of(branch, within, request.limit))),
                note="" if branch.service or reach.serviceless else each,
            )
            for branch in branches
        ]
        if any(one.note for one in searches):
            searches.insert(0, SentRequest("GET", known.api.listing, note=Notice("first: a search needs a service")))
        return (*self._first(request.within), *searches)

    def _first(self, within: TimeRange) -> Iterator[SentRequest]:
        """Yields what is sent to find out what the Jaeger at the other end can do, as long as that is not known."""
        api = ApiV3(self._http)
        if self._known is None:
            note = Notice("once, because which API there is decides what follows")
            yield SentRequest("GET", api.listing, note=note)
            if self._store.tags:
                note = Notice("once, because a Jaeger that searches by attributes refuses it")
                yield SentRequest("GET", api.search, tuple(api.attributes_probe), note)
        if self._is_to_prove(self._known or Known(api)):
            note = Notice("first, because its answer tells whether a search needs a service")
            yield SentRequest("GET", api.search, tuple(api.params(_anything_in(within))), note)

    async def attribute_values(
        self, field: Field, query: AttributeQuery, deadline: Deadline
    ) -> list[AttributeValueCount]:
        """Services and names come from Jaeger's lists, which know no window; other values from a sample of traces."""
        if query.filter.condition is not None or field not in (_SERVICE, _NAME):
            return await super().attribute_values(field, query, deadline)

        async def listed(known: Known) -> list[str]:
            services = await known.api.services(deadline)
            return services if field == _SERVICE else await self._operations(known.api, services, deadline)

        found = await self._with_api(listed, deadline)
        return [AttributeValueCount("string", name) for name in found if name.startswith(query.prefix)][: query.limit]

    async def _operations(self, api: ApiV3 | ApiV1, services: list[str], deadline: Deadline) -> list[str]:
        found: set[str] = set()
        failures: list[DatasourceError] = []

        async def ask(service: str) -> None:
            try:
                async with self._limiter:
                    found.update(await api.operations(service, deadline))
            except DatasourceError as exc:
                failures.append(exc)

        async with anyio.create_task_group() as group:
            for service in services[: self._bounds.max_services]:
                group.start_soon(ask, service)
        if failures and not found:
            raise failures[0]
        return sorted(found)

    async def _with_api(self, call: Callable[[Known], Awaitable[T]], deadline: Deadline) -> T:
        """Returns what `call` does with the API; where it has gone since, with the one that is there now."""
        try:
            return await call(self._known or await self._ask_who_is_there(deadline))
        except RouteMissing:
            self._known = None
        return await call(await self._ask_who_is_there(deadline))

    async def _ask_who_is_there(self, deadline: Deadline) -> Known:
        api = await api_of(self._http, deadline)
        reads = isinstance(api, ApiV3) and self._store.tags and await api.reads_attributes(deadline)
        return self._learn(Known(api, reads))

    async def _prove(self, known: Known, within: TimeRange, deadline: Deadline) -> Known:
        """Finds out whether a service is needed, where the settings do not say what the storage is."""
        if not self._is_to_prove(known):
            return known
        try:
            answered = bool(await known.api.find(_anything_in(within), deadline))
        except DatasourceError:  # then not without a service; what is asked next tells why
            answered = False
        return self._learn(replace(known, serviceless=True)) if answered else known

    def _is_to_prove(self, known: Known) -> bool:
        return self._store.serviceless is None and known.serviceless is None and not isinstance(known.api, ApiV1)

    def _learn(self, known: Known) -> Known:
        self._known = known
        self.capabilities = replace(self.capabilities, push=push_rules(self._reach(known)))
        return known

    def _reach(self, known: Known) -> Reach:
        return reach_of(
            self._store,
            proven=known.serviceless is True,
            first_api=isinstance(known.api, ApiV1),
            attributes=known.reads_attributes,
        )

    async def _newest(self, deadline: Deadline) -> int | None:
        """Start of the newest trace among those that a look at the last hour finds."""
        now = time.time_ns()
        request = ScanRequest(TimeRange(now - _HOUR_NS, now), limit=_NEWEST_OF)
        starts = [hit.start async for page in self.scan(request, deadline) for hit in page.candidates]
        return max(starts, default=None)

    def _findings(self, known: Known, services: int, newest: int | None) -> list[str]:
        reach = self._reach(known)
        found: list[str] = [Notice("API %(api)s, %(services)d services.", api=known.api.name, services=services)]
        if isinstance(known.api, ApiV1):
            found.append(Notice("Times are in microseconds, and lists come as text: this Jaeger has no API v3."))
        if not reach.sure:
            found.append(
                Notice("Only services and names are pushed down: say in the settings which storage this Jaeger has.")
            )
        if newest is None:
            found.append(Notice("No trace in the last hour. Is the tenant the right one?"))
        return found


def _anything_in(within: TimeRange) -> Ask:
    """Returns the search for one trace, whichever it is and whatever service it is of."""
    return Ask(ANYTHING, within.start // MICROSECOND, -(-within.end // MICROSECOND), 1)
