"""Attribute names and values as they stand on spans: what completion offers where a backend keeps no index."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TypeAlias

from arcane.model.span import Span
from arcane.model.trace import Trace
from arcane.model.values import Attributes, AttributeValue
from arcane.spi.scan import AttributeName, AttributeQuery, AttributeValueCount
from arcane.traceql.ast import Field, Scope

Sample: TypeAlias = "tuple[Trace, Iterable[Span]]"
"""A trace and those of its spans that count."""


def names_in(samples: Iterable[Sample], query: AttributeQuery) -> list[AttributeName]:
    """Returns the attribute names on the spans, each with the scope it stands in, sorted, at most `query.limit`.

    Intrinsics are the language's, not the datasource's, and are not listed.
    """
    seen: set[tuple[str, Scope]] = set()
    met: set[int] = set()  # resources and scopes are shared by many spans: look at each once
    for _, spans in samples:
        for span in spans:
            for scope, attributes in _attribute_sets(span, met):
                seen.update((name, scope) for name in attributes if name.startswith(query.prefix))
    return [AttributeName(Field(scope, name)) for name, scope in sorted(seen)[: query.limit]]


def values_in(samples: Iterable[Sample], field: Field, query: AttributeQuery) -> list[AttributeValueCount]:
    """Returns the values of `field` on the spans, the most frequent first, at most `query.limit`.

    Lists are flattened; bytes, maps, ids and durations are not completed.
    """
    counts: Counter[tuple[str, str | int | float | bool]] = Counter()
    for trace, spans in samples:
        for span in spans:
            counts.update(typed for value in _values(field, span, trace) for typed in _typed(value))
    keywords = field.scope is Scope.INTRINSIC and field.name in ("status", "kind")
    matching = [
        AttributeValueCount("keyword" if keywords else type_name, value, count)
        for (type_name, value), count in counts.items()
        if str(value).startswith(query.prefix)
    ]
    matching.sort(key=lambda found: (-(found.count or 0), found.type, str(found.value)))
    return matching[: query.limit]


def _attribute_sets(span: Span, met: set[int]) -> Iterator[tuple[Scope, Attributes]]:
    yield Scope.SPAN, span.attributes
    if id(span.resource) not in met:
        met.add(id(span.resource))
        yield Scope.RESOURCE, span.resource.attributes
    if id(span.scope) not in met:
        met.add(id(span.scope))
        yield Scope.INSTRUMENTATION, span.scope.attributes
    for event in span.events:
        yield Scope.EVENT, event.attributes
    for link in span.links:
        yield Scope.LINK, link.attributes


def _values(field: Field, span: Span, trace: Trace) -> Iterator[AttributeValue]:
    name = field.name
    match field.scope:
        case Scope.SPAN:
            yield span.attributes.get(name)
        case Scope.RESOURCE:
            yield span.resource.attributes.get(name)
        case Scope.INSTRUMENTATION:
            yield span.scope.attributes.get(name)
        case Scope.NONE:
            yield span.attributes.get(name, span.resource.attributes.get(name))
        case Scope.EVENT:
            yield from (event.attributes.get(name) for event in span.events)
        case Scope.LINK:
            yield from (link.attributes.get(name) for link in span.links)
        case Scope.INTRINSIC:
            yield from _intrinsic_values(name, span, trace)


def _intrinsic_values(name: str, span: Span, trace: Trace) -> Iterator[AttributeValue]:
    match name:
        case "name":
            yield span.name
        case "status":
            yield span.status.word
        case "kind":
            yield span.kind.word
        case "statusMessage":
            yield span.status_message or None
        case "rootName":
            yield trace.root.name if trace.root else None
        case "rootServiceName":
            yield trace.root.service_name or None if trace.root else None
        case "event:name":
            yield from (event.name for event in span.events)
        case "instrumentation:name":
            yield span.scope.name or None
        case "instrumentation:version":
            yield span.scope.version or None


def _typed(value: AttributeValue) -> Iterator[tuple[str, str | int | float | bool]]:
    match value:
        case str():
            yield "string", value
        case bool():
            yield "bool", value
        case int():
            yield "int", value
        case float():
            yield "float", value
        case list():
            for item in value:
                yield from _typed(item)
