"""Tempo's answers to Arcane's words. Pure: bytes in, values out; BadResponse where the bytes are not Tempo's."""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter
from typing import TypeVar

import msgspec

from arcane.spi import (
    NANOS_PER_MILLISECOND,
    AttributeName,
    AttributeValue,
    AttributeValueCount,
    BadResponse,
    Candidate,
    Field,
    MatchedSpan,
    Notice,
    Scope,
    ServiceStats,
    SpanId,
    StatusCode,
    Trace,
    TraceHit,
    TraceId,
    decode_protobuf,
    parse_span_id,
    parse_trace_id,
)
from arcane.spi.otlp import attribute_value
from arcane.spi.protobuf import protobuf_fields
from datasources.tempo import wire

T = TypeVar("T")

_BY_START = attrgetter("start", "span_id")
_NO_ROOT = ("", "<root span not yet received>")
"""What stands for the root of a trace that has none: the service, or in some versions the name, says so."""
_STATUS = {code.word: code for code in StatusCode}
_TRACE, _STATUS_FIELD, _MESSAGE = 1, 3, 4  # fields of TraceByIDResponse
_PARTIAL = 1


class Found(msgspec.Struct, frozen=True):
    """What a search found; `finished` is False when Tempo says that it left parts of its store unread."""

    candidates: tuple[Candidate, ...]
    finished: bool


# Not strict: Tempo writes 64-bit numbers as text, and the decoder reads them faster than we do.
_search = msgspec.json.Decoder(wire.Search, strict=False)
_span_set = msgspec.json.Decoder(wire.SpanSet | None, strict=False)
_attributes = msgspec.json.Decoder(wire.Attributes | None)
_tags = msgspec.json.Decoder(wire.Tags)
_tags_v1 = msgspec.json.Decoder(wire.TagsV1)
_values = msgspec.json.Decoder(wire.Values)
_values_v1 = msgspec.json.Decoder(wire.ValuesV1)
_build = msgspec.json.Decoder(wire.Build)


def decode_search(body: bytes, hidden: frozenset[str]) -> Found:
    """Returns the hits of a search. `hidden` are attributes that were selected for our own use: they are
    read (service, status) and not passed on.
    """
    answer = _read(_search, body)
    metrics = answer.metrics
    finished = answer.status in ("", "COMPLETE") and metrics.completed_jobs >= metrics.total_jobs
    shown = _Shown(hidden)
    return Found(tuple([_candidate(trace, shown) for trace in answer.traces]), finished)


def decode_trace_v2(body: bytes, trace_id: TraceId) -> Trace | None:
    """Returns the trace of a TraceByIDResponse, with a warning where Tempo calls it partial; None where it has none."""
    spans: bytes | memoryview = b""
    partial, message = False, b""
    for number, value in protobuf_fields(memoryview(body)):
        if number == _TRACE and isinstance(value, memoryview):
            # Read in place, a large trace is not copied; repeated fields of one message merge.
            spans = value if not spans else b"".join((spans, value))
        elif number == _STATUS_FIELD:
            partial = value == _PARTIAL
        elif number == _MESSAGE and isinstance(value, memoryview):
            message = value.tobytes()
    return _trace(spans, trace_id, (_why_partial(message),) if partial else ())


def decode_trace_v1(body: bytes, trace_id: TraceId) -> Trace | None:
    """Returns the trace of Tempo's first trace API, whose protobuf is OTLP's."""
    return _trace(body, trace_id, ())


def decode_names(body: bytes, prefix: str) -> list[AttributeName]:
    """Returns attribute names of the second tags API; intrinsics are the language's own and left out."""
    known = {scope.value: scope for scope in (Scope.SPAN, Scope.RESOURCE, Scope.EVENT, Scope.LINK)}
    known["instrumentation"] = Scope.INSTRUMENTATION
    return _sorted(
        (tag, known[scope.name])
        for scope in _read(_tags, body).scopes
        if scope.name in known
        for tag in scope.tags
        if tag.startswith(prefix)
    )


def decode_names_v1(body: bytes, scope: Scope, prefix: str) -> list[AttributeName]:
    """Returns attribute names of the first tags API, which was asked for one scope."""
    return _sorted((tag, scope) for tag in _read(_tags_v1, body).tag_names if tag.startswith(prefix))


def decode_values(body: bytes, field: Field, prefix: str) -> list[AttributeValueCount]:
    """Returns values of the second values API. Of `status` and `kind` only the keywords: Tempo adds their numbers."""
    keywords = field.scope is Scope.INTRINSIC and field.name in ("status", "kind")
    return [
        AttributeValueCount(item.type, _typed(item))
        for item in _read(_values, body).tag_values
        if item.value.startswith(prefix) and item.value and (not keywords or item.type == "keyword")
    ]


