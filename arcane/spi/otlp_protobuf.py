"""OTLP's protobuf bytes to spans.

The message is not parsed as one: its top level is walked field by field, and a large
ResourceSpans or ScopeSpans is walked too, so the parsed form of a trace of 50,000 spans never
stands in memory beside the spans made of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from sys import intern
from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope as ScopeMessage
from opentelemetry.proto.resource.v1.resource_pb2 import Resource as ResourceMessage
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage

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
from arcane.model.values import NO_ATTRIBUTES, Attributes, AttributeValue
from arcane.spi.errors import BadResponse

_WHOLE_BYTES = 256 * 1024  # a message up to this size is parsed in one piece
_KINDS = {kind.value: kind for kind in SpanKind}
_CODES = {code.value: code for code in StatusCode}
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_RESOURCE_SPANS = 1  # field of TracesData
_RESOURCE, _SCOPE_SPANS = 1, 2  # fields of ResourceSpans
_SCOPE, _SPANS = 1, 2  # fields of ScopeSpans


def decode_protobuf(body: bytes | memoryview) -> list[Span]:
    """Returns the spans of an OTLP TracesData message (or an export request: the same bytes), in its order."""
    spans: list[Span] = []
    trace_ids: dict[bytes, TraceId] = {}
    try:
        for number, value in protobuf_fields(memoryview(body)):
            if number == _RESOURCE_SPANS:
                _resource_spans(_bytes(value), trace_ids, spans)
    except DecodeError as exc:
        raise BadResponse("The answer is not OTLP protobuf.") from exc
    return spans


def protobuf_fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Yields field number and value of a message's top level: numbers for varints, views for everything else.

    Raises BadResponse where the bytes end early or are no protobuf.
    """
    position, end = 0, len(message)
    while position < end:
        tag, position = _varint(message, position)
        kind = tag & 7
        if kind == _VARINT:
            number, position = _varint(message, position)
            yield tag >> 3, number
            continue
        if kind == _BYTES:
            length, position = _varint(message, position)
        elif kind in (_FIXED64, _FIXED32):
            length = 8 if kind == _FIXED64 else 4
        else:
            raise BadResponse("The answer is not protobuf.")
        if position + length > end:
            raise BadResponse("The answer was cut off.")
        yield tag >> 3, message[position : position + length]
        position += length


def _varint(message: memoryview, position: int) -> tuple[int, int]:
    number = shift = 0
    while shift < 70:  # ten bytes of seven bits hold 64 bits
        try:
            byte = message[position]
        except IndexError as exc:
            raise BadResponse("The answer was cut off.") from exc
        position += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, position
        shift += 7
    raise BadResponse("The answer is not protobuf.")


def _bytes(value: int | memoryview) -> Any:
    """Any, because the runtime's FromString takes views and its types say bytes."""
    if isinstance(value, int):
        raise BadResponse("The answer is not OTLP protobuf.")
    return value


def _resource_spans(message: Any, trace_ids: dict[bytes, TraceId], into: list[Span]) -> None:
    if len(message) <= _WHOLE_BYTES:
        group = ResourceSpans.FromString(message)
        resource = _resource(group.resource)
        for scope_spans in group.scope_spans:
            scope = _scope(scope_spans.scope)
            into.extend([_span(span, trace_ids, resource, scope) for span in scope_spans.spans])
        return
    resource, parts = NO_RESOURCE, []
    for number, value in protobuf_fields(message):
        if number == _RESOURCE:
            resource = _resource(ResourceMessage.FromString(_bytes(value)))
        elif number == _SCOPE_SPANS:
            parts.append(_bytes(value))
    for part in parts:
        _scope_spans(part, resource, trace_ids, into)


