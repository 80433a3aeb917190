"""Asks a server of the second contract over HTTP. What is asked is made in `compile`, what it means in `decode`."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace

import msgspec

from arcane.spi import (
    NANOS_PER_SECOND,
    Adapter,
    AttributeName,
    AttributeQuery,
    AttributeValueCount,
    BadResponse,
    Candidate,
    Capabilities,
    Deadline,
    Field,
    Health,
    HttpRequest,
    HttpResponse,
    HttpSession,
    Notice,
    Order,
    Rejected,
    ScanPage,
    ScanRequest,
    SentRequest,
    TimeRange,
    Trace,
    TraceId,
)
from datasources.custom_api.answers import checked, is_nothing
from datasources.custom_api.v2 import decode
from datasources.custom_api.v2.compile import compile_attributes, compile_search
from datasources.custom_api.v2.wire import CapabilitiesDocument

_HEADERS = {"accept": "application/json", "content-type": "application/json"}
_TRUSTED_S = 300.0
"""How long capabilities are taken for granted: a server may be replaced by one that can do less."""
_DAY_NS = 86_400 * NANOS_PER_SECOND


class SecondContract(Adapter):
    """A server that says what it can do; until it has been asked, it can list traces."""

    def __init__(self, http: HttpSession) -> None:
        self._http = http
        self._document: CapabilitiesDocument | None = None
        self._learnt = 0.0
        self.capabilities = Capabilities()

    def learn(self, document: CapabilitiesDocument) -> None:
        """The server can do what `document` says; raises BadResponse where that makes no sense."""
        self.capabilities = decode.decode_capabilities(document)
        self._document, self._learnt = document, time.monotonic()

    async def scan(self, request: ScanRequest, deadline: Deadline) -> AsyncGenerator[ScanPage, None]:
        await self._known(deadline)
        asked = self._asked(request)
        kept = Kept(asked, self.capabilities)
        while True:
            body = compile_search(asked, kept.page, kept.cursor)
            found = decode.decode_search(await self._post(body, deadline), whole_traces=self.capabilities.whole_traces)
            kept.check(found)
            complete = found.complete and asked.within == request.within
            yield ScanPage(found.candidates, complete, found.warnings)
            if not (kept.cursor and kept.left):
                return

    async def get_trace(self, trace_id: TraceId, within: TimeRange | None, deadline: Deadline) -> Trace | None:
        response = await self._get(f"/traces/{trace_id}", (), deadline)
        if is_nothing(response):
            return None
        return decode.decode_trace(checked(response, decode.TRACE), trace_id)

    def describe(self, request: ScanRequest, *, whole: bool) -> tuple[SentRequest, ...]:
        """As far as it is known what the server can do."""
        body = msgspec.json.decode(compile_search(self._asked(request), Kept(request, self.capabilities).page))
        found = [SentRequest("POST", decode.SEARCH, tuple((name, _shown(value)) for name, value in body.items()))]
        if self._document is None:
            note = Notice("first, because what the server can do decides what follows")
            found.insert(0, SentRequest("GET", decode.CAPABILITIES, note=note))
        if whole:
            found.append(SentRequest("GET", decode.TRACE, note=Notice("for each trace that it found")))
        return tuple(found)

    def _asked(self, request: ScanRequest) -> ScanRequest:
        """Returns the search as this server takes it."""
        knows = self._document is not None and self._document.began_within
        within = _newest_part(request.within, self.capabilities.max_range_ns)
        return replace(request, within=within, began_within=request.began_within and knows)

    async def check(self, deadline: Deadline) -> Health:
        self._document = None
        began = time.perf_counter()
        document = await self._known(deadline)
        latency_ms = (time.perf_counter() - began) * 1_000
        now = time.time_ns()
        request = ScanRequest(TimeRange(now - _DAY_NS, now), limit=1, spans_per_trace=1)
        starts = [one.start async for page in self.scan(request, deadline) for one in page.candidates]
        version = " ".join(filter(None, (document.name, document.version))) or None
        findings = [Notice("The server keeps the second contract.")]
        if not starts:
            findings.append(Notice("No trace in the last day."))
        return Health(version, round(latency_ms, 1), max(starts, default=None), tuple(findings))

    async def attribute_names(self, query: AttributeQuery, deadline: Deadline) -> list[AttributeName]:
        document = await self._known(deadline)
        if not document.attribute_names or query.filter.condition is not None:
            return await super().attribute_names(query, deadline)
        response = await self._get(decode.NAMES, compile_attributes(query), deadline)
        return decode.decode_names(checked(response, decode.NAMES), query)

    async def attribute_values(
        self, field: Field, query: AttributeQuery, deadline: Deadline
    ) -> list[AttributeValueCount]:
        document = await self._known(deadline)
        if not document.attribute_values or query.filter.condition is not None:
            return await super().attribute_values(field, query, deadline)
        response = await self._get(decode.VALUES, compile_attributes(query, field), deadline)
        return decode.decode_values(checked(response, decode.VALUES), query)

    async def _known(self, deadline: Deadline) -> CapabilitiesDocument:
        if self._document is not None and time.monotonic() - self._learnt < _TRUSTED_S:
            return self._document
        response = await self._get(decode.CAPABILITIES, (), deadline)
        document = decode.decode_document(checked(response, decode.CAPABILITIES))
        self.learn(document)
        return document

    async def _post(self, body: bytes, deadline: Deadline) -> bytes:
        request = HttpRequest(decode.SEARCH, "POST", headers=_HEADERS, body=body)
        try:
            return checked(await self._http.send(request, deadline), decode.SEARCH)
        except Rejected:
            self._document = None  # it may be able to do less than it said: it is asked again
            raise

    async def _get(self, path: str, params: Sequence[tuple[str, str]], deadline: Deadline) -> HttpResponse:
        return await self._http.send(HttpRequest(path, params=params, headers=_HEADERS), deadline)


class Kept:
    """Holds the pages of one search against what the server promised; raises BadResponse for the first lie."""

    def __init__(self, request: ScanRequest, capabilities: Capabilities) -> None:
        self.left = request.limit
        self.cursor: str | None = None
        self._capabilities = capabilities
        grain = capabilities.time_resolution_ns
        self._within = TimeRange(max(0, request.within.start - grain), request.within.end + grain)
        self._seen: set[TraceId] = set()
        self._cursors: set[str] = set()
        self._last: tuple[int, str] | None = None

    @property
    def page(self) -> int:
        """How many traces the next page may have."""
        return min(self.left, self._capabilities.max_limit)

    def check(self, found: decode.Found) -> None:
        """`left` and `cursor` are those for the next page."""
        if len(found.candidates) > self.page:
            raise BadResponse(Notice("The server answered with more traces than it was asked for."))
        for candidate in found.candidates:
            self._check_candidate(candidate)
        if not found.complete:
            self._check_more(found)
        self.left -= len(found.candidates)
        self.cursor = None if found.complete else found.cursor

    def _check_candidate(self, candidate: Candidate) -> None:
        if candidate.trace_id in self._seen:
            raise BadResponse(Notice("The server answered with one trace twice."))
        self._seen.add(candidate.trace_id)
        start, end = _extent(candidate)
        if not self._within.overlaps(start, end):
            raise BadResponse(
                Notice("The server answered with a trace outside of the range: if it rounds times, it has to say so.")
            )
        place = (candidate.start, candidate.trace_id)
        if self._capabilities.order is Order.NEWEST_FIRST and self._last is not None and place > self._last:
            raise BadResponse(Notice("The server says that it answers newest first, and does not."))
        self._last = place

    def _check_more(self, found: decode.Found) -> None:
        if found.cursor is None:
            if len(found.candidates) < self.page and not found.warnings:
                raise BadResponse(Notice("The server says that there are more traces, and not how to get them."))
        elif found.cursor in self._cursors:
            raise BadResponse(Notice("The server gave the same cursor twice."))
        else:
            self._cursors.add(found.cursor)


def _newest_part(within: TimeRange, longest: int | None) -> TimeRange:
    """What one search may be about; the rest is left to a narrower question, and the answer says so."""
    return within if longest is None or within.duration <= longest else TimeRange(within.end - longest, within.end)


def _extent(candidate: Candidate) -> tuple[int, int]:
    found = candidate.trace or candidate.hit
    start = found.start if found else candidate.start
    return start, start + (found.duration if found else 0)


def _shown(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
