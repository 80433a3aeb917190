"""OTLP's protobuf bytes to spans.

The message is not parsed as one: its top level is walked field by field, and a large
ResourceSpans or ScopeSpans is walked too, so the parsed form of a trace of 50,000 spans never
stands in memory beside the spans made of it. What spans have in common (resources, scopes, short
attributes) is made once and shared: backends repeat a resource with every batch it sent.
"""

from __future__ import annotations

from sys import intern
from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope as ScopeMessage
from opentelemetry.proto.resource.v1.resource_pb2 import Resource as ResourceMessage
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage
from opentelemetry.proto.trace.v1.trace_pb2 import Status as StatusMessage

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
from arcane.spi.otlp_lean import LeanEvent, LeanResourceSpans, LeanScopeSpans, LeanSpan
from arcane.spi.protobuf import protobuf_fields

_WHOLE_BYTES = 256 * 1024  # a message up to this size is parsed in one piece
_KINDS = {kind.value: kind for kind in SpanKind}
_CODES = {code.value: code for code in StatusCode}
_RESOURCE_SPANS = 1  # field of TracesData
_RESOURCE, _SCOPE_SPANS = 1, 2  # fields of ResourceSpans
_SCOPE, _SPANS = 1, 2  # fields of ScopeSpans
_UNSPECIFIED = SpanKind.UNSPECIFIED  # reading a member of an enum takes a call in Python 3.11
_UNSET = (StatusCode.UNSET, "")
_SHORT_BYTES = 160  # an attribute up to this size is remembered
_MOST_REMEMBERED = 16_384
_KEY = b"\x0a"  # what stands before the key of an attribute
_TEXT_HEADS = [bytes((0x12, max(0, rest - 2), 0x0A, max(0, rest - 4))) for rest in range(0x80)]
"""What stands before a text that is an attribute's value, by how many bytes are left: value, length, text, length."""
_NO_ID = bytes(8)


def decode_protobuf(body: bytes | memoryview) -> list[Span]:
    """Returns the spans of an OTLP TracesData message (or an export request: the same bytes), in its order."""
    reader = _Reader()
    try:
        for number, value in protobuf_fields(memoryview(body)):
            if number == _RESOURCE_SPANS:
                reader.resource_spans(_bytes(value))
    except (DecodeError, UnicodeDecodeError) as exc:
        raise BadResponse("The answer is not OTLP protobuf.") from exc
    return reader.spans


def _bytes(value: int | memoryview) -> Any:
    """Any, because the runtime's FromString takes views and its types say bytes."""
    if isinstance(value, int):
        raise BadResponse("The answer is not OTLP protobuf.")
    return value


