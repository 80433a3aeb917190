"""The reference adapter: traces in memory, behind whichever capabilities a test wants.

It is strict where real backends are sloppy: a request that its capabilities do not cover is
refused, so a planner that pushes too much is found out. And it is sloppy where real backends
are: a filter with an inexact rule is answered with spans that do not match, a coarse time
resolution with traces outside of the window, and FIRST_FOUND in an order that means nothing.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass, field
from zlib import crc32

import anyio

from arcane.spi import (
    Accumulator,
    Adapter,
    AttributeName,
    AttributeQuery,
    AttributeValueCount,
    Candidate,
    Capabilities,
    DatasourceError,
    Deadline,
    Field,
    Health,
    MetricsAnswer,
    MetricsRequest,
    Notice,
    Order,
    ScanPage,
    ScanRequest,
    SentRequest,
    Span,
    TimedOut,
    TimeRange,
    Trace,
    TraceId,
    Unsupported,
    compile_filter,
    hit_of,
    mentioned_fields,
    names_in,
    values_in,
)


@dataclass(frozen=True, slots=True)
class Faults:
    """What goes wrong, and how slowly everything goes."""

    latency_s: float = 0.0
    """Before every page and every answer."""
    scan: DatasourceError | None = None
    scan_after_pages: int = 0
    """How many pages come before `scan` is raised."""
    get_trace: DatasourceError | None = None
    metrics: DatasourceError | None = None
    check: DatasourceError | None = None
    warnings: tuple[str, ...] = ()
    """On every page."""


@dataclass(slots=True)
class Asked:
    """What the adapter was asked, for tests that look at the plan from the backend's side."""

    scans: list[ScanRequest] = field(default_factory=list)
    traces: list[TraceId] = field(default_factory=list)
    metrics: list[MetricsRequest] = field(default_factory=list)
    open_scans: int = 0
    """Scans that have begun and were neither finished nor closed."""


