"""Asks Tempo over HTTP. What is asked is made in `compile`, what it means in `decode`."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from operator import attrgetter
from urllib.parse import quote

from arcane.spi import (
    NANOS_PER_SECOND,
    Adapter,
    AttributeName,
    AttributeQuery,
    AttributeValueCount,
    Candidate,
    Capabilities,
    Deadline,
    Field,
    Health,
    HttpRequest,
    HttpResponse,
    HttpSession,
    MetricsAnswer,
    MetricsRequest,
    Notice,
    Order,
    ScanPage,
    ScanRequest,
    Scope,
    SentRequest,
    TimeRange,
    Trace,
    TraceId,
    format_expr,
    mentioned_fields,
)
from datasources.tempo import decode
from datasources.tempo.answers import checked, error_of
from datasources.tempo.compile import (
    MAX_SPANS_PER_SET,
    PUSH,
    PUSH_ABSENCE,
    compile_condition,
    compile_query,
    compile_window,
)
from datasources.tempo.metrics import RULES
from datasources.tempo.metrics_api import MetricsApi

_PROTOBUF = {"accept": "application/protobuf"}
_JSON = {"accept": "application/json"}
_NAME = Field(Scope.INTRINSIC, "name")
_STATUS = Field(Scope.INTRINSIC, "status")
_SERVICE = Field(Scope.RESOURCE, "service.name")
_SHOWN = frozenset({_NAME, _STATUS, _SERVICE})
"""What a matched span is shown with, whatever was asked for."""
_SEARCH, _BUILD = "/api/search", "/api/status/buildinfo"
_TRACE_V1, _TRACE_V2 = "/api/traces", "/api/v2/traces"
_VERSION = re.compile(r"v?(\d+)\.(\d+)")
_MOST_RECENT_SINCE = (2, 8)
_ABSENCE_SINCE = (3, 0)
_METRICS_SINCE = (3, 0)
_PLACE = attrgetter("start", "trace_id")
_DEEPER = 4
"""How many times as many traces are asked for where all that came began at one instant."""
_HOUR_NS = 3_600 * NANOS_PER_SECOND
_NO_ROUTE = b"404 page not found"


class TempoAdapter(Adapter):
    """A Tempo of version 2 or 3, one binary or many, behind whichever gateway."""

    def __init__(self, http: HttpSession, max_range_hours: int, metrics_range_hours: int = 24) -> None:
        self._http = http
        self._metrics = MetricsApi(self._get, metrics_range_hours * _HOUR_NS)
        self._version: str | None = None
        self._version_asked = False
        self._has_v2 = True
        self.capabilities = Capabilities(
            push=PUSH,
            push_or=True,
            order=Order.FIRST_FOUND,  # until a version says otherwise
            max_limit=1_000,
            time_resolution_ns=NANOS_PER_SECOND,
            max_range_ns=max_range_hours * _HOUR_NS - 2 * NANOS_PER_SECOND,  # it is rounded outwards
            metrics=RULES,
            native_attributes=True,
        )

    async def scan(self, request: ScanRequest, deadline: Deadline) -> AsyncGenerator[ScanPage, None]:
        await self._learn_version(deadline)
        depth, most = self._depth(request.limit), self.capabilities.max_limit
        while True:
            found = await self._search(request, depth, deadline)
            reached = len(found.candidates) >= depth
            sure = self._sure(found.candidates) if reached else found.candidates
            if sure or not reached or depth >= most:
                break
            depth = min(depth * _DEEPER, most)
        given = sorted(sure or found.candidates, key=_PLACE, reverse=True)
        warnings = () if found.finished or reached else (Notice("Tempo left parts of its store unread."),)
        if reached and not sure:
            warnings = (
                Notice("More traces began at one instant than one request may return; some of them are missing."),
            )
        complete = not reached and len(given) <= request.limit
        yield ScanPage(tuple(given[: request.limit]), complete=complete, warnings=warnings)

    async def get_trace(self, trace_id: TraceId, within: TimeRange | None, deadline: Deadline) -> Trace | None:
        """`within` is not passed on: Tempo prunes blocks by it, and a long trace would come back cut."""
        if self._has_v2:
            response = await self._get(f"{_TRACE_V2}/{trace_id}", (), deadline, _PROTOBUF)
            if response.status == 200:
                return decode.decode_trace_v2(response.body, trace_id)
            if response.status != 404:
                raise error_of(response)
            if _NO_ROUTE in response.body:
                self._has_v2 = False  # Tempo before 2.7
        response = await self._get(f"{_TRACE_V1}/{trace_id}", (), deadline, _PROTOBUF)
        if response.status == 404:
            if _NO_ROUTE in response.body:
                raise error_of(response)
            return None
        return decode.decode_trace_v1(checked(response), trace_id)

    async def metrics(self, request: MetricsRequest, deadline: Deadline) -> MetricsAnswer | None:
        """Tempo 2 counts what its generators still have, and does not say what that leaves out: it is not asked."""
        await self._learn_version(deadline)
        return await self._metrics.measure(request, deadline) if _at_least(self._version, _METRICS_SINCE) else None

    async def check(self, deadline: Deadline) -> Health:
        began = time.perf_counter()
        echo = await self._get("/api/echo", (), deadline)
        latency_ms = (time.perf_counter() - began) * 1_000
        if echo.status not in (200, 404):  # some gateways pass nothing but the queries
            raise error_of(echo)
        self._version_asked = False
        await self._learn_version(deadline)
        newest = await self._newest(deadline)
        return Health(self._version, round(latency_ms, 1), newest, tuple(self._findings(newest)))

    def describe(self, request: ScanRequest, *, whole: bool) -> tuple[SentRequest, ...]:
        params = self._search_params(request, self._depth(request.limit))
        found = [*self._first(), SentRequest("GET", _SEARCH, params)]
        if whole:
            path = f"{_TRACE_V2 if self._has_v2 else _TRACE_V1}/{{id}}"
            found.append(SentRequest("GET", path, note=Notice("for each trace that it found")))
        return tuple(found)

    def describe_metrics(self, request: MetricsRequest) -> tuple[SentRequest, ...] | None:
        """As far as the version is known; a Tempo that was not asked for it yet is taken for one that measures."""
        if self._version_asked and not _at_least(self._version, _METRICS_SINCE):
            return None
        asked = self._metrics.asked(request)
        if not asked:
            return None
        sent = (SentRequest("GET", one.path, tuple(one.params)) for one in asked)
        return (*self._first(), *sent)

    def _first(self) -> tuple[SentRequest, ...]:
        """What is sent before everything else, once."""
        if self._version_asked:
            return ()
        return (SentRequest("GET", _BUILD, note=Notice("once, because the version decides what follows")),)

    async def _search(self, request: ScanRequest, depth: int, deadline: Deadline) -> decode.Found:
        asked = {*mentioned_fields(request.filter), *request.select}
        named = {field.name for field in asked}  # `.service.name` comes under the same name
        hidden = frozenset(field.name for field in _SHOWN if field.name not in named)
        answer = await self._get(_SEARCH, self._search_params(request, depth), deadline)
        return decode.decode_search(checked(answer), hidden)

    def _depth(self, limit: int) -> int:
        """Returns how many traces Tempo is asked for: of the newest one more, see `_sure`."""
        is_newest_first = self.capabilities.order is Order.NEWEST_FIRST
        return min(limit + 1, self.capabilities.max_limit) if is_newest_first else limit

    def _sure(self, found: Sequence[Candidate]) -> Sequence[Candidate]:
        """Returns those of a cut answer that nothing is missing between.

        Of traces that began at one nanosecond Tempo takes any, so those of the last instant may not be all there
        are. Where clocks tick in milliseconds, that happens.
        """
        if self.capabilities.order is not Order.NEWEST_FIRST:
            return found
        last = min(one.start for one in found)
        return [one for one in found if one.start > last]

    def _search_params(self, request: ScanRequest, depth: int) -> tuple[tuple[str, str], ...]:
        select = (_NAME, _SERVICE, _STATUS, *(field for field in request.select if field not in _SHOWN))
        start, end = compile_window(request.within)
        query = compile_query(request.filter, select, most_recent=self.capabilities.order is Order.NEWEST_FIRST)
        return (
            ("q", query),
            ("limit", str(depth)),
            ("spss", str(min(max(request.spans_per_trace, 1), MAX_SPANS_PER_SET))),
            ("start", str(start)),
            ("end", str(end)),
        )

    async def attribute_names(self, query: AttributeQuery, deadline: Deadline) -> list[AttributeName]:
        params = (*_window(query.within), *self._narrowed(query))
        response = await self._get("/api/v2/search/tags", params, deadline)
        if response.status == 404:
            return (await self._names_v1(query, deadline))[: query.limit]
        return decode.decode_names(checked(response), query.prefix)[: query.limit]

    async def attribute_values(
        self, field: Field, query: AttributeQuery, deadline: Deadline
    ) -> list[AttributeValueCount]:
        name = quote(format_expr(field), safe="")
        params = (*_window(query.within), *self._narrowed(query))
        response = await self._get(f"/api/v2/search/tag/{name}/values", params, deadline)
        if response.status == 404:
            bare = quote(field.name, safe="")
            response = await self._get(f"/api/search/tag/{bare}/values", _window(query.within), deadline)
            return decode.decode_values_v1(checked(response), query.prefix)[: query.limit]
        return decode.decode_values(checked(response), field, query.prefix)[: query.limit]

    async def _names_v1(self, query: AttributeQuery, deadline: Deadline) -> list[AttributeName]:
        found = []
        for scope in (Scope.SPAN, Scope.RESOURCE):
            params = (("scope", scope.value), *_window(query.within))
            body = checked(await self._get("/api/search/tags", params, deadline))
            found += decode.decode_names_v1(body, scope, query.prefix)
        return found

    def _narrowed(self, query: AttributeQuery) -> Sequence[tuple[str, str]]:
        """The filter where Tempo covers it: it narrows completion by what it understands and ignores the rest."""
        if query.filter.condition is None or not self.capabilities.covers(query.filter.condition):
            return ()
        return (("q", f"{{ {compile_condition(query.filter.condition)} }}"),)

    async def _learn_version(self, deadline: Deadline) -> None:
        """Knows what this Tempo can do. A gateway may hide the version: then the least is assumed."""
        if self._version_asked:
            return
        response = await self._get(_BUILD, (), deadline)
        if response.status >= 500:
            raise error_of(response)
        self._version = decode.decode_version(response.body) if response.status == 200 else None
        self._version_asked = True
        newest_first = _at_least(self._version, _MOST_RECENT_SINCE)
        self.capabilities = replace(
            self.capabilities,
            order=Order.NEWEST_FIRST if newest_first else Order.FIRST_FOUND,
            push=(*PUSH, *PUSH_ABSENCE) if _at_least(self._version, _ABSENCE_SINCE) else PUSH,
        )

    async def _newest(self, deadline: Deadline) -> int | None:
        """Start of the newest trace of the last hour; a look further back would read a large Tempo's whole store."""
        now = time.time_ns()
        request = ScanRequest(TimeRange(now - _HOUR_NS, now), limit=1, spans_per_trace=1)
        starts = [hit.start async for page in self.scan(request, deadline) for hit in page.candidates]
        return max(starts, default=None)

    def _findings(self, newest: int | None) -> list[str]:
        found: list[str] = []
        if self._version is None:
            found.append(
                Notice("Tempo does not say its version: searches walk back in time to find the newest traces.")
            )
        elif self.capabilities.order is Order.FIRST_FOUND:
            found.append(Notice("This Tempo is older than 2.8: searches walk back in time to find the newest traces."))
        if newest is None:
            found.append(Notice("No trace in the last hour. Is the tenant the right one?"))
        return found

    async def _get(
        self, path: str, params: Sequence[tuple[str, str]], deadline: Deadline, headers: dict[str, str] = _JSON
    ) -> HttpResponse:
        return await self._http.send(HttpRequest(path, params=params, headers=headers), deadline)


def _window(within: TimeRange) -> tuple[tuple[str, str], tuple[str, str]]:
    start, end = compile_window(within)
    return ("start", str(start)), ("end", str(end))


def _at_least(version: str | None, wanted: tuple[int, int]) -> bool:
    match = _VERSION.match(version or "")
    return match is not None and (int(match[1]), int(match[2])) >= wanted
