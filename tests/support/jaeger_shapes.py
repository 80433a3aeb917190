"""A trace in the words of Jaeger's own model: tags, references, processes; and as the JSON of its first API."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Any

from arcane.model.span import Span, SpanEvent, SpanKind, StatusCode
from arcane.model.trace import Trace
from arcane.model.values import Attributes, AttributeValue

_SAFE_INTEGER = 2**53


def text_of(value: AttributeValue) -> str:
    """Returns a value as Jaeger compares it."""
    match value:
        case bool():
            return "true" if value else "false"
        case list() | dict():
            return json.dumps(value, separators=(",", ":"))
        case float():
            return f"{value:g}"
    return str(value)


def tags_of(span: Span) -> Attributes:
    """Returns the tags of a span: its attributes, and what OTLP has fields for."""
    found: Attributes = {}
    if span.scope.name:
        found["otel.scope.name"] = span.scope.name
    if span.scope.version:
        found["otel.scope.version"] = span.scope.version
    found |= span.attributes
    if span.kind is not SpanKind.UNSPECIFIED:
        found["span.kind"] = span.kind.word
    if span.status is StatusCode.ERROR:
        found["error"] = True
    if span.status is not StatusCode.UNSET:
        found["otel.status_code"] = span.status.name
    if span.status_message:
        found["otel.status_description"] = span.status_message
    if span.trace_state:
        found["w3c.tracestate"] = span.trace_state
    return found


def fields_of(event: SpanEvent) -> Attributes:
    """Returns the fields of a log."""
    return {"event": event.name, **event.attributes} if event.name else dict(event.attributes)


def process_tags_of(span: Span) -> Attributes:
    """Returns the tags of a process: the resource without its service."""
    return {name: value for name, value in span.resource.attributes.items() if name != "service.name"}


def trace_json(trace: Trace) -> dict[str, Any]:
    """Returns a trace as `/api/traces` has it."""
    processes: dict[str, dict[str, Any]] = {}
    numbers: dict[str, str] = {}
    spans = []
    for span in trace.spans:
        process = {"serviceName": span.service_name, "tags": _pairs(process_tags_of(span))}
        key = json.dumps(process)
        name = numbers.setdefault(key, f"p{len(numbers) + 1}")
        processes[name] = process
        spans.append(_span_json(span, name))
    return {"traceID": _short(trace.trace_id), "spans": spans, "processes": processes, "warnings": None}


def _span_json(span: Span, process: str) -> dict[str, Any]:
    return {
        "traceID": _short(span.trace_id),
        "spanID": span.span_id,
        "operationName": span.name,
        "references": list(_references(span)),
        "startTime": span.start // 1_000,
        "duration": (span.end - span.start) // 1_000,
        "tags": _pairs(tags_of(span)),
        "logs": [{"timestamp": one.time // 1_000, "fields": _pairs(fields_of(one))} for one in span.events],
        "processID": process,
        "warnings": None,
        **({"flags": span.flags} if span.flags else {}),
    }


def _references(span: Span) -> Iterator[dict[str, str]]:
    """A link to the parent becomes the parent's reference."""
    links = [(link.trace_id, link.span_id) for link in span.links]
    parent = (span.trace_id, span.parent_span_id)
    if span.parent_span_id:
        yield _reference("FOLLOWS_FROM" if parent in links else "CHILD_OF", *parent)
    yield from (_reference("FOLLOWS_FROM", *link) for link in links if link != parent)


def _reference(kind: str, trace_id: str, span_id: str) -> dict[str, str]:
    return {"refType": kind, "traceID": _short(trace_id), "spanID": span_id}


def _short(trace_id: str) -> str:
    """An id whose first half is zeros loses it."""
    return trace_id[16:] if trace_id.startswith("0" * 16) else trace_id


def _pairs(attributes: Mapping[str, AttributeValue]) -> list[dict[str, Any]]:
    return [_pair(name, value) for name, value in attributes.items()]


def _pair(name: str, value: AttributeValue) -> dict[str, Any]:
    match value:
        case bool():
            return {"key": name, "type": "bool", "value": value}
        case int():
            shown = str(value) if abs(value) >= _SAFE_INTEGER else value
            return {"key": name, "type": "int64", "value": shown}
        case float():
            whole = int(value) if value.is_integer() else value  # as Go writes it
            return {"key": name, "type": "float64", "value": whole}
        case bytes():
            return {"key": name, "type": "binary", "value": b64encode(value).decode()}
    return {"key": name, "type": "string", "value": text_of(value)}
