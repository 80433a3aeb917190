"""The statements that are sent, whole. Pure. Rows come newest trace first, ties by id, as Arcane's pages go.

Names of our own begin with `a_`: a column of a person's table must not be taken for one of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from arcane.spi import ScanRequest, TimeRange, TraceId
from datasources.clickhouse.compile import Binds, Compiler
from datasources.clickhouse.layout import Layout
from datasources.clickhouse.shown import Shown
from datasources.clickhouse.spelling import Names

_LATEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with placeholders, what stands for them, and the most rows it gives."""

    sql: str
    parameters: Mapping[str, object]
    rows: int


@dataclass(frozen=True, slots=True)
class Asking:
    """One layout and how it is read: what all statements of an adapter have in common."""

    layout: Layout
    names: Names
    longest_ns: int

    def candidates(self, request: ScanRequest, since: int | None = None) -> Statement:
        """Gives (id, start, end) of the newest traces that overlap the window and have a span that matches.

        A trace may begin before the window, and what matches may lie outside of it: spans are looked at as far
        around as the longest trace is. With `since`, only traces that began then or later, which
        are newer than all others: their spans lie after it, and fewer rows are read.
        """
        layout, bind = self.layout, Binds()
        within = request.within
        window = self._window(TimeRange(within.start if since is None else since, within.end), bind)
        inner = window if since is None else self.between(since, within.end + self.longest_ns, bind)
        compiler = Compiler(layout, self.names, bind, window)
        condition = compiler.condition(request.filter.condition)
        trace_id = layout.texts["trace_id"]
        chosen = ""
        if condition != "1" or since is not None:
            matching = f"SELECT {trace_id} FROM {layout.source} WHERE {inner} AND {condition}"
            chosen = f" AND {trace_id} {layout.member} ({matching})"
        begins = bind(since, "Int64") if since is not None else None
        sql = (
            f"SELECT {trace_id} AS a_trace, min({layout.start}) AS a_start, max({layout.end}) AS a_end"
            f" FROM {layout.source} WHERE {window}{chosen} GROUP BY a_trace"
            f" HAVING a_trace != '' AND a_start <= {bind(within.end, 'Int64')}"
            f" AND a_end >= {bind(within.start, 'Int64')}"
            + (f" AND a_start >= {begins}" if begins else "")
            + f" ORDER BY a_start DESC, a_trace DESC LIMIT {bind(request.limit + 1, 'UInt64')}"
        )
        return Statement(sql, bind.values, request.limit + 1)

    def hits(self, request: ScanRequest, traces: Sequence[tuple[str, int, int]]) -> Statement:
        """Gives a row for each of the traces: what it is as a whole, and its first spans that match."""
        layout, bind, texts = self.layout, Binds(), self.layout.texts
        first, last = min(began for _, began, _ in traces), max(ended for _, _, ended in traces)
        compiler = Compiler(layout, self.names, bind, self._window(TimeRange(first, last), bind))
        condition = compiler.condition(request.filter.condition)
        ids = bind([trace for trace, _, _ in traces], "Array(String)")
        shown = ", ".join(Shown.of(request).columns(layout, bind))
        sql = (
            "SELECT a_trace, argMinIf((a_name, a_service), (a_start, a_span), a_root), countIf(a_root), count(),"
            " countIf(a_failed), sumMap([a_service], [toUInt64(1)]), sumMap([a_service], [toUInt64(a_failed)]),"
            " countIf(a_matched), arraySlice(arraySort(one -> (one.1, one.2), groupArrayIf("
            "(a_start, a_span, a_took, a_name, a_service, a_status, a_shown), a_matched)),"
            f" 1, {bind(request.spans_per_trace, 'UInt64')})"
            f" FROM (SELECT {texts['trace_id']} AS a_trace, {texts['span_id']} AS a_span, {layout.start} AS a_start,"
            f" {layout.duration} AS a_took, toString({texts['name']}) AS a_name, {compiler.failed()} AS a_failed,"
            f" toString({texts['service']}) AS a_service, toString({texts['status']}) AS a_status,"
            f" {layout.is_root} AS a_root, ({condition}) AS a_matched, tuple({shown or '0'}) AS a_shown"
            f" FROM {layout.source} WHERE {self.between(first, last, bind)} AND {texts['trace_id']} IN {ids}"
            " LIMIT 1 BY a_trace, a_span) GROUP BY a_trace"
        )
        return Statement(sql, bind.values, len(traces))

    def trace(self, trace_id: TraceId, limit: int, *, by_times: bool) -> Statement:
        """Gives the spans of a trace, at most one more than `limit`, in order of start."""
        layout, bind = self.layout, Binds()
        is_it = layout.is_id(layout.texts["trace_id"], trace_id, bind)
        bounds = ""
        if by_times and layout.trace_times:
            times = f"FROM {layout.trace_times} WHERE {layout.is_id('TraceId', trace_id, bind)}"
            # End is when the last span began, in whole seconds in older tables.
            bounds = (
                f" AND {layout.timestamp} >= (SELECT min(Start) {times})"
                f" AND {layout.timestamp} <= (SELECT max(End) + INTERVAL 1 SECOND {times})"
            )
        columns = ", ".join(f"{sql} AS a_{number}" for number, sql in enumerate(self._whole().values()))
        sql = (
            f"SELECT {columns} FROM {layout.source} WHERE {is_it}{bounds}"
            f" ORDER BY {layout.timestamp} LIMIT {bind(limit + 1, 'UInt64')}"
        )
        return Statement(sql, bind.values, limit + 1)

    def traces(self, traces: Sequence[tuple[str, int, int]], spans: int) -> Statement:
        """Gives the spans of several traces, each row with the id of its trace."""
        layout, bind = self.layout, Binds()
        first, last = min(began for _, began, _ in traces), max(ended for _, _, ended in traces)
        ids = bind([trace for trace, _, _ in traces], "Array(String)")
        columns = ", ".join(f"{sql} AS a_{number}" for number, sql in enumerate(self._whole().values()))
        trace_id = layout.texts["trace_id"]
        sql = (
            f"SELECT {trace_id} AS a_trace, {columns} FROM {layout.source}"
            f" WHERE {self._window(TimeRange(first, last), bind)} AND {trace_id} IN {ids}"
            f" LIMIT {bind(spans, 'UInt64')}"
        )
        return Statement(sql, bind.values, spans)

    def newest(self, now: int, back_ns: int) -> Statement:
        """Gives when the newest span of late began, 0 where there is none."""
        layout, bind = self.layout, Binds()
        window = self.between(now - back_ns, now + self.longest_ns, bind)
        return Statement(f"SELECT max({layout.start}) FROM {layout.source} WHERE {window}", bind.values, 1)

    def _whole(self) -> dict[str, str]:
        """Returns every field of a span, in the order `decode.spans_of` reads them."""
        layout = self.layout
        return {
            **{name: layout.texts[name] for name in ("span_id", "parent_span_id", "trace_state", "name")},
            "kind": layout.texts["kind"],
            "service": layout.texts["service"],
            "scope_name": layout.texts["scope_name"],
            "scope_version": layout.texts["scope_version"],
            "start": layout.start,
            "duration": layout.duration,
            "status": layout.texts["status"],
            "status_message": layout.texts["status_message"],
            "resource": layout.attributes["resource_attributes"][0],
            "attributes": layout.attributes["span_attributes"][0],
            **{name: layout.arrays[name] for name in ("event_times", "event_names")},
            "event_attributes": layout.attributes["event_attributes"][0],
            **{name: layout.arrays[name] for name in ("link_trace_ids", "link_span_ids", "link_trace_states")},
            "link_attributes": layout.attributes["link_attributes"][0],
        }

    def _window(self, within: TimeRange, bind: Binds) -> str:
        return self.between(within.start - self.longest_ns, within.end + self.longest_ns, bind)

    def between(self, first: int, last: int, bind: Binds) -> str:
        """Returns the condition that a span began then; what partitions and primary keys are cut by."""
        low, high = bind(max(0, first), "Int64"), bind(min(last, _LATEST), "Int64")
        column = self.layout.timestamp
        return f"{column} >= fromUnixTimestamp64Nano({low}) AND {column} <= fromUnixTimestamp64Nano({high})"
