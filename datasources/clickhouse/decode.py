"""Rows of ClickHouse as spans, traces and hits. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeAlias

from arcane.spi import (
    Attributes,
    AttributeValue,
    BadResponse,
    Candidate,
    InstrumentationScope,
    MatchedSpan,
    Notice,
    Resource,
    ScanRequest,
    ServiceStats,
    Span,
    SpanEvent,
    SpanId,
    SpanKind,
    SpanLink,
    StatusCode,
    Trace,
    TraceHit,
    TraceId,
    mentioned_fields,
    parse_span_id,
    parse_trace_id,
    shown_spans,
)
from datasources.clickhouse.compile import SERVICE, spellings
from datasources.clickhouse.layout import NO_PARENT
from datasources.clickhouse.shown import Shown
from datasources.clickhouse.spelling import Names, typed

Columns = Sequence[Sequence[Any]]
"""What an answer holds, a column at a time."""
Extent: TypeAlias = "tuple[str, int, int]"
"""A trace's id as it is stored, its start and its end."""

_KINDS = {spelling: member for member in SpanKind for spelling in spellings(member)}
_STATUSES = {spelling: member for member in StatusCode for spelling in spellings(member)}
_NO_ATTRIBUTES: Attributes = {}


@dataclass(slots=True)
class Reader:
    """Reads the attributes of one answer; what its spans have in common is made once."""

    names: Names
    _resources: dict[tuple[object, ...], Resource] = field(default_factory=dict)
    _scopes: dict[tuple[str, str], InstrumentationScope] = field(default_factory=dict)
    _typed: dict[str, AttributeValue] = field(default_factory=dict)

    def attributes(self, stored: Mapping[str, Any]) -> Attributes:
        """Returns the attributes of a Map or of a JSON value; of a Map, each as the value that it spells."""
        is_text, known = self.names.is_text, self._typed
        found: Attributes = {}
        for name, value in stored.items():
            if value.__class__ is not str:
                _flatten(name, value, found)
            elif is_text(name):
                found[name] = value
            elif len(value) > _LONG:
                found[name] = typed(value)
            else:
                one = known.get(value)
                if one is None:
                    one = known[value] = typed(value)
                found[name] = one
        return found

    def resource(self, stored: Mapping[str, Any], service: str) -> Resource:
        """Returns the resource; the service's name comes from its own column where the attributes lack it."""
        key = (service, *_hashable(stored))
        made = self._resources.get(key)
        if made is None:
            attributes = self.attributes(stored)
            if service:
                attributes[SERVICE] = service
            made = self._resources[key] = Resource(attributes)
        return made

    def scope(self, name: str, version: str) -> InstrumentationScope:
        """Returns the instrumentation scope."""
        made = self._scopes.get((name, version))
        if made is None:
            made = self._scopes[name, version] = InstrumentationScope(name, version)
        return made


_LONG = 64
"""Texts up to here repeat often enough to be remembered while one answer is read."""


def trace_of(trace_id: TraceId, columns: Columns, names: Names, limit: int) -> Trace | None:
    """Returns the trace whose spans are in `columns`, cut to `limit` spans and saying so; None without rows."""
    spans = spans_of(trace_id, zip(*columns, strict=True), Reader(names))
    if not spans:
        return None
    if len(spans) > limit:
        cut = Notice("The trace has more than %(most)d spans; only the first are read.", most=limit)
        return Trace(trace_id, spans[:limit], (cut,))
    return Trace(trace_id, spans)


def traces_of(columns: Columns, names: Names) -> dict[str, Trace]:
    """Returns the traces in an answer that begins each row with the trace's id, by the id as it is stored."""
    rows: dict[str, list[Sequence[Any]]] = {}
    for stored, *row in zip(*columns, strict=True):
        rows.setdefault(stored, []).append(row)
    reader = Reader(names)
    ids = {stored: _trace_id(stored) for stored in rows}
    return {stored: Trace(ids[stored], spans_of(ids[stored], held, reader)) for stored, held in rows.items()}


def spans_of(trace_id: TraceId, rows: Iterable[Sequence[Any]], reader: Reader) -> list[Span]:
    """Returns the spans in the rows; their fields stand in the order of `statements.Asking.trace`."""
    found = []
    for row in rows:
        (span_id, parent, state, name, kind, service, scope, version, start, took, status, message) = row[:12]
        (resource, attributes, times, names, held, link_traces, link_spans, link_states, link_held) = row[12:]
        found.append(
            Span(
                trace_id,
                _span_id(span_id),
                _parent(parent),
                name,
                _KINDS.get(kind, SpanKind.UNSPECIFIED),
                start,
                start + took,
                _STATUSES.get(status, StatusCode.UNSET),
                message,
                reader.attributes(attributes),
                _events(times, names, held, reader) if times else (),
                _links(link_traces, link_spans, link_held, reader, link_states) if link_traces else (),
                reader.resource(resource, service),
                reader.scope(scope, version),
                state,
            )
        )
    return found


def extents_of(columns: Columns) -> list[Extent]:
    """Returns the ids and times of the candidates."""
    return list(zip(*columns, strict=True))


