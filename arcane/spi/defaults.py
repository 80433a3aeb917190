"""Correct, slow answers for what an adapter leaves out, built on its `scan` and `get_trace`.

Completion is a sample by nature: the newest traces of the window, at most `MAX_TRACES` where
scans carry whole traces and `MAX_FETCHED` where each has to be fetched. What was sampled when
the deadline comes is what is offered.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Protocol

import anyio

from arcane.model.deadline import Deadline
from arcane.model.ids import TraceId
from arcane.model.time import TimeRange
from arcane.model.trace import Trace
from arcane.spi.capabilities import Capabilities
from arcane.spi.errors import DatasourceError, TimedOut
from arcane.spi.sampling import Sample, names_in, values_in
from arcane.spi.scan import AttributeName, AttributeQuery, AttributeValueCount, ScanPage, ScanRequest
from arcane.traceql.ast import Field, SpansetFilter
from arcane.traceql.evaluate import compile_filter

MAX_TRACES = 200
MAX_FETCHED = 20
_FETCH_AT_ONCE = 4


class Scans(Protocol):
    """The part of an adapter that the defaults need."""

    capabilities: Capabilities

    def scan(self, request: ScanRequest, deadline: Deadline) -> AsyncGenerator[ScanPage, None]:
        """See Adapter.scan."""
        ...

    async def get_trace(self, trace_id: TraceId, within: TimeRange | None, deadline: Deadline) -> Trace | None:
        """See Adapter.get_trace."""
        ...


async def scan_attribute_names(source: Scans, query: AttributeQuery, deadline: Deadline) -> list[AttributeName]:
    """Returns the names found on the newest traces of the window."""
    return names_in(await _samples(source, query, deadline), query)


async def scan_attribute_values(
    source: Scans, field: Field, query: AttributeQuery, deadline: Deadline
) -> list[AttributeValueCount]:
    """Returns the values of `field` found on the newest traces of the window, without counts: it is a sample."""
    found = values_in(await _samples(source, query, deadline), field, query)
    return [AttributeValueCount(value.type, value.value) for value in found]


async def _samples(source: Scans, query: AttributeQuery, deadline: Deadline) -> list[Sample]:
    """The filter is always evaluated here; it is pushed as well where the backend covers all of it."""
    capabilities = source.capabilities
    request = ScanRequest(
        within=_recent(query.within, capabilities.max_range_ns),
        limit=min(capabilities.max_limit, MAX_TRACES if capabilities.whole_traces else MAX_FETCHED),
        filter=query.filter if capabilities.covers(query.filter.condition) else SpansetFilter(),
    )
    compiled = compile_filter(query.filter)
    return [(trace, compiled.matches(trace)) for trace in await _traces(source, request, deadline)]


def _recent(within: TimeRange, max_range_ns: int | None) -> TimeRange:
    if max_range_ns is None or within.duration <= max_range_ns:
        return within
    return TimeRange(within.end - max_range_ns, within.end)


async def _traces(source: Scans, request: ScanRequest, deadline: Deadline) -> list[Trace]:
    """A failure counts only where it left nothing to offer; running out of time never does."""
    traces: list[Trace] = []
    failures: list[DatasourceError] = []
    limiter = anyio.CapacityLimiter(min(_FETCH_AT_ONCE, source.capabilities.concurrency))

    async def fetch(trace_id: TraceId) -> None:
        try:
            async with limiter:
                trace = await source.get_trace(trace_id, None, deadline)
        except DatasourceError as exc:
            failures.append(exc)
        else:
            if trace is not None:
                traces.append(trace)

    async with aclosing(source.scan(request, deadline)) as pages, anyio.create_task_group() as group:
        try:
            async for page in pages:
                for candidate in page.candidates:
                    if candidate.trace is None:
                        group.start_soon(fetch, candidate.trace_id)
                    else:
                        traces.append(candidate.trace)
        except DatasourceError as exc:
            failures.append(exc)
    if not traces and failures and not isinstance(failures[0], TimedOut):
        raise failures[0]
    return traces
