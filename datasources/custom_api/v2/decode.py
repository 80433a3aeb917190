"""Answers of the second contract to Arcane's words. Pure. What contradicts the contract is a BadResponse, no guess."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import msgspec

from arcane.spi import (
    AttributeName,
    AttributeQuery,
    AttributeValueCount,
    BadResponse,
    Candidate,
    Capabilities,
    Field,
    LiteralType,
    MatchedSpan,
    Notice,
    Op,
    Order,
    PushRule,
    Scope,
    ServiceStats,
    SpanId,
    StatusCode,
    Trace,
    TraceHit,
    TraceId,
    parse_span_id,
    parse_trace_id,
)
from arcane.spi.otlp import attribute_value, spans_of
from datasources.custom_api.answers import decoded
from datasources.custom_api.v2 import wire

CONTRACT = 2
CAPABILITIES = "/capabilities"
SEARCH = "/search"
TRACE = "/traces/{id}"
NAMES = "/attributes"
VALUES = "/attributes/values"

_LONGEST_WARNING = 300
_MOST_WARNINGS = 10
_MOST_DIGITS = 20
_MAX_UINT64 = (1 << 64) - 1
_STATUS = {code.word: code for code in StatusCode}

_document = msgspec.json.Decoder(wire.CapabilitiesDocument)
_search = msgspec.json.Decoder(wire.SearchAnswer)
_whole = msgspec.json.Decoder(wire.WholeTrace)
_summary = msgspec.json.Decoder(wire.Summary)
_trace = msgspec.json.Decoder(wire.TraceAnswer)
_names = msgspec.json.Decoder(wire.NamesAnswer)
_values = msgspec.json.Decoder(wire.ValuesAnswer)


class Found(msgspec.Struct, frozen=True):
    """A page of a search."""

    candidates: tuple[Candidate, ...]
    complete: bool
    cursor: str | None
    warnings: tuple[str, ...]


def decode_document(body: bytes) -> wire.CapabilitiesDocument:
    """Returns what the server says that it can do; raises BadResponse for another contract than this one."""
    document = decoded(_document, body, CAPABILITIES)
    if document.contract != CONTRACT:
        raise BadResponse(Notice("The server keeps contract %(theirs)d, and Arcane knows 2.", theirs=document.contract))
    return document


def decode_capabilities(document: wire.CapabilitiesDocument) -> Capabilities:
    """Returns the document in the planner's words; raises BadResponse for numbers that make no sense."""
    longest = None if document.max_range_ns is None else _number(document.max_range_ns, CAPABILITIES)
    resolution = _number(document.time_resolution_ns, CAPABILITIES)
    if min(document.max_limit, document.concurrency, resolution) < 1 or (longest is not None and longest <= resolution):
        raise BadResponse(Notice("%(path)s: a limit in it is too small to be one.", path=CAPABILITIES))
    return Capabilities(
        push=tuple(_rule(rule) for rule in document.filter.rules),
        push_or=document.filter.or_,
        push_not=document.filter.not_,
        order=Order(document.order),
        whole_traces=document.answers == "traces",
        max_limit=document.max_limit,
        time_resolution_ns=resolution,
        max_range_ns=longest,
        native_attributes=document.attribute_names and document.attribute_values,
        concurrency=document.concurrency,
    )


def decode_search(body: bytes, *, whole_traces: bool) -> Found:
    """Returns a page of traces."""
    answer = decoded(_search, body, SEARCH)
    if whole_traces:
        candidates = [_of_trace(decoded(_whole, raw, SEARCH)) for raw in answer.traces]
    else:
        candidates = [_of_summary(decoded(_summary, raw, SEARCH)) for raw in answer.traces]
    return Found(tuple(candidates), answer.complete, answer.cursor, _warnings(answer.warnings))


def decode_trace(body: bytes, trace_id: TraceId) -> Trace | None:
    """Returns the trace, None where the document is empty; raises BadResponse where it is another one."""
    answer = decoded(_trace, body, TRACE)
    spans = spans_of(answer.resource_spans)
    if any(span.trace_id != trace_id for span in spans):
        raise BadResponse(Notice("%(path)s answered with spans of another trace.", path=TRACE))
    return Trace(trace_id, spans, _warnings(answer.warnings)) if spans else None