# Messages of the protobuf runtime are typed Any below: attribute access on them is the hot
# path, and the generated classes carry no types that mypy could check without their stubs.
class _Reader:
    """Reads the parts of one message into `spans`; what comes again is the same object."""

    __slots__ = ("_attributes", "_resources", "_scopes", "_statuses", "_trace_ids", "spans")

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self._trace_ids: dict[bytes, TraceId] = {}
        self._resources: dict[bytes, Resource] = {}
        self._scopes: dict[bytes, InstrumentationScope] = {}
        self._statuses: dict[bytes, tuple[StatusCode, str]] = {b"": _UNSET}
        self._attributes: dict[bytes, tuple[str, AttributeValue]] = {}

    def resource_spans(self, message: Any) -> None:
        if len(message) <= _WHOLE_BYTES:
            group = LeanResourceSpans.FromString(message)
            resource = self._resource(group.resource)
            for scope_spans in group.scope_spans:
                scope = self._scope(scope_spans.scope)
                self.spans.extend([self._span(span, resource, scope) for span in scope_spans.spans])
            return
        raw, parts = b"", []
        for number, value in protobuf_fields(message):
            if number == _RESOURCE:
                raw += _bytes(value)  # repeated fields of one message merge
            elif number == _SCOPE_SPANS:
                parts.append(_bytes(value))
        resource = self._resource(raw)
        for part in parts:
            self._scope_spans(part, resource)

    def _scope_spans(self, message: Any, resource: Resource) -> None:
        if len(message) <= _WHOLE_BYTES:
            group = LeanScopeSpans.FromString(message)
            scope = self._scope(group.scope)
            self.spans.extend([self._span(span, resource, scope) for span in group.spans])
            return
        raw, parts = b"", []
        for number, value in protobuf_fields(message):
            if number == _SCOPE:
                raw += _bytes(value)
            elif number == _SPANS:
                parts.append(_bytes(value))
        scope = self._scope(raw)
        self.spans.extend([self._span(LeanSpan.FromString(part), resource, scope) for part in parts])

    def _resource(self, raw: bytes) -> Resource:
        known = self._resources.get(raw)
        if known is None:
            pairs = ResourceMessage.FromString(raw).attributes
            known = self._resources[raw] = Resource(_attributes(pairs)) if pairs else NO_RESOURCE
        return known

    def _scope(self, raw: bytes) -> InstrumentationScope:
        known = self._scopes.get(raw)
        if known is None:
            known = self._scopes[raw] = _scope(ScopeMessage.FromString(raw))
        return known

    def _span(self, message: Any, resource: Resource, scope: InstrumentationScope) -> Span:
        known = self._attributes
        attributes: Attributes = {}
        for raw in message.attributes:
            key, value = known.get(raw) or self._attribute(raw)
            attributes[key] = value
        trace_id, own, parent = message.trace_id, message.span_id, message.parent_span_id
        # What nearly every id is, is read in place: a call costs more than what it does, also that of a NewType.
        span_id: Any = own.hex() if len(own) == 8 and own != _NO_ID else _required_id(own, 8)
        parent_id: Any = parent.hex() if len(parent) == 8 and parent != _NO_ID else _id(parent, 8)
        status, events, links = message.status, message.events, message.links
        code, text = self._statuses.get(status) or self._status(status)
        return Span(
            self._trace_ids.get(trace_id) or self._trace_id(trace_id),
            span_id,
            parent_id,
            intern(message.name),
            _KINDS.get(message.kind, _UNSPECIFIED),
            message.start_time_unix_nano,
            message.end_time_unix_nano,
            code,
            text,
            attributes or NO_ATTRIBUTES,
            tuple([self._event(LeanEvent.FromString(event)) for event in events]) if events else (),
            tuple([_link(SpanMessage.Link.FromString(link)) for link in links]) if links else (),
            resource,
            scope,
            message.trace_state,
            message.flags,
            message.dropped_attributes_count,
            message.dropped_events_count,
            message.dropped_links_count,
        )

    def _event(self, message: Any) -> SpanEvent:
        known = self._attributes
        attributes: Attributes = {}
        for raw in message.attributes:
            key, value = known.get(raw) or self._attribute(raw)
            attributes[key] = value
        return SpanEvent(
            intern(message.name),
            message.time_unix_nano,
            attributes or NO_ATTRIBUTES,
            message.dropped_attributes_count,
        )

    def _trace_id(self, raw: bytes) -> TraceId:
        trace_id = self._trace_ids[raw] = TraceId(_required_id(raw, 16))
        return trace_id

    def _status(self, raw: bytes) -> tuple[StatusCode, str]:
        message: Any = StatusMessage.FromString(raw)
        status = self._statuses[raw] = (_CODES.get(message.code, StatusCode.UNSET), message.message)
        return status

    def _attribute(self, raw: bytes) -> tuple[str, AttributeValue]:
        pair = _short_text(raw) or _pair(KeyValue.FromString(raw))
        if len(raw) <= _SHORT_BYTES and len(self._attributes) < _MOST_REMEMBERED and not _may_change(pair[1]):
            self._attributes[raw] = pair
        return pair


def _may_change(value: AttributeValue) -> bool:
    """True for lists and maps, which are never shared between spans."""
    return isinstance(value, list | dict)


def _short_text(raw: bytes) -> tuple[str, str] | None:
    """Returns an attribute that is one short key and one short text, as most are; None for any other shape.

    The four bytes behind the key say what follows and how long it is; of a length there is one right spelling.
    """
    size = len(raw)
    if not 6 <= size <= 0x7F or raw[:1] != _KEY:
        return None
    at = 2 + raw[1]
    if at + 4 > size or raw[at : at + 4] != _TEXT_HEADS[size - at]:
        return None
    return intern(raw[2:at].decode()), raw[at + 4 :].decode()


def _pair(message: Any) -> tuple[str, AttributeValue]:
    return intern(message.key), _value(message.value)


def _scope(message: Any) -> InstrumentationScope:
    name, version, pairs = message.name, message.version, message.attributes
    if not (name or version or pairs):
        return NO_SCOPE
    return InstrumentationScope(name, version, _attributes(pairs))


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