def candidates_of(
    extents: Sequence[Extent], columns: Columns, request: ScanRequest, names: Names
) -> tuple[Candidate, ...]:
    """Returns the traces with their hits, in the order of `extents`."""
    by_id = {row[0]: row for row in zip(*columns, strict=True)}
    reading = _Hits(request, Reader(names))
    return tuple(reading.candidate(extent, by_id[extent[0]]) for extent in extents if extent[0] in by_id)


class _Hits:
    """Makes hits of the rows of one search."""

    def __init__(self, request: ScanRequest, reader: Reader) -> None:
        self._reader = reader
        self._shown = Shown.of(request)
        self._fields = (*mentioned_fields(request.filter), *request.select)
        self._limit = request.spans_per_trace

    def candidate(self, extent: Extent, row: Sequence[Any]) -> Candidate:
        """Returns one trace; `row` is one of `statements.Asking.hits`."""
        stored, start, end = extent
        (_, (root_name, root_service), roots, spans, errors, services, failures, matched, shown) = row
        trace_id = _trace_id(stored)
        failed = dict(zip(*failures, strict=True))
        hit = TraceHit(
            trace_id,
            start,
            max(0, end - start),
            root_service if roots else None,
            root_name if roots else None,
            matched,
            self._matched(trace_id, shown),
            spans,
            errors,
            {name: ServiceStats(count, failed.get(name, 0)) for name, count in zip(*services, strict=True)},
        )
        return Candidate(trace_id, start, hit)

    def _matched(self, trace_id: TraceId, shown: Sequence[Sequence[Any]]) -> tuple[MatchedSpan, ...]:
        spans = [self._span(trace_id, one) for one in shown]
        return shown_spans(Trace(trace_id, spans), spans, self._fields, self._limit)

    def _span(self, trace_id: TraceId, one: Sequence[Any]) -> Span:
        start, span_id, took, name, service, status, columns = one
        rest = list(reversed(columns))
        attributes = self._named(self._shown.span, rest)
        resource = self._named(self._shown.resource, rest)
        told = dict(zip(self._shown.fields, reversed(rest), strict=False))
        reader = self._reader
        return Span(
            trace_id,
            _span_id(span_id),
            _parent(told.get("parent_span_id", "")),
            name,
            _KINDS.get(told.get("kind", ""), SpanKind.UNSPECIFIED),
            start,
            start + took,
            _STATUSES.get(status, StatusCode.UNSET),
            told.get("status_message", ""),
            reader.attributes(attributes),
            _events(told["event_times"], told["event_names"], told["event_attributes"], reader)
            if "event_times" in told
            else (),
            _links(told["link_trace_ids"], told["link_span_ids"], told["link_attributes"], reader)
            if "link_trace_ids" in told
            else (),
            reader.resource(resource, service),
            reader.scope(told.get("scope_name", ""), told.get("scope_version", "")),
        )

    def _named(self, names: Sequence[str], rest: list[Any]) -> Mapping[str, Any]:
        """Returns the next column as attributes; a JSON column's come as a list in the order of the names."""
        if not names:
            return _NO_ATTRIBUTES
        column = rest.pop()
        if isinstance(column, Mapping):
            return column
        return {name: value for name, value in zip(names, column, strict=True) if value is not None}


def _events(
    times: Sequence[int], names: Sequence[str], held: Sequence[Mapping[str, Any]], reader: Reader
) -> tuple[SpanEvent, ...]:
    return tuple(
        SpanEvent(name, time, reader.attributes(attributes))
        for time, name, attributes in zip(times, names, held or [{}] * len(times), strict=True)
    )


def _links(
    traces: Sequence[str],
    spans: Sequence[str],
    held: Sequence[Mapping[str, Any]],
    reader: Reader,
    states: Sequence[str] = (),
) -> tuple[SpanLink, ...]:
    count = len(traces)
    rows = zip(traces, spans, states or [""] * count, held or [{}] * count, strict=True)
    return tuple(
        SpanLink(_trace_id(trace), _span_id(span), state, reader.attributes(attributes))
        for trace, span, state, attributes in rows
    )


def _flatten(name: str, value: Any, found: Attributes) -> None:
    """Adds what a JSON column holds under `name`: paths with dots are names with dots."""
    if isinstance(value, dict):
        for part, inner in value.items():
            _flatten(f"{name}.{part}", inner, found)
    elif isinstance(value, datetime | date):
        found[name] = str(value)
    elif value is not None:
        found[name] = value


def _hashable(stored: Mapping[str, Any]) -> tuple[object, ...]:
    """Returns a key for equal resources; nested values go by their text."""
    return tuple((name, value if value.__class__ is str else repr(value)) for name, value in stored.items())


def _span_id(text: str) -> SpanId:
    try:
        return parse_span_id(text)
    except ValueError:
        raise BadResponse("A span's id in this table is not 16 hex digits.") from None


def _trace_id(text: str) -> TraceId:
    try:
        return parse_trace_id(text)
    except ValueError:
        raise BadResponse("A trace's id in this table is not 32 hex digits.") from None


def _parent(text: str) -> str:
    return "" if text in ("", NO_PARENT) else _span_id(text)