def decode_names(body: bytes, query: AttributeQuery) -> list[AttributeName]:
    """Returns the attribute names that begin with the prefix, each once."""
    fields = dict.fromkeys(Field(Scope(name.scope), name.name) for name in decoded(_names, body, NAMES).names)
    return [AttributeName(field) for field in fields if field.name.startswith(query.prefix)][: query.limit]


def decode_values(body: bytes, query: AttributeQuery) -> list[AttributeValueCount]:
    """Returns the values that begin with the prefix."""
    return [
        AttributeValueCount(one.type, one.value, one.count)
        for one in decoded(_values, body, VALUES).values
        if str(one.value).startswith(query.prefix)
    ][: query.limit]


def _rule(rule: wire.Rule) -> PushRule:
    return PushRule(
        scopes=frozenset(map(Scope, rule.scopes)),
        ops=frozenset(map(Op, rule.operators)),
        literals=frozenset(map(LiteralType, rule.literals)),
        names=None if rule.names is None else frozenset(rule.names),
        exact=rule.exact,
    )


def _of_trace(document: wire.WholeTrace) -> Candidate:
    spans = spans_of(document.resource_spans)
    if len({span.trace_id for span in spans}) != 1:
        raise BadResponse(Notice("%(path)s: an entry of traces holds one trace with its spans.", path=SEARCH))
    trace = Trace(spans[0].trace_id, spans)
    return Candidate(trace.trace_id, trace.start, trace=trace)


def _of_summary(told: wire.Summary) -> Candidate:
    if told.matched < max(1, len(told.spans)):
        raise BadResponse(Notice("%(path)s: matched is less than the spans that are listed.", path=SEARCH))
    hit = TraceHit(
        trace_id=_trace_id(told.trace_id),
        start=_number(told.start, SEARCH),
        duration=_number(told.duration, SEARCH),
        root_service=told.root_service,
        root_name=told.root_name,
        matched=told.matched,
        spans=tuple(sorted(map(_span, told.spans), key=lambda span: (span.start, span.span_id))),
        span_count=told.span_count,
        error_count=told.error_count,
        services={name: ServiceStats(one.span_count, one.error_count) for name, one in told.services.items()},
    )
    return Candidate(hit.trace_id, hit.start, hit)


def _span(told: wire.FoundSpan) -> MatchedSpan:
    return MatchedSpan(
        span_id=_span_id(told.span_id),
        start=_number(told.start, SEARCH),
        duration=_number(told.duration, SEARCH),
        name=told.name,
        service=told.service,
        status=None if told.status is None else _STATUS[told.status],
        attributes={pair.key: attribute_value(pair.value) for pair in told.attributes},
    )


def _trace_id(text: str) -> TraceId:
    try:
        return parse_trace_id(text)
    except ValueError as exc:
        raise BadResponse(Notice("%(path)s: a trace id is not an id.", path=SEARCH)) from exc


def _span_id(text: str) -> SpanId:
    try:
        return parse_span_id(text)
    except ValueError as exc:
        raise BadResponse(Notice("%(path)s: a span id is not an id.", path=SEARCH)) from exc


def _number(value: int | str, path: str) -> int:
    """Returns a 64-bit number that the server wrote as a number or as text."""
    if isinstance(value, str):
        digits = value.removeprefix("-")
        if not (digits.isascii() and digits.isdecimal() and len(digits) <= _MOST_DIGITS):
            raise BadResponse(Notice("%(path)s: a number is not a number.", path=path))
        value = int(value)
    if not 0 <= value <= _MAX_UINT64:
        raise BadResponse(Notice("%(path)s: a number is outside of 64 bits.", path=path))
    return value


def _warnings(told: Sequence[str]) -> tuple[str, ...]:
    """Returns what the server says is missing. It is the server's own sentence, cut to a line that steers nothing."""
    shown = (_printable(one)[:_LONGEST_WARNING] for one in told[:_MOST_WARNINGS])
    return tuple(Notice("The server says: %(warning)s", warning=one) for one in shown)


def _printable(text: str) -> str:
    return "".join(char for char in text if unicodedata.category(char)[0] != "C")
