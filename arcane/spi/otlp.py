"""OTLP in and out: JSON and protobuf bytes to spans, spans to OTLP JSON.

Every decoder raises BadResponse for bytes that are not what OTLP says, and normalises what
producers spell differently: ids are lower-case hex at full length, a parent id that is empty
or all zeros is "", unknown enum values are the unset ones.
"""

from __future__ import annotations

import math
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterable, Iterator, Sequence
from sys import intern
from typing import NoReturn

import msgspec

from arcane.model.ids import SpanId, TraceId
from arcane.model.span import (
    NO_RESOURCE,
    NO_SCOPE,
    InstrumentationScope,
    Resource,
    Span,
    SpanEvent,
    SpanKind,
    SpanLink,
    StatusCode,
)
from arcane.model.trace import Trace
from arcane.model.values import NO_ATTRIBUTES, Attributes, AttributeValue
from arcane.spi import otlp_wire as wire
from arcane.spi.errors import BadResponse
from arcane.spi.otlp_protobuf import decode_protobuf, protobuf_fields

__all__ = [
    "attribute_value",
    "decode_json",
    "decode_protobuf",
    "encode_json",
    "encoded_attributes",
    "protobuf_fields",
    "spans_of",
    "traces_of",
]

_DECODER = msgspec.json.Decoder(wire.TracesDocument)
_ENCODER = msgspec.json.Encoder()
_MAX_UINT64 = (1 << 64) - 1
_MIN_INT64, _MAX_INT64 = -(1 << 63), (1 << 63) - 1
_KINDS: dict[int | str, SpanKind] = {
    **{kind.value: kind for kind in SpanKind},
    **{f"SPAN_KIND_{kind.name}": kind for kind in SpanKind},
}
_CODES: dict[int | str, StatusCode] = {
    **{code.value: code for code in StatusCode},
    **{f"STATUS_CODE_{code.name}": code for code in StatusCode},
}
_UNSET = wire.WireStatus()


def decode_json(body: bytes | bytearray | memoryview) -> list[Span]:
    """Returns the spans of an OTLP JSON document (`resourceSpans`, or `batches`), in the order of the document."""
    try:
        document = _DECODER.decode(body)
        return spans_of([*document.resource_spans, *document.batches])
    except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
        raise BadResponse("The answer is not OTLP JSON.") from exc
    except RecursionError as exc:
        raise BadResponse("An attribute is nested too deeply.") from exc


def spans_of(resource_spans: Sequence[wire.ResourceSpans]) -> list[Span]:
    """Returns the spans of typed OTLP JSON, for answers that wrap the document in something of their own."""
    found: list[Span] = []
    trace_ids: dict[str, TraceId] = {}
    for group in resource_spans:
        resource = Resource(_attributes(group.resource.attributes)) if group.resource else NO_RESOURCE
        for scope_spans in group.scope_spans:
            scope = _scope(scope_spans.scope)
            for span in scope_spans.spans:
                trace_id = trace_ids.get(span.trace_id)
                if trace_id is None:
                    trace_id = trace_ids[span.trace_id] = TraceId(_required_id(span.trace_id, 16))
                found.append(_span(span, trace_id, resource, scope))
    return found


def traces_of(spans: Iterable[Span]) -> list[Trace]:
    """Returns the spans as traces, in the order in which their ids were first seen."""
    groups: dict[TraceId, list[Span]] = {}
    for span in spans:
        groups.setdefault(span.trace_id, []).append(span)
    return [Trace(trace_id, members) for trace_id, members in groups.items()]


