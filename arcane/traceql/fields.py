"""How a field's value is found: on the span, its resource, its scope, its trace, or the event or link at hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, TypeAlias

from arcane.model.ids import TraceId
from arcane.model.span import Span, SpanEvent, SpanLink
from arcane.model.trace import Trace
from arcane.model.values import AttributeValue
from arcane.traceql.ast import Field, Scope
from arcane.traceql.values import Value


class Row:
    """What a condition is asked of besides the span: its trace, and one event and one link of the span.

    Whoever evaluates sets `event` and `link`; they are None where the span has none.
    """

    __slots__ = ("_nested_sets", "event", "link", "trace")

    def __init__(self, trace: Trace, *, event: SpanEvent | None = None, link: SpanLink | None = None) -> None:
        self.trace = trace
        self.event = event
        self.link = link
        self._nested_sets: dict[str, tuple[int, int, int]] | None = None

    def nested_set(self, span: Span) -> tuple[int, int, int]:
        """Returns left, right and the parent's left, -1 at a root; three zeros for a span that hangs on no root."""
        if self._nested_sets is None:
            self._nested_sets = nested_sets(self.trace)
        return self._nested_sets.get(span.span_id, (0, 0, 0))


Get: TypeAlias = Callable[[Span, Row], Value]


def nested_sets(trace: Trace) -> dict[str, tuple[int, int, int]]:
    """Returns the nested-set numbers of every span that hangs on a root, counted from 1, depth first."""
    numbers: dict[str, tuple[int, int, int]] = {}
    opened: dict[str, tuple[int, int]] = {}
    counter = 0
    waiting: list[tuple[Span, int, bool]] = [(root, -1, False) for root in reversed(trace.roots)]
    while waiting:
        span, parent, is_done = waiting.pop()
        counter += 1
        if is_done:
            left, above = opened[span.span_id]
            numbers[span.span_id] = (left, counter, above)
            continue
        opened[span.span_id] = (counter, parent)
        waiting.append((span, parent, True))
        waiting.extend((child, counter, False) for child in reversed(trace.children.get(span.span_id, ())))
    return numbers


def getter(field: Field) -> Get:
    """Returns how to read `field`; a missing attribute is None, a missing intrinsic text is empty."""
    if field.scope is Scope.INTRINSIC:
        return _INTRINSICS[field.name]
    return _SCOPES[field.scope](field.name)


def _unscoped(name: str) -> Get:
    def get(span: Span, row: Row) -> Value:
        value = span.attributes.get(name)
        return value if value is not None else span.resource.attributes.get(name)

    return get


_SCOPES: Mapping[Scope, Callable[[str], Get]] = MappingProxyType(
    {
        Scope.NONE: _unscoped,
        Scope.SPAN: lambda name: lambda span, row: span.attributes.get(name),
        Scope.RESOURCE: lambda name: lambda span, row: span.resource.attributes.get(name),
        Scope.INSTRUMENTATION: lambda name: lambda span, row: span.scope.attributes.get(name),
        Scope.EVENT: lambda name: lambda span, row: row.event.attributes.get(name) if row.event else None,
        Scope.LINK: lambda name: lambda span, row: row.link.attributes.get(name) if row.link else None,
    }
)


def _root_name(span: Span, row: Row) -> Value:
    return row.trace.root.name if row.trace.root else ""


def _root_service(span: Span, row: Row) -> Value:
    return row.trace.root.service_name if row.trace.root else ""


_INTRINSICS: Mapping[str, Get] = MappingProxyType(
    {
        "name": lambda span, row: span.name,
        "duration": lambda span, row: span.duration,
        "status": lambda span, row: span.status,
        "statusMessage": lambda span, row: span.status_message,
        "kind": lambda span, row: span.kind,
        "span:id": lambda span, row: span.span_id,
        "span:parentID": lambda span, row: span.parent_span_id,
        "span:childCount": lambda span, row: len(row.trace.children.get(span.span_id, ())),
        "traceDuration": lambda span, row: row.trace.duration,
        "rootName": _root_name,
        "rootServiceName": _root_service,
        "trace:id": lambda span, row: span.trace_id,
        "event:name": lambda span, row: row.event.name if row.event else None,
        "event:timeSinceStart": lambda span, row: row.event.time - span.start if row.event else None,
        "link:traceID": lambda span, row: row.link.trace_id if row.link else None,
        "link:spanID": lambda span, row: row.link.span_id if row.link else None,
        "instrumentation:name": lambda span, row: span.scope.name,
        "instrumentation:version": lambda span, row: span.scope.version,
        "nestedSetLeft": lambda span, row: row.nested_set(span)[0],
        "nestedSetRight": lambda span, row: row.nested_set(span)[1],
        "nestedSetParent": lambda span, row: row.nested_set(span)[2],
    }
)


_NO_ROW: Final = Row(Trace(TraceId("0" * 32), ()))

ReadValue: TypeAlias = "Callable[[Span, Trace], AttributeValue]"


def field_value(field: Field, span: Span, trace: Trace) -> AttributeValue:
    """Returns the value of `field` for `span`, None where it has none; see value_reader."""
    return value_reader(field)(span, trace)


def value_reader(field: Field) -> ReadValue:
    """Returns how to read the value of `field`, None where a span has none.

    Status and kind are their words, durations nanoseconds. A field of events or links is one
    value where the span has one, and an array of them where it has several.
    """
    get = getter(field)
    if field.scope is Scope.EVENT or field.name.startswith("event:"):
        return lambda span, trace: _of_all([get(span, Row(trace, event=event)) for event in span.events])
    if field.scope is Scope.LINK or field.name.startswith("link:"):
        return lambda span, trace: _of_all([get(span, Row(trace, link=link)) for link in span.links])
    if field.scope is Scope.INTRINSIC:
        return lambda span, trace: _worded(get(span, Row(trace)))
    return lambda span, trace: get(span, _NO_ROW)  # an attribute of the span depends on nothing around it


def _of_all(found: Sequence[Value]) -> AttributeValue:
    present = [value for value in found if value is not None]
    return present[0] if len(present) == 1 else present or None


def _worded(value: Value) -> AttributeValue:
    found: AttributeValue = getattr(value, "word", value)
    return found
