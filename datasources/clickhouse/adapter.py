"""Asks ClickHouse over HTTP. What is asked is made in `compile` and `statements`, what it means in `decode`."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Sequence
from functools import partial
from itertools import accumulate

from anyio import to_thread

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
    HttpSession,
    MetricsAnswer,
    MetricsRequest,
    Misconfigured,
    Notice,
    Order,
    ScanPage,
    ScanRequest,
    SentRequest,
    TimeRange,
    Trace,
    TraceId,
    parse_trace_id,
)
from datasources.clickhouse import completion, decode, metrics
from datasources.clickhouse.compile import PUSH
from datasources.clickhouse.decode import Extent
from datasources.clickhouse.layout import Layout, NotUnderstood
from datasources.clickhouse.probe import Probe
from datasources.clickhouse.settings import ClickHouseSettings, text_names
from datasources.clickhouse.spelling import Names
from datasources.clickhouse.statements import Asking, Statement
from datasources.clickhouse.wire import Limits, Profile, Wire

_DAY_NS = 86_400 * NANOS_PER_SECOND
_RECENT_PART = 16
_RECENT_LEAST_NS = 60 * NANOS_PER_SECOND
_MEGABYTE = 1_048_576
_NOBODY = TraceId("0" * 31 + "1")


class ClickHouseAdapter(Adapter):
    """Tables of spans in a ClickHouse."""

    def __init__(self, http: HttpSession, settings: ClickHouseSettings) -> None:
        self._wire = Wire(http, Limits(settings.max_seconds, settings.max_memory_mb * _MEGABYTE))
        self._probe = Probe(settings)
        self._names = Names(text_names(settings))
        self._longest_ns = settings.longest_trace_minutes * 60 * NANOS_PER_SECOND
        self._max_spans = settings.max_spans
        self._completion_rows = settings.completion_rows
        self._scan_spans = settings.scan_spans
        self._metrics_rows = settings.metrics_rows
        self._layout: Layout | None = None
        self.capabilities = Capabilities(
            push=PUSH,
            push_or=True,
            push_not=True,
            order=Order.NEWEST_FIRST,
            max_limit=1_000,
            metrics=metrics.MEASURES,
            native_attributes=True,
        )

    async def scan(self, request: ScanRequest, deadline: Deadline) -> AsyncGenerator[ScanPage, None]:
        asking = await self._asking(deadline)
        found = await self._newest_traces(asking, request, deadline)
        chosen = found[: request.limit]
        complete = len(found) <= request.limit
        if not chosen:
            yield ScanPage((), complete=True)
            return
        columns = await self._wire.select(asking.hits(request, chosen), deadline)
        candidates = decode.candidates_of(chosen, columns, request, self._names)
        if request.whole:
            candidates = await self._with_traces(asking, chosen, candidates, deadline)
        yield ScanPage(candidates, complete=complete)

    async def get_trace(self, trace_id: TraceId, within: TimeRange | None, deadline: Deadline) -> Trace | None:
        """`within` is not needed: where the exporter keeps the times of traces, they are looked up there."""
        asking = await self._asking(deadline)
        ways = (True, False) if asking.layout.trace_times else (False,)
        for by_times in ways:  # times may be missing of a trace that is older than their table
            statement = asking.trace(trace_id, self._max_spans, by_times=by_times)
            columns = await self._wire.select(statement, deadline)
            if columns and columns[0]:
                read = partial(decode.trace_of, trace_id, columns, self._names, self._max_spans)
                return await to_thread.run_sync(read) if len(columns[0]) > _LARGE else read()
        return None

    async def check(self, deadline: Deadline) -> Health:
        began = time.perf_counter()
        version = await self._wire.select(Statement("SELECT version()", {}, 1), deadline)
        latency_ms = (time.perf_counter() - began) * 1_000
        self._layout = None
        asking = await self._asking(deadline)
        newest = await self._wire.select(asking.newest(time.time_ns(), _DAY_NS), deadline)
        last = int(newest[0][0]) if newest and newest[0][0] else 0
        findings = [*asking.layout.findings, *self._remarks(asking, last)]
        return Health(str(version[0][0]), round(latency_ms, 1), last or None, tuple(findings))

    async def metrics(self, request: MetricsRequest, deadline: Deadline) -> MetricsAnswer | None:
        asking = await self._asking(deadline)
        statement = metrics.measure(asking, request, self._metrics_rows)
        columns = await self._wire.select(statement, deadline)
        return MetricsAnswer(metrics.states_of(columns, statement, request, asking))

    def describe(self, request: ScanRequest, *, whole: bool) -> tuple[SentRequest, ...]:
        """The statements of a scan in their order; ids that are not known yet stand as one that is nobody's."""
        layout = self._layout or self._probe.assumed()
        if layout is None:
            return ()
        asking, within = Asking(layout, self._names, self._longest_ns), request.within
        recent, found = _recent_start(request), [(_NOBODY, within.start, within.end)]
        since = within.start if request.began_within else None
        rest = Notice("where that does not give enough") if recent else ""
        sent = [_sent(asking.candidates(request, recent), Notice("for the last part of the range"))] if recent else []
        sent.append(_sent(asking.candidates(request, since), rest))
        sent.append(_sent(asking.hits(request, found), Notice("for the traces that were found, by their ids")))
        if request.whole:
            sent.append(
                _sent(asking.traces(found, _rows_of(self._scan_spans)), Notice("for all spans of the newest of them"))
            )
        if whole:
            by_id = asking.trace(_NOBODY, self._max_spans, by_times=bool(layout.trace_times))
            one = (
                Notice("for each trace that was not among them, by its id")
                if request.whole
                else Notice("for each trace, by its id")
            )
            sent.append(_sent(by_id, one))
        return tuple(sent)

    def describe_metrics(self, request: MetricsRequest) -> tuple[SentRequest, ...] | None:
        layout = self._layout or self._probe.assumed()
        if layout is None:
            return ()
        asking = Asking(layout, self._names, self._longest_ns)
        return (_sent(metrics.measure(asking, request, self._metrics_rows)),)

    async def attribute_names(self, query: AttributeQuery, deadline: Deadline) -> list[AttributeName]:
        if not self.capabilities.covers(query.filter.condition):
            return await super().attribute_names(query, deadline)
        statement = completion.names(await self._asking(deadline), query, self._completion_rows)
        return completion.decode_names(await self._wire.select(statement, deadline), query)

    async def attribute_values(
        self, field: Field, query: AttributeQuery, deadline: Deadline
    ) -> list[AttributeValueCount]:
        if not self.capabilities.covers(query.filter.condition):
            return await super().attribute_values(field, query, deadline)
        statement = completion.values(await self._asking(deadline), field, query, self._completion_rows)
        if statement is None:
            return []
        return completion.decode_values(await self._wire.select(statement, deadline), field, query, self._names)

    async def _with_traces(
        self, asking: Asking, chosen: Sequence[Extent], candidates: Sequence[Candidate], deadline: Deadline
    ) -> tuple[Candidate, ...]:
        """Returns the candidates, the newest of them with their traces: as many as a bounded number of spans are."""
        counts = accumulate((one.hit.span_count or 0) if one.hit else 0 for one in candidates)
        brought = sum(count <= self._scan_spans for count in counts)
        if not brought:
            return tuple(candidates)
        held = {parse_trace_id(extent[0]): extent for extent in chosen}
        extents = [held[one.trace_id] for one in candidates[:brought]]
        rows = _rows_of(self._scan_spans)
        columns = await self._wire.select(asking.traces(extents, rows), deadline)
        if columns and len(columns[0]) == rows:
            return tuple(candidates)  # more rows than spans were counted: some may be missing
        traces = await to_thread.run_sync(decode.traces_of, columns, self._names)
        by_id = {trace.trace_id: trace for trace in traces.values()}
        return tuple(Candidate(one.trace_id, one.start, one.hit, by_id.get(one.trace_id)) for one in candidates)

    async def _newest_traces(self, asking: Asking, request: ScanRequest, deadline: Deadline) -> Sequence[Extent]:
        """Returns the newest traces, one more than the limit where there are more.

        Of a long window its last part is asked first: where it has enough, the rest need not be read.
        """
        recent = _recent_start(request)
        since = request.within.start if request.began_within else None
        if recent is not None:
            statement = asking.candidates(request, since=recent)
            found = decode.extents_of(await self._wire.select(statement, deadline))
            if len(found) > request.limit:
                return found
        return decode.extents_of(await self._wire.select(asking.candidates(request, since), deadline))

    async def _asking(self, deadline: Deadline) -> Asking:
        """Knows the tables' columns; they are looked at once, and again by a check."""
        if self._layout is None:
            try:
                self._layout = await self._probe.layout(self._wire, deadline)
            except NotUnderstood as exc:
                raise Misconfigured(exc.why) from None
        return Asking(self._layout, self._names, self._longest_ns)

    def _remarks(self, asking: Asking, newest: int) -> list[str]:
        found = []
        if self._wire.profile is Profile.CLOSED:
            found.append("The user's profile allows no settings: its own limits of time and memory are all there is.")
        if not asking.layout.trace_times:
            found.append("Without a table of trace times, a trace is looked up over the whole table.")
        if not newest:
            found.append("No span in the last 24 hours. Is it the right table?")
        return found


_LARGE = 2_000
"""Spans whose reading is worth a thread: other questions go on meanwhile."""


def _sent(statement: Statement, note: str = "") -> SentRequest:
    bound = tuple((name, str(value)) for name, value in statement.parameters.items())
    return SentRequest("SQL", statement.sql, bound, note)


def _recent_start(request: ScanRequest) -> int | None:
    """Returns where the last part of a long window begins, None where it is too short to be asked in parts."""
    part = request.within.duration // _RECENT_PART
    return request.within.end - part if part >= _RECENT_LEAST_NS else None


def _rows_of(spans: int) -> int:
    """Returns how many rows so many spans may have: one that was written twice has two."""
    return 2 * max(1, spans)