def _span(span: wire.WireSpan, trace_id: TraceId, resource: Resource, scope: InstrumentationScope) -> Span:
    status = span.status or _UNSET
    return Span(
        trace_id,
        SpanId(_required_id(span.span_id, 8)),
        _id(span.parent_span_id, 8),
        intern(span.name),
        _KINDS.get(span.kind, SpanKind.UNSPECIFIED),
        _nanos(span.start_time_unix_nano),
        _nanos(span.end_time_unix_nano),
        _CODES.get(status.code, StatusCode.UNSET),
        status.message,
        _attributes(span.attributes),
        tuple([_event(event) for event in span.events]) if span.events else (),
        tuple([_link(link) for link in span.links]) if span.links else (),
        resource,
        scope,
        span.trace_state,
        span.flags,
        span.dropped_attributes_count,
        span.dropped_events_count,
        span.dropped_links_count,
    )


def _scope(scope: wire.WireScope | None) -> InstrumentationScope:
    if scope is None or not (scope.name or scope.version or scope.attributes):
        return NO_SCOPE
    return InstrumentationScope(scope.name, scope.version, _attributes(scope.attributes))


def _event(event: wire.WireEvent) -> SpanEvent:
    return SpanEvent(
        event.name, _nanos(event.time_unix_nano), _attributes(event.attributes), event.dropped_attributes_count
    )


def _link(link: wire.WireLink) -> SpanLink:
    return SpanLink(
        TraceId(_id(link.trace_id, 16)),
        SpanId(_id(link.span_id, 8)),
        link.trace_state,
        _attributes(link.attributes),
        link.dropped_attributes_count,
    )


def _attributes(pairs: list[wire.KeyValue]) -> Attributes:
    if not pairs:
        return NO_ATTRIBUTES
    found: Attributes = {}
    for pair in pairs:
        value = pair.value
        # Most attributes are strings: one test for them instead of a call.
        if value is not None and value.string_value is not None:
            found[intern(pair.key)] = value.string_value
        else:
            found[intern(pair.key)] = attribute_value(value)
    return found


def attribute_value(value: wire.AnyValue | None) -> AttributeValue:
    """Returns an AnyValue of OTLP JSON in Python's types; None for one that has nothing set."""
    if value is None:
        return None
    if value.string_value is not None:
        return value.string_value
    if value.int_value is not None:
        return _int64(value.int_value)
    if value.double_value is not None:
        return _double(value.double_value)
    if value.bool_value is not None:
        return value.bool_value
    if value.array_value is not None:
        return [attribute_value(item) for item in value.array_value.values]
    if value.kvlist_value is not None:
        return {pair.key: attribute_value(pair.value) for pair in value.kvlist_value.values}
    if value.bytes_value is not None:
        return _base64(value.bytes_value)
    return None


def _nanos(value: int | str) -> int:
    number = value if type(value) is int else _int(value)
    if not 0 <= number <= _MAX_UINT64:
        raise BadResponse("A time is outside of 64 bits.")
    return number


def _int64(value: int | str) -> int:
    number = value if type(value) is int else _int(value)
    if not _MIN_INT64 <= number <= _MAX_INT64:
        raise BadResponse("An integer attribute is outside of 64 bits.")
    return number


def _int(value: int | str) -> int:
    try:
        return int(value)
    except ValueError as exc:
        raise BadResponse("A number is not a number.") from exc


def _double(value: float | str) -> float:
    try:
        return float(value)
    except ValueError as exc:
        raise BadResponse("A number is not a number.") from exc