def _scope_spans(message: Any, resource: Resource, trace_ids: dict[bytes, TraceId], into: list[Span]) -> None:
    if len(message) <= _WHOLE_BYTES:
        group = ScopeSpans.FromString(message)
        scope = _scope(group.scope)
        into.extend([_span(span, trace_ids, resource, scope) for span in group.spans])
        return
    scope, parts = NO_SCOPE, []
    for number, value in protobuf_fields(message):
        if number == _SCOPE:
            scope = _scope(ScopeMessage.FromString(_bytes(value)))
        elif number == _SPANS:
            parts.append(_bytes(value))
    into.extend([_span(SpanMessage.FromString(part), trace_ids, resource, scope) for part in parts])


# Messages of the protobuf runtime are typed Any below: attribute access on them is the hot
# path, and the generated classes carry no types that mypy could check without their stubs.
def _resource(message: Any) -> Resource:
    return Resource(_attributes(message.attributes)) if message.attributes else NO_RESOURCE


def _scope(message: Any) -> InstrumentationScope:
    name, version, pairs = message.name, message.version, message.attributes
    if not (name or version or pairs):
        return NO_SCOPE
    return InstrumentationScope(name, version, _attributes(pairs))


def _span(message: Any, trace_ids: dict[bytes, TraceId], resource: Resource, scope: InstrumentationScope) -> Span:
    raw_id = message.trace_id
    trace_id = trace_ids.get(raw_id)
    if trace_id is None:
        trace_id = trace_ids[raw_id] = TraceId(_required_id(raw_id, 16))
    status, events, links = message.status, message.events, message.links
    return Span(
        trace_id,
        SpanId(_required_id(message.span_id, 8)),
        _id(message.parent_span_id, 8),
        intern(message.name),
        _KINDS.get(message.kind, SpanKind.UNSPECIFIED),
        message.start_time_unix_nano,
        message.end_time_unix_nano,
        _CODES.get(status.code, StatusCode.UNSET),
        status.message,
        _attributes(message.attributes),
        tuple([_event(event) for event in events]) if events else (),
        tuple([_link(link) for link in links]) if links else (),
        resource,
        scope,
        message.trace_state,
        message.flags,
        message.dropped_attributes_count,
        message.dropped_events_count,
        message.dropped_links_count,
    )


def _event(message: Any) -> SpanEvent:
    return SpanEvent(
        message.name, message.time_unix_nano, _attributes(message.attributes), message.dropped_attributes_count
    )


def _link(message: Any) -> SpanLink:
    return SpanLink(
        TraceId(_id(message.trace_id, 16)),
        SpanId(_id(message.span_id, 8)),
        message.trace_state,
        _attributes(message.attributes),
        message.dropped_attributes_count,
    )


def _attributes(pairs: Any) -> Attributes:
    found: Attributes = {}
    for pair in pairs:
        value = pair.value
        # Most attributes are texts and numbers that are not empty: one read tells, where asking for the kind is two.
        if text := value.string_value:
            found[intern(pair.key)] = text
        elif number := value.int_value:
            found[intern(pair.key)] = number
        else:
            found[intern(pair.key)] = _value(value)
    return found or NO_ATTRIBUTES


def _value(message: AnyValue) -> AttributeValue:
    kind = message.WhichOneof("value")
    if kind == "array_value":
        return [_value(item) for item in message.array_value.values]
    if kind == "kvlist_value":
        return {pair.key: _value(pair.value) for pair in message.kvlist_value.values}
    scalar: AttributeValue = getattr(message, kind) if kind else None
    return scalar


def _required_id(raw: bytes, size: int) -> str:
    text = _id(raw, size)
    if not text:
        raise BadResponse("A trace or span id is not an id.")
    return text


def _id(raw: bytes, size: int) -> str:
    """Returns the id as hex at full length, "" where it is empty or all zeros; Tempo cuts leading zeros of some."""
    if len(raw) > size:
        raise BadResponse("A trace or span id is not an id.")
    text = raw.hex()
    if not text.strip("0"):
        return ""
    return text if len(raw) == size else text.rjust(2 * size, "0")
