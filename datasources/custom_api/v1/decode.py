"""Answers of the first contract to Arcane's words. Pure. Its lists may stand bare or in an object."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from arcane.spi import (
    NANOS_PER_MILLISECOND,
    AttributeName,
    AttributeQuery,
    AttributeValueCount,
    BadResponse,
    Candidate,
    Field,
    MatchedSpan,
    Notice,
    Scope,
    Trace,
    TraceHit,
    TraceId,
    parse_span_id,
    parse_trace_id,
)
from arcane.spi.otlp import attribute_value, spans_of
from arcane.spi.otlp_wire import TracesDocument
from datasources.custom_api.answers import decoded
from datasources.custom_api.v1 import wire

T = TypeVar("T")
_MAX_UINT64 = (1 << 64) - 1
_NO_ROOT = frozenset({"", "<root span not yet received>"})

_search = msgspec.json.Decoder(wire.Search | list[wire.Summary])
_names = msgspec.json.Decoder(wire.Names | list[str])
_values = msgspec.json.Decoder(wire.Values | list[str | int | float | bool])
_trace = msgspec.json.Decoder(TracesDocument)
_members = msgspec.json.Decoder(dict[str, msgspec.Raw])


def decode_search(body: bytes, path: str) -> list[Candidate]:
    """Returns what was found, as summaries: `matched` is a guess where the server does not tell."""
    answer = decoded(_search, body, path)
    found = answer.traces if isinstance(answer, wire.Search) else answer
    try:
        candidates = [_candidate(one) for one in found]
    except ValueError as exc:
        raise BadResponse(Notice("%(path)s: an id or a number is not one.", path=path)) from exc
    if len({one.trace_id for one in candidates}) < len(candidates):
        raise BadResponse(Notice("%(path)s answered with one trace twice.", path=path))
    return candidates


def decode_trace(body: bytes, trace_id: TraceId, path: str) -> Trace | None:
    """Returns the trace, None where there is none; raises BadResponse for another one, and for no document at all."""
    if not {"batches", "resourceSpans"} & decoded(_members, body, path).keys():
        raise BadResponse(Notice("%(path)s: a trace is an object with batches.", path=path))
    document = decoded(_trace, body, path)
    spans = spans_of([*document.batches, *document.resource_spans])
    if any(span.trace_id != trace_id for span in spans):
        raise BadResponse(Notice("%(path)s answered with spans of another trace.", path=path))
    return Trace(trace_id, spans) if spans else None


def decode_names(body: bytes, query: AttributeQuery, path: str) -> list[AttributeName]:
    """Returns the names that begin with the prefix, without a scope: the contract does not tell any."""
    answer = decoded(_names, body, path)
    names = answer.attribute_names if isinstance(answer, wire.Names) else answer
    kept = sorted({name for name in names if name and name.startswith(query.prefix)})
    return [AttributeName(Field(Scope.NONE, name)) for name in kept[: query.limit]]


def decode_values(body: bytes, query: AttributeQuery, path: str) -> list[AttributeValueCount]:
    """Returns the values that begin with the prefix."""
    answer = decoded(_values, body, path)
    values = answer.values if isinstance(answer, wire.Values) else answer
    kept = dict.fromkeys(AttributeValueCount(_type(value), value) for value in values)
    return [one for one in kept if str(one.value).startswith(query.prefix)][: query.limit]


def _candidate(told: wire.Summary) -> Candidate:
    trace_id = parse_trace_id(told.trace_id)
    span_set = told.span_set or wire.SpanSet()
    hit = TraceHit(
        trace_id=trace_id,
        start=_number(told.start_time_unix_nano),
        duration=max(0, round(told.duration_ms * NANOS_PER_MILLISECOND)),
        root_service=None if told.root_service_name in _NO_ROOT else told.root_service_name,
        root_name=None if told.root_trace_name in _NO_ROOT else told.root_trace_name,
        matched=max(1, span_set.matched, len(span_set.spans)),
        spans=tuple(_span(span) for span in span_set.spans),
    )
    return Candidate(trace_id, hit.start, hit)


def _span(told: wire.Span) -> MatchedSpan:
    return MatchedSpan(
        span_id=parse_span_id(told.span_id),
        start=_number(told.start_time_unix_nano),
        duration=_number(told.duration_nanos),
        name=told.name,
        service=told.service_name,
        attributes={pair.key: attribute_value(pair.value) for pair in told.attributes},
    )


def _number(value: int | str) -> int:
    number = int(value)
    if not 0 <= number <= _MAX_UINT64:
        raise ValueError("outside of 64 bits")
    return number


def _type(value: str | int | float | bool) -> str:
    match value:
        case bool():
            return "bool"
        case int():
            return "int"
        case float():
            return "float"
    return "string"
