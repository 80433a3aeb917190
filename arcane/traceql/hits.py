"""Makes what a result list shows of a trace, from the whole trace."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import msgspec

from arcane.model.hit import SPAN_SETS_SHOWN, MatchedSet, MatchedSpan, TraceHit
from arcane.model.span import Span
from arcane.model.spanset import SpanSet
from arcane.model.trace import Trace
from arcane.model.values import Attributes, AttributeValue
from arcane.traceql.ast import Field, LiteralType, Scope
from arcane.traceql.fields import ReadValue, value_reader
from arcane.traceql.intrinsics import type_of
from arcane.traceql.literals import spell_duration
from arcane.traceql.structure import united

_SHOWN_ELSEWHERE = frozenset(
    {"name", "duration", "span:id", "trace:id", "traceDuration", "rootName", "rootServiceName"}
)
"""Intrinsics that a hit has in places of their own."""


def hit_of(trace: Trace, matched: Sequence[Span], fields: Sequence[Field], spans_per_trace: int) -> TraceHit:
    """Returns the hit for `trace`; `matched` are its spans that match, in order of start, `fields` what to show."""
    root = trace.root
    return TraceHit(
        trace_id=trace.trace_id,
        start=trace.start,
        duration=trace.duration,
        root_service=root.service_name if root else None,
        root_name=root.name if root else None,
        matched=len(matched),
        spans=shown_spans(trace, matched, fields, spans_per_trace),
        span_count=len(trace.spans),
        error_count=trace.error_count,
        services=trace.services,
    )


def hit_of_sets(trace: Trace, sets: Sequence[SpanSet], fields: Sequence[Field], spans_per_trace: int) -> TraceHit:
    """Returns the hit for `trace` in which a query found `sets`; each set shows its own first spans."""
    if len(sets) == 1 and not sets[0].attributes:
        return hit_of(trace, sets[0].spans, fields, spans_per_trace)
    hit = hit_of(trace, united([span for one in sets for span in one.spans], ()), fields, spans_per_trace)
    shown = tuple(
        MatchedSet(one.attributes, len(one.spans), shown_spans(trace, one.spans, fields, spans_per_trace))
        for one in sets[:SPAN_SETS_SHOWN]
    )
    return msgspec.structs.replace(hit, span_sets=shown, span_set_count=len(sets))


def shown_spans(trace: Trace, matched: Sequence[Span], fields: Sequence[Field], most: int) -> tuple[MatchedSpan, ...]:
    """Returns the first `most` of the matched spans as a hit shows them."""
    read = _readers(tuple(fields))
    return tuple([_matched_span(span, trace, read) for span in matched[:most]])


@lru_cache(maxsize=256)
def _readers(fields: tuple[Field, ...]) -> tuple[tuple[str, ReadValue, bool], ...]:
    """Returns for each field that is listed its key, how it is read, and whether it is a duration."""
    return tuple(
        (attribute_key(field), value_reader(field), type_of(field) is LiteralType.DURATION)
        for field in listed_fields(fields)
    )


def listed_fields(fields: Sequence[Field]) -> tuple[Field, ...]:
    """Returns those of `fields` that stand among a matched span's attributes."""
    return tuple(field for field in fields if field.scope is not Scope.INTRINSIC or field.name not in _SHOWN_ELSEWHERE)


def attribute_key(field: Field) -> str:
    """Returns the key of `field` among a matched span's attributes: its name without a scope, as Tempo has it."""
    return field.name


def _matched_span(span: Span, trace: Trace, fields: Sequence[tuple[str, ReadValue, bool]]) -> MatchedSpan:
    attributes: Attributes = {}
    for key, read, is_duration in fields:
        value = read(span, trace)
        if value is not None and key not in attributes:
            attributes[key] = _durations(value) if is_duration else value
    return MatchedSpan(
        span_id=span.span_id,
        start=span.start,
        duration=span.duration,
        name=span.name,
        service=span.service_name,
        status=span.status,
        attributes=attributes,
    )


def _durations(value: AttributeValue) -> AttributeValue:
    if isinstance(value, list):
        return [_durations(one) for one in value]
    return spell_duration(value) if isinstance(value, int) else value
