"""Asks a server of the first contract over HTTP: it finds traces, and Arcane looks at them.

A search tells too little of a trace for an answer: not how many spans match, and nothing in an order. Where it
found everything in the window, each trace is read. Where its limit was reached, the engine narrows the window and
asks again, so the summaries will do. A summary's start is not trusted either: also what seems to have begun before
a window whose earlier traces are not wanted is read, or a server with a careless summary would lose traces.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Sequence

import anyio

from arcane.spi import (
    NANOS_PER_SECOND,
    Adapter,
    AttributeName,
    AttributeQuery,
    AttributeValueCount,
    BadResponse,
    Candidate,
    DatasourceError,
    Deadline,
    Field,
    Health,
    HttpRequest,
    HttpResponse,
    HttpSession,
    Notice,
    ScanPage,
    ScanRequest,
    Scope,
    SentRequest,
    TimeRange,
    Trace,
    TraceId,
)
from datasources.custom_api.answers import checked, is_nothing
from datasources.custom_api.settings import CustomApiSettings
from datasources.custom_api.v1 import decode
from datasources.custom_api.v1.compile import capabilities_of, compile_search, compile_trace, compile_values

_HEADERS = {"accept": "application/json"}
_AT_ONCE = 8
_DAY_NS = 86_400 * NANOS_PER_SECOND


class FirstContract(Adapter):
    """A server that keeps the first contract, with the paths and abilities that a person told of it."""

    def __init__(self, http: HttpSession, settings: CustomApiSettings) -> None:
        self._http = http
        self._settings = settings
        self.capabilities = capabilities_of(settings)

    async def scan(self, request: ScanRequest, deadline: Deadline) -> AsyncGenerator[ScanPage, None]:
        path = self._settings.search_path
        response = await self._get(path, compile_search(request, self._settings), deadline)
        found = [] if is_nothing(response) else decode.decode_search(checked(response, path), path)
        if len(found) > request.limit:
            raise BadResponse(Notice("The server answered with more traces than it was asked for."))
        if len(found) == request.limit:
            yield ScanPage(tuple(found))
            return
        gone = 0
        for start in range(0, len(found), _AT_ONCE):
            page = found[start : start + _AT_ONCE]
            read = await self._read(page, deadline)
            gone += len(page) - len(read)
            yield ScanPage(tuple(read))
        missing = Notice("%(count)d traces were found and could not be read afterwards.", count=gone)
        yield ScanPage((), complete=True, warnings=(missing,) if gone else ())

    async def get_trace(self, trace_id: TraceId, within: TimeRange | None, deadline: Deadline) -> Trace | None:
        """`within` is not passed on: a server may take it for what is to be cut away."""
        path = self._settings.trace_path
        for target in compile_trace(trace_id, self._settings):
            response = await self._get(target, (), deadline)
            if not is_nothing(response):
                return decode.decode_trace(checked(response, path), trace_id, path)
        return None

    def describe(self, request: ScanRequest, *, whole: bool) -> tuple[SentRequest, ...]:
        """Traces are read whatever is done with them: a search tells too little of them."""
        settings = self._settings
        return (
            SentRequest("GET", settings.search_path, tuple(compile_search(request, settings))),
            SentRequest("GET", settings.trace_path, note=Notice("for each trace that it found")),
        )

    async def check(self, deadline: Deadline) -> Health:
        now = time.time_ns()
        began = time.perf_counter()
        request = ScanRequest(TimeRange(now - _DAY_NS, now), limit=1)
        params = compile_search(request, self._settings)
        response = await self._get(self._settings.search_path, params, deadline)
        latency_ms = (time.perf_counter() - began) * 1_000
        path = self._settings.search_path
        found = [] if is_nothing(response) else decode.decode_search(checked(response, path), path)
        findings = [Notice("The server keeps the first contract: its answers are checked trace by trace.")]
        if not found:
            findings.append(Notice("No trace in the last day."))
        return Health(None, round(latency_ms, 1), max((one.start for one in found), default=None), tuple(findings))

    async def attribute_names(self, query: AttributeQuery, deadline: Deadline) -> list[AttributeName]:
        path = self._settings.attribute_names_path
        if not path or query.filter.condition is not None:
            return await super().attribute_names(query, deadline)
        return decode.decode_names(checked(await self._get(path, (), deadline), path), query, path)

    async def attribute_values(
        self, field: Field, query: AttributeQuery, deadline: Deadline
    ) -> list[AttributeValueCount]:
        path = self._settings.attribute_values_path
        if not path or field.scope is Scope.INTRINSIC or query.filter.condition is not None:
            return await super().attribute_values(field, query, deadline)
        response = await self._get(compile_values(field, self._settings), (), deadline)
        if is_nothing(response):
            return []
        return decode.decode_values(checked(response, path), query, path)

    async def _read(self, found: Sequence[Candidate], deadline: Deadline) -> list[Candidate]:
        """Returns the candidates with their traces; one that is gone by now is left out."""
        read: dict[TraceId, Candidate] = {}
        faults: list[DatasourceError] = []

        async def read_one(candidate: Candidate) -> None:
            try:
                trace = await self.get_trace(candidate.trace_id, None, deadline)
            except DatasourceError as exc:
                faults.append(exc)
                group.cancel_scope.cancel()
                return
            if trace is not None:
                read[candidate.trace_id] = Candidate(candidate.trace_id, trace.start, trace=trace)

        async with anyio.create_task_group() as group:
            for candidate in found:
                group.start_soon(read_one, candidate)
        if faults:
            raise faults[0]
        return [read[one.trace_id] for one in found if one.trace_id in read]

    async def _get(self, path: str, params: Sequence[tuple[str, str]], deadline: Deadline) -> HttpResponse:
        return await self._http.send(HttpRequest(path, params=params, headers=_HEADERS), deadline)
