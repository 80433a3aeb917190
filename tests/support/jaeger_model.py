"""What Jaeger's own model keeps of a trace: what its first API gives back, whatever the storage holds."""

from __future__ import annotations

import json
from collections.abc import Sequence

from arcane.model.span import NO_SCOPE, InstrumentationScope, Resource, Span, SpanEvent, SpanLink
from arcane.model.trace import Trace
from arcane.model.values import Attributes, AttributeValue


def as_v1(traces: Sequence[Trace]) -> list[Trace]:
    """Returns the traces as the first API tells them: microseconds, no lists, no attributes of links and scopes."""
    return [Trace(trace.trace_id, [_span(span) for span in trace.spans]) for trace in traces]


def _span(span: Span) -> Span:
    start = span.start // 1_000 * 1_000
    scope = InstrumentationScope(span.scope.name, span.scope.version)
    return Span(
        span.trace_id,
        span.span_id,
        span.parent_span_id,
        span.name,
        span.kind,
        start,
        start + (span.end - span.start) // 1_000 * 1_000,
        span.status,
        span.status_message,
        _attributes(span.attributes),
        tuple(SpanEvent(one.name, one.time // 1_000 * 1_000, _attributes(one.attributes)) for one in span.events),
        tuple(SpanLink(one.trace_id, one.span_id) for one in span.links if not _is_parent(one, span)),
        Resource(_attributes(span.resource.attributes)),
        NO_SCOPE if scope == NO_SCOPE else scope,
        span.trace_state,
        span.flags,
    )


def _is_parent(link: SpanLink, span: Span) -> bool:
    return (link.trace_id, link.span_id) == (span.trace_id, span.parent_span_id)


def _attributes(attributes: Attributes) -> Attributes:
    return {name: _value(value) for name, value in attributes.items()}


def _value(value: AttributeValue) -> AttributeValue:
    return json.dumps(value, separators=(",", ":")) if isinstance(value, list | dict) else value
