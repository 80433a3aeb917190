"""What a caller must not see: values of hidden attributes, and everything that is made of them. Pure.

Hidden values are replaced before anything is worked out from them (LLM views, totals), so nothing
that is derived can give them away. A query may not ask about them either: an answer to
`span.secret = "x"` would tell the value as surely as showing it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from arcane.model.hit import MatchedSpan, ServiceStats, TraceHit
from arcane.model.span import InstrumentationScope, Resource, Span
from arcane.model.trace import Trace
from arcane.model.values import Attributes
from arcane.traceql.ast import Field, Scope

REDACTED: Final = "[REDACTED]"
_SERVICE: Final = "service.name"
_MADE_OF: Final = {"rootServiceName": _SERVICE}
"""Intrinsics whose value is an attribute's."""


def hidden_fields(fields: Iterable[Field], hidden: frozenset[str]) -> list[Field]:
    """Returns those of `fields` that would tell a hidden value."""
    return [field for field in fields if is_hidden(field, hidden)]


def is_hidden(field: Field, hidden: frozenset[str]) -> bool:
    """True when the value of `field` is hidden."""
    name = _MADE_OF.get(field.name) if field.scope is Scope.INTRINSIC else field.name
    return name in hidden


def redact_attributes(attributes: Attributes, hidden: frozenset[str]) -> Attributes:
    """Returns the attributes with hidden values replaced; the same object where there are none."""
    if hidden.isdisjoint(attributes):
        return attributes
    return {name: REDACTED if name in hidden else value for name, value in attributes.items()}


def redact_trace(trace: Trace, hidden: frozenset[str]) -> Trace:
    """Returns the trace with hidden values replaced; spans without any, and resources that spans share, stay shared."""
    if not hidden:
        return trace
    redactor = Redactor(hidden)
    return Trace(trace.trace_id, map(redactor.span, trace.spans), trace.warnings)


class Redactor:
    """Redacts the spans of one trace; a resource or a scope that many spans share is looked at once."""

    def __init__(self, hidden: frozenset[str]) -> None:
        self._hidden = hidden
        self._resources: dict[int, Resource] = {}
        self._scopes: dict[int, InstrumentationScope] = {}

    def span(self, span: Span) -> Span:
        """Returns the span with hidden values replaced; the same object where there are none."""
        resource, scope = self._resource(span.resource), self._scope(span.scope)
        attributes = redact_attributes(span.attributes, self._hidden)
        if (
            resource is span.resource
            and scope is span.scope
            and attributes is span.attributes
            and all(self._hidden.isdisjoint(event.attributes) for event in span.events)
            and all(self._hidden.isdisjoint(link.attributes) for link in span.links)
        ):
            return span
        return msgspec.structs.replace(
            span,
            resource=resource,
            scope=scope,
            attributes=attributes,
            events=tuple(
                msgspec.structs.replace(event, attributes=redact_attributes(event.attributes, self._hidden))
                for event in span.events
            ),
            links=tuple(
                msgspec.structs.replace(link, attributes=redact_attributes(link.attributes, self._hidden))
                for link in span.links
            ),
        )

    def _resource(self, resource: Resource) -> Resource:
        known = self._resources.get(id(resource))
        if known is None:
            attributes = redact_attributes(resource.attributes, self._hidden)
            known = resource if attributes is resource.attributes else Resource(attributes)
            self._resources[id(resource)] = known
        return known

    def _scope(self, scope: InstrumentationScope) -> InstrumentationScope:
        known = self._scopes.get(id(scope))
        if known is None:
            attributes = redact_attributes(scope.attributes, self._hidden)
            same = attributes is scope.attributes
            known = scope if same else InstrumentationScope(scope.name, scope.version, attributes)
            self._scopes[id(scope)] = known
        return known


def redact_hit(hit: TraceHit, hidden: frozenset[str]) -> TraceHit:
    """Returns the hit with hidden values replaced; the same object where there are none.

    What is said of its span sets stays: a query that asks about a hidden value is refused.
    """
    if not hidden:
        return hit
    hides_service = _SERVICE in hidden
    spans = _matched_spans(hit.spans, hidden, hides_service)
    sets = tuple(
        msgspec.structs.replace(one, spans=_matched_spans(one.spans, hidden, hides_service)) for one in hit.span_sets
    )
    if not hides_service:
        same = (spans, sets) == (hit.spans, hit.span_sets)
        return hit if same else msgspec.structs.replace(hit, spans=spans, span_sets=sets)
    total = ServiceStats(
        sum(stats.span_count for stats in hit.services.values()),
        sum(stats.error_count for stats in hit.services.values()),
    )
    return msgspec.structs.replace(
        hit,
        spans=spans,
        span_sets=sets,
        root_service=None if hit.root_service is None else REDACTED,
        services={REDACTED: total} if hit.services else {},
    )


def _matched_spans(
    spans: tuple[MatchedSpan, ...], hidden: frozenset[str], hides_service: bool
) -> tuple[MatchedSpan, ...]:
    return tuple(_matched_span(span, hidden, hides_service) for span in spans)


def _matched_span(span: MatchedSpan, hidden: frozenset[str], hides_service: bool) -> MatchedSpan:
    attributes = redact_attributes(span.attributes, hidden)
    if attributes is span.attributes and not hides_service:
        return span
    service = REDACTED if hides_service and span.service is not None else span.service
    return msgspec.structs.replace(span, attributes=attributes, service=service)
