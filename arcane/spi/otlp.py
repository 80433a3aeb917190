"""OTLP in and out: JSON and protobuf bytes to spans (`otlp_json`, `otlp_protobuf`), spans to OTLP JSON.

Every decoder raises BadResponse for bytes that are not what OTLP says, and normalises what
producers spell differently: ids are lower-case hex at full length, a parent id that is empty
or all zeros is "", unknown enum values are the unset ones.
"""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Iterable, Iterator
from importlib import import_module

import msgspec

from arcane.model.ids import TraceId
from arcane.model.span import InstrumentationScope, Resource, Span
from arcane.model.trace import Trace
from arcane.model.values import Attributes, AttributeValue
from arcane.spi import otlp_wire as wire
from arcane.spi.otlp_json import attribute_value, decode_json, spans_of

__all__ = [
    "attribute_value",
    "decode_json",
    "decode_protobuf",
    "encode_json",
    "encoded_attributes",
    "spans_of",
    "traces_of",
]

_ENCODER = msgspec.json.Encoder()


def decode_protobuf(body: bytes | memoryview) -> list[Span]:
    """Returns the spans of an OTLP TracesData message (or an export request: the same bytes), in its order."""
    decoder = import_module("arcane.spi.otlp_protobuf")  # brings the runtime of protobuf, which few backends speak
    spans: list[Span] = decoder.decode_protobuf(body)
    return spans


def traces_of(spans: Iterable[Span]) -> list[Trace]:
    """Returns the spans as traces, in the order in which their ids were first seen."""
    groups: dict[TraceId, list[Span]] = {}
    for span in spans:
        group = groups.get(span.trace_id)
        if group is None:
            group = groups[span.trace_id] = []
        group.append(span)
    return [Trace(trace_id, members) for trace_id, members in groups.items()]


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