def decode_values_v1(body: bytes, prefix: str) -> list[AttributeValueCount]:
    """Returns values of the first values API, which knows no types."""
    return [
        AttributeValueCount("string", value)
        for value in _read(_values_v1, body).tag_values
        if value and value.startswith(prefix)
    ]


def decode_version(body: bytes) -> str | None:
    """Returns the version that Tempo was built as, or None where the build does not say."""
    return _read(_build, body).version or None


def _read(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
        raise BadResponse("The answer is not what Tempo's API gives; is there something else at this address?") from exc


def _candidate(trace: wire.Trace, shown: _Shown) -> Candidate:
    spans: list[MatchedSpan] = []
    matched = 0
    span_sets = trace.span_sets or _only_span_set(trace)
    for span_set in span_sets:
        matched += span_set.matched
        spans += [shown.span(span) for span in span_set.spans]
    if len(span_sets) > 1:  # a span may have matched in several ways
        spans = list({span.span_id: span for span in reversed(spans)}.values())
    spans.sort(key=_BY_START)
    stats: dict[str, ServiceStats] = {}
    span_count = error_count = 0
    for name, service in trace.service_stats.items():
        stats[name] = ServiceStats(service.span_count, service.error_count)
        span_count += service.span_count
        error_count += service.error_count
    rootless = trace.root_service_name in _NO_ROOT and trace.root_trace_name in _NO_ROOT
    hit = TraceHit(
        trace_id=_trace_id(trace.trace_id),
        start=trace.start_time_unix_nano,
        duration=trace.duration_ms * NANOS_PER_MILLISECOND,
        root_service=None if rootless else trace.root_service_name,
        root_name=None if rootless else trace.root_trace_name,
        matched=matched,
        spans=tuple(spans),
        span_count=span_count if stats else None,
        error_count=error_count if stats else None,
        services=stats,
    )
    return Candidate(hit.trace_id, hit.start, hit)


def _only_span_set(trace: wire.Trace) -> list[wire.SpanSet]:
    found = _read(_span_set, bytes(trace.span_set)) if trace.span_set else None
    return [] if found is None else [found]


class _Shown:
    """What is shown of a matched span; attributes that come again are read once."""

    def __init__(self, hidden: frozenset[str]) -> None:
        self._hidden = hidden
        self._known: dict[bytes, tuple[str | None, StatusCode | None, dict[str, AttributeValue]]] = {}

    def span(self, span: wire.Span) -> MatchedSpan:
        raw = bytes(span.attributes)
        known = self._known.get(raw)
        if known is None:
            known = self._known[raw] = self._read(raw)
        service, status, attributes = known
        return MatchedSpan(
            _span_id(span.span_id),
            span.start_time_unix_nano,
            span.duration_nanos,
            span.name,
            service,
            status,
            attributes.copy(),
        )

    def _read(self, raw: bytes) -> tuple[str | None, StatusCode | None, dict[str, AttributeValue]]:
        pairs = (_read(_attributes, raw) or ()) if raw else ()
        attributes = {pair.key: attribute_value(pair.value) for pair in pairs}
        service, status = attributes.get("service.name"), attributes.get("status")
        return (
            service if isinstance(service, str) else None,
            _STATUS.get(status) if isinstance(status, str) else None,
            {key: value for key, value in attributes.items() if key not in self._hidden},
        )


def _trace(spans: bytes | memoryview, trace_id: TraceId, warnings: tuple[str, ...]) -> Trace | None:
    found = [span for span in decode_protobuf(spans) if span.trace_id == trace_id]
    return Trace(trace_id, found, warnings) if found else None


def _why_partial(message: bytes) -> str:
    """Says it in our words: a backend's text is not shown, it may quote anything."""
    if b"max size" in message or b"exceeds" in message:
        return Notice("Tempo cut this trace: it is over the tenant's largest trace size.")
    return Notice("Tempo returned only a part of this trace.")


def _sorted(names: Iterable[tuple[str, Scope]]) -> list[AttributeName]:
    return [AttributeName(Field(scope, name)) for name, scope in sorted(set(names))]


def _typed(item: wire.Value) -> str | int | float | bool:
    try:
        match item.type:
            case "int":
                return int(item.value)
            case "float":
                return float(item.value)
            case "bool":
                return item.value == "true"
    except ValueError as exc:
        raise BadResponse("A value of Tempo's is not of the type it says.") from exc
    return item.value


def _trace_id(text: str) -> TraceId:
    try:
        return parse_trace_id(text)
    except ValueError as exc:
        raise BadResponse("A trace id of Tempo's is not an id.") from exc


def _span_id(text: str) -> SpanId:
    try:
        return parse_span_id(text)
    except ValueError as exc:
        raise BadResponse("A span id of Tempo's is not an id.") from exc