def _base64(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (Base64Error, ValueError) as exc:
        raise BadResponse("A value is not base64.") from exc


def _required_id(text: str, size: int) -> str:
    return _id(text, size) or _bad_id()


def _id(text: str, size: int) -> str:
    """Returns `size` bytes as hex, or "" where the id is empty or all zeros. Hex and base64 differ in length."""
    length = len(text)
    if not length:
        return ""
    try:
        if length == 2 * size:
            raw = bytes.fromhex(text)
        elif text.endswith("="):
            raw = b64decode(text, validate=True)
        else:
            raw = bytes.fromhex(text.rjust(2 * size, "0"))
    except (Base64Error, ValueError):
        _bad_id()
    if len(raw) != size:
        _bad_id()
    digits = raw.hex()
    return digits if digits.strip("0") else ""


def _bad_id() -> NoReturn:
    raise BadResponse("A trace or span id is not an id.")


def encode_json(spans: Iterable[Span], *, chunk_bytes: int = 64 * 1024) -> Iterator[bytes]:
    """Yields an OTLP JSON document of the spans in pieces of about `chunk_bytes`.

    Spans that share a resource and a scope (the same object) are written together, so the
    document is as compact as what was read. Ids are hex, as the OTLP specification wants.
    """
    buffer = bytearray(b'{"resourceSpans":[')
    for index, (resource, scopes) in enumerate(_grouped(spans)):
        head = _ENCODER.encode(wire.WireResource(_pairs(resource.attributes)))
        buffer += (b"," if index else b"") + b'{"resource":' + head + b',"scopeSpans":['
        for position, (scope, members) in enumerate(scopes):
            named = _ENCODER.encode(wire.WireScope(scope.name, scope.version, _pairs(scope.attributes)))
            buffer += (b"," if position else b"") + b'{"scope":' + named + b',"spans":['
            for number, span in enumerate(members):
                buffer += (b"," if number else b"") + _ENCODER.encode(_wire_span(span))
                if len(buffer) >= chunk_bytes:
                    yield bytes(buffer)
                    buffer.clear()
            buffer += b"]}"
        buffer += b"]}"
    buffer += b"]}"
    yield bytes(buffer)


def _grouped(
    spans: Iterable[Span],
) -> Iterator[tuple[Resource, list[tuple[InstrumentationScope, list[Span]]]]]:
    groups: dict[int, dict[int, list[Span]]] = {}
    for span in spans:
        groups.setdefault(id(span.resource), {}).setdefault(id(span.scope), []).append(span)
    for scopes in groups.values():
        members = list(scopes.values())
        yield members[0][0].resource, [(spans[0].scope, spans) for spans in members]


def _wire_span(span: Span) -> wire.WireSpan:
    return wire.WireSpan(
        span.trace_id,
        span.span_id,
        span.trace_state,
        span.parent_span_id,
        span.flags,
        span.name,
        span.kind.value,
        str(span.start),
        str(span.end),
        _pairs(span.attributes),
        span.dropped_attributes,
        [
            wire.WireEvent(str(event.time), event.name, _pairs(event.attributes), event.dropped_attributes)
            for event in span.events
        ],
        span.dropped_events,
        [
            wire.WireLink(
                link.trace_id, link.span_id, link.trace_state, _pairs(link.attributes), link.dropped_attributes
            )
            for link in span.links
        ],
        span.dropped_links,
        wire.WireStatus(span.status.value, span.status_message),
    )


def _pairs(attributes: Attributes) -> list[wire.KeyValue]:
    return [wire.KeyValue(key, _any_value(value)) for key, value in attributes.items()]


def encoded_attributes(attributes: Attributes) -> list[wire.KeyValue]:
    """Returns attributes as OTLP spells them; msgspec encodes what comes back."""
    return _pairs(attributes)


def _any_value(value: AttributeValue) -> wire.AnyValue | None:
    match value:
        case None:
            return None
        case str():
            return wire.AnyValue(string_value=value)
        case bool():
            return wire.AnyValue(bool_value=value)
        case int():
            return wire.AnyValue(int_value=str(value))
        case float():
            return wire.AnyValue(double_value=value if math.isfinite(value) else _word_of(value))
        case bytes():
            return wire.AnyValue(bytes_value=b64encode(value).decode())
        case list():
            items = [_any_value(item) or wire.AnyValue() for item in value]
            return wire.AnyValue(array_value=wire.ArrayValue(items))
        case dict():
            return wire.AnyValue(kvlist_value=wire.KeyValueList(_pairs(value)))


def _word_of(value: float) -> str:
    """JSON has no NaN and no infinities; protobuf's JSON mapping names them."""
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"