class MemoryAdapter(Adapter):
    """Answers from the given traces within the given capabilities."""

    def __init__(
        self,
        traces: Iterable[Trace],
        capabilities: Capabilities,
        *,
        faults: Faults = Faults(),
        page_size: int = 50,
    ) -> None:
        self.capabilities = capabilities
        self.asked = Asked()
        self._traces = {trace.trace_id: trace for trace in traces}
        self._faults = faults
        self._page_size = page_size

    async def scan(self, request: ScanRequest, deadline: Deadline) -> AsyncGenerator[ScanPage, None]:
        self._refuse_what_is_not_covered(request)
        self.asked.scans.append(request)
        self.asked.open_scans += 1
        try:
            candidates = self._candidates(request)
            wanted = candidates[: request.limit]
            complete = len(candidates) <= request.limit
            for number, start in enumerate(range(0, max(1, len(wanted)), self._page_size)):
                await self._wait(deadline)
                if self._faults.scan is not None and number >= self._faults.scan_after_pages:
                    raise self._faults.scan
                last = start + self._page_size >= len(wanted)
                page = tuple(wanted[start : start + self._page_size])
                yield ScanPage(page, complete and last, self._faults.warnings)
        finally:
            self.asked.open_scans -= 1

    async def get_trace(self, trace_id: TraceId, within: TimeRange | None, deadline: Deadline) -> Trace | None:
        self.asked.traces.append(trace_id)
        await self._wait(deadline)
        if self._faults.get_trace is not None:
            raise self._faults.get_trace
        return self._traces.get(trace_id)

    async def metrics(self, request: MetricsRequest, deadline: Deadline) -> MetricsAnswer | None:
        capabilities = self.capabilities
        exact = capabilities.covers(request.filter.condition) and capabilities.exact(request.filter.condition)
        if not exact or not capabilities.measures(request.measure, request.of, request.by):
            raise Unsupported("This datasource does not measure that.")
        self.asked.metrics.append(request)
        await self._wait(deadline)
        if self._faults.metrics is not None:
            raise self._faults.metrics
        accumulator = Accumulator(request.measure, request.of, request.by, request.steps)
        accumulator.series_max = request.series_max
        accumulator.exemplars = request.exemplars
        matches = compile_filter(request.filter)
        for trace in self._traces.values():
            accumulator.add(trace, matches(trace))
        return MetricsAnswer(accumulator.state, self._faults.warnings)

    async def check(self, deadline: Deadline) -> Health:
        await self._wait(deadline)
        if self._faults.check is not None:
            raise self._faults.check
        newest = max((trace.end for trace in self._traces.values()), default=None)
        return Health(None, self._faults.latency_s * 1_000, newest, (f"{len(self._traces)} traces in memory.",))

    def describe(self, request: ScanRequest, *, whole: bool) -> tuple[SentRequest, ...]:
        return (SentRequest.of_read("traces in memory", request),)

    def describe_metrics(self, request: MetricsRequest) -> tuple[SentRequest, ...] | None:
        return (SentRequest.of_measure("traces in memory", request),)

    async def attribute_names(self, query: AttributeQuery, deadline: Deadline) -> list[AttributeName]:
        if not self.capabilities.native_attributes:
            return await super().attribute_names(query, deadline)
        await self._wait(deadline)
        return names_in(self._samples(query), query)

    async def attribute_values(
        self, field: Field, query: AttributeQuery, deadline: Deadline
    ) -> list[AttributeValueCount]:
        if not self.capabilities.native_attributes:
            return await super().attribute_values(field, query, deadline)
        await self._wait(deadline)
        return values_in(self._samples(query), field, query)

    async def _wait(self, deadline: Deadline) -> None:
        if self._faults.latency_s >= deadline.remaining():
            await anyio.sleep(deadline.remaining())
            raise TimedOut
        await anyio.sleep(self._faults.latency_s)

    def _refuse_what_is_not_covered(self, request: ScanRequest) -> None:
        capabilities = self.capabilities
        if not capabilities.covers(request.filter.condition):
            raise Unsupported("The filter has a comparison that this datasource does not push down.")
        if not 1 <= request.limit <= capabilities.max_limit:
            raise Unsupported(Notice("A scan is limited to 1 to %(most)d traces.", most=capabilities.max_limit))
        if capabilities.max_range_ns is not None and request.within.duration > capabilities.max_range_ns:
            raise Unsupported("The window is longer than this datasource accepts.")

    def _candidates(self, request: ScanRequest) -> list[Candidate]:
        compiled = compile_filter(request.filter)
        fields = (*mentioned_fields(request.filter), *request.select)
        sloppy = not self.capabilities.exact(request.filter.condition)
        found = []
        for trace in self._in_window(request.within):
            matched = compiled.matches(trace)
            if sloppy:
                matched = _superset(trace, matched)
            if matched:
                hit = hit_of(trace, matched, fields, request.spans_per_trace)
                whole = trace if self.capabilities.whole_traces else None
                found.append(Candidate(trace.trace_id, trace.start, hit, whole))
        return found

    def _in_window(self, within: TimeRange) -> list[Trace]:
        """Traces that overlap the window as the backend sees it, in the order it returns them."""
        grain = self.capabilities.time_resolution_ns
        start, end = within.start // grain * grain, -(-within.end // grain) * grain
        found = [trace for trace in self._traces.values() if trace.spans and trace.start <= end and trace.end >= start]
        if self.capabilities.order is Order.NEWEST_FIRST:
            return sorted(found, key=lambda trace: (trace.start, trace.trace_id), reverse=True)
        return sorted(found, key=lambda trace: crc32(trace.trace_id.encode()))

    def _samples(self, query: AttributeQuery) -> list[tuple[Trace, list[Span]]]:
        compiled = compile_filter(query.filter)
        return [(trace, compiled.matches(trace)) for trace in self._in_window(query.within)]


def _superset(trace: Trace, matched: list[Span]) -> list[Span]:
    """Returns the matched spans and some that do not match: always the same ones, so that a failure repeats."""
    kept = {span.span_id for span in matched}
    return [span for span in trace.spans if span.span_id in kept or crc32(span.span_id.encode()) % 3 == 0]
