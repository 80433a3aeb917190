"""Spans in the shapes that Tempo writes: protobuf, and JSON with its rules about what is left out."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, TracesData
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage

from arcane.model.span import Span
from arcane.model.trace import Trace
from arcane.model.values import Attributes, AttributeValue
from arcane.traceql.ast import Field, Scope
from arcane.traceql.hits import hit_of

_NOT_LISTED = frozenset({"name", "duration", "traceDuration", "rootName", "rootServiceName", "trace:id", "span:id"})


def traces_data(spans: Iterable[Span]) -> bytes:
    """Returns the spans as an OTLP TracesData message, grouped by resource and scope."""
    data = TracesData()
    groups: dict[int, ResourceSpans] = {}
    scopes: dict[tuple[int, int], ScopeSpans] = {}
    for span in spans:
        group = groups.get(id(span.resource))
        if group is None:
            group = groups[id(span.resource)] = data.resource_spans.add()
            # Tempo gives resource attributes back in alphabetical order.
            group.resource.attributes.extend(_pairs(dict(sorted(span.resource.attributes.items()))))
        key = (id(span.resource), id(span.scope))
        scope = scopes.get(key)
        if scope is None:
            scope = scopes[key] = group.scope_spans.add()
            scope.scope.name, scope.scope.version = span.scope.name, span.scope.version
            scope.scope.attributes.extend(_pairs(span.scope.attributes))
        _fill(scope.spans.add(), span)
    return data.SerializeToString()


def trace_response(spans: Sequence[Span], *, partial: bytes = b"") -> bytes:
    """Returns the spans as Tempo's TraceByIDResponse; with `partial`, the message that says why."""
    data = traces_data(spans)
    body = b"\x0a" + _varint(len(data)) + data + b"\x12\x00"
    return body + b"\x18\x01\x22" + _varint(len(partial)) + partial if partial else body


def search_trace(trace: Trace, matched: Sequence[Span], fields: Sequence[Field], spss: int) -> dict[str, Any]:
    """Returns a trace of /api/search's answer."""
    hit = hit_of(trace, matched, (), 0)
    names = any(field == Field(Scope.INTRINSIC, "name") for field in fields)
    shown = [field for field in fields if field.scope is not Scope.INTRINSIC or field.name not in _NOT_LISTED]
    kept = hit_of(trace, matched, shown, spss).spans
    span_set = {"spans": [_search_span(trace.by_id[one.span_id], one.attributes, names) for one in kept]}
    found: dict[str, Any] = {
        "traceID": trace.trace_id.lstrip("0"),
        "rootServiceName": "<root span not yet received>" if trace.root is None else hit.root_service,
        "rootTraceName": hit.root_name or "",
        "startTimeUnixNano": str(trace.start),
        "durationMs": trace.duration // 1_000_000,
        "spanSet": span_set | {"matched": len(matched)},
        "spanSets": [span_set | {"matched": len(matched)}],
        "serviceStats": {
            name: _without_zeros({"spanCount": stats.span_count, "errorCount": stats.error_count})
            for name, stats in hit.services.items()
        },
    }
    return _without_zeros(found)


def _search_span(span: Span, attributes: Attributes, named: bool) -> dict[str, Any]:
    found = {
        "spanID": span.span_id,
        "name": span.name if named else "",
        "startTimeUnixNano": str(span.start),
        "durationNanos": str(span.duration) if span.duration else "",
        "attributes": [{"key": key, "value": json_value(value)} for key, value in attributes.items()],
    }
    return _without_zeros(found)


def json_value(value: AttributeValue) -> dict[str, Any]:
    """Returns an AnyValue as gogo's jsonpb writes it."""
    match value:
        case str():
            return {"stringValue": value}
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": int(value) if value.is_integer() else value}
        case bytes():
            return {"bytesValue": b64encode(value).decode()}
        case list():
            return {"arrayValue": {"values": [json_value(one) for one in value]} if value else {}}
        case dict():
            pairs = [{"key": key, "value": json_value(one)} for key, one in value.items()]
            return {"kvlistValue": {"values": pairs} if pairs else {}}
    return {}


def _without_zeros(found: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in found.items() if value not in (0, "", [], {})}


def _fill(message: SpanMessage, span: Span) -> None:
    message.trace_id, message.span_id = bytes.fromhex(span.trace_id), bytes.fromhex(span.span_id)
    message.parent_span_id = bytes.fromhex(span.parent_span_id)
    message.name, message.kind, message.trace_state = span.name, span.kind.value, span.trace_state
    message.start_time_unix_nano, message.end_time_unix_nano = span.start, span.end
    message.status.code, message.status.message = span.status.value, span.status_message
    message.attributes.extend(_pairs(span.attributes))
    message.flags, message.dropped_attributes_count = span.flags, span.dropped_attributes
    message.dropped_events_count, message.dropped_links_count = span.dropped_events, span.dropped_links
    for event in span.events:
        message.events.add(
            name=event.name,
            time_unix_nano=event.time,
            attributes=_pairs(event.attributes),
            dropped_attributes_count=event.dropped_attributes,
        )
    for link in span.links:
        message.links.add(
            trace_id=bytes.fromhex(link.trace_id),
            span_id=bytes.fromhex(link.span_id),
            trace_state=link.trace_state,
            attributes=_pairs(link.attributes),
            dropped_attributes_count=link.dropped_attributes,
        )


def _pairs(attributes: Attributes) -> list[KeyValue]:
    return [KeyValue(key=key, value=_any_value(value)) for key, value in attributes.items()]


def _any_value(value: AttributeValue) -> AnyValue:
    found = AnyValue()
    match value:
        case str():
            found.string_value = value
        case bool():
            found.bool_value = value
        case int():
            found.int_value = value
        case float():
            found.double_value = value
        case bytes():
            found.bytes_value = value
        case list():
            found.array_value.SetInParent()
            found.array_value.values.extend(_any_value(one) for one in value)
        case dict():
            found.kvlist_value.SetInParent()
            found.kvlist_value.values.extend(_pairs(value))
    return found


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)
