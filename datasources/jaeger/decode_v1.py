"""Traces as the first API has them: Jaeger's own model, in JSON, to spans as OTLP has them. Pure.

Jaeger keeps as tags what OTLP has fields for, and as a process what OTLP calls a resource. What it has no
place for is gone: nanoseconds, lists (they come as text), attributes of scopes and links, the link to a parent.
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error

import msgspec

from arcane.spi import (
    NO_RESOURCE,
    NO_SCOPE,
    Attributes,
    AttributeValue,
    BadResponse,
    InstrumentationScope,
    Resource,
    Span,
    SpanEvent,
    SpanKind,
    SpanLink,
    StatusCode,
    Trace,
    parse_span_id,
    parse_trace_id,
    traces_of,
)
from datasources.jaeger import wire
from datasources.jaeger.compile import MICROSECOND
from datasources.jaeger.decode import cut_of

_NO_SERVICE = "OTLPResourceNoServiceName"
_KINDS = {kind.word: kind for kind in SpanKind}
_CODES = {"OK": StatusCode.OK, "ERROR": StatusCode.ERROR}
_DECODER = msgspec.json.Decoder(wire.TracesV1)


def traces_of_v1(body: bytes) -> list[Trace]:
    """Returns the traces of an answer."""
    try:
        data = _DECODER.decode(body).data or ()
        return [trace for part in data for trace in _traces(part)]
    except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
        raise BadResponse("The answer is not Jaeger's.") from exc
    except (ValueError, OverflowError) as exc:
        raise BadResponse("An id or a tag of Jaeger's is not what it says.") from exc


def _traces(part: wire.TraceV1) -> list[Trace]:
    resources = {key: _resource(process) for key, process in (part.processes or {}).items()}
    scopes: dict[tuple[str, str], InstrumentationScope] = {("", ""): NO_SCOPE}
    spans = [_span(span, resources.get(span.process_id, NO_RESOURCE), scopes) for span in part.spans or ()]
    said = [*(part.warnings or ()), *(text for span in part.spans or () for text in span.warnings or ())]
    found = traces_of(spans)
    for trace in found:
        trace.warnings = cut_of(said)
    return found


def _resource(process: wire.Process) -> Resource:
    named: Attributes = {} if process.service_name in ("", _NO_SERVICE) else {"service.name": process.service_name}
    return Resource({**_attributes(process.tags), **named})


def _span(span: wire.SpanV1, resource: Resource, scopes: dict[tuple[str, str], InstrumentationScope]) -> Span:
    tags = _attributes(span.tags)
    parent, links = _references(span)
    start = span.start_time * MICROSECOND
    tags.pop("internal.span.format", None)
    return Span(
        parse_trace_id(span.trace_id),
        parse_span_id(span.span_id),
        parent,
        span.operation_name,
        _kind(tags),
        start,
        start + span.duration * MICROSECOND,
        _status(tags),
        _text(tags, "otel.status_description"),
        tags,
        tuple([_event(log) for log in span.logs or ()]),
        links,
        resource,
        _scope(tags, scopes),
        _text(tags, "w3c.tracestate"),
        span.flags,
    )


def _references(span: wire.SpanV1) -> tuple[str, tuple[SpanLink, ...]]:
    """The first CHILD_OF of the same trace is the parent, else the first FOLLOWS_FROM of it; the others are links."""
    references = [one for one in span.references or () if one.span_id.strip("0") and one.trace_id.strip("0")]
    inside = [one for one in references if one.trace_id == span.trace_id]
    parent = next((one for one in inside if one.ref_type == "CHILD_OF"), inside[0] if inside else None)
    if parent is not None:
        references.remove(parent)
    links = tuple([SpanLink(parse_trace_id(one.trace_id), parse_span_id(one.span_id)) for one in references])
    if parent is None:
        return (parse_span_id(span.parent_span_id) if span.parent_span_id.strip("0") else ""), links
    return parse_span_id(parent.span_id), links


def _kind(tags: Attributes) -> SpanKind:
    word = tags.get("span.kind")
    if isinstance(word, str) and word in _KINDS:
        del tags["span.kind"]
        return _KINDS[word]
    return SpanKind.UNSPECIFIED


def _status(tags: Attributes) -> StatusCode:
    said = tags.pop("otel.status_code", None)
    if tags.get("error") in (True, "true"):
        del tags["error"]
        return StatusCode.ERROR
    return _CODES.get(said, StatusCode.UNSET) if isinstance(said, str) else StatusCode.UNSET


def _scope(tags: Attributes, scopes: dict[tuple[str, str], InstrumentationScope]) -> InstrumentationScope:
    """The older spelling is that of exporters before the specification renamed libraries to scopes."""
    older = (_text(tags, "otel.library.name"), _text(tags, "otel.library.version"))
    key = (_text(tags, "otel.scope.name") or older[0], _text(tags, "otel.scope.version") or older[1])
    if key not in scopes:
        scopes[key] = InstrumentationScope(*key)
    return scopes[key]


def _event(log: wire.Log) -> SpanEvent:
    fields = _attributes(log.fields)
    return SpanEvent(_text(fields, "event"), log.timestamp * MICROSECOND, fields)


def _text(tags: Attributes, name: str) -> str:
    """Takes a tag that is text away from the others, and returns it; "" where there is none."""
    value = tags.get(name)
    if not isinstance(value, str):
        return ""
    del tags[name]
    return value


def _attributes(tags: list[wire.KeyValue] | None) -> Attributes:
    return {tag.key: _value(tag) for tag in tags or ()}


def _value(tag: wire.KeyValue) -> AttributeValue:
    value = tag.value
    match tag.type:
        case "int64" if isinstance(value, str):
            return int(value)
        case "float64" if isinstance(value, int | float | str) and not isinstance(value, bool):
            return float(value)
        case "bool" if isinstance(value, str):
            return value == "true"
        case "binary" if isinstance(value, str):
            try:
                return b64decode(value, validate=True)
            except Base64Error:
                return value
    return value
