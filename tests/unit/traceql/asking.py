"""Asks one filter of one span, for tables of conditions."""

import re
from typing import Any

import msgspec

from arcane.model.ids import SpanId, TraceId
from arcane.model.span import Span, SpanKind
from arcane.model.trace import Trace
from arcane.traceql.ast import SpansetFilter
from arcane.traceql.check import check
from arcane.traceql.evaluate import CompiledFilter, compile_filter
from arcane.traceql.parse import parse

TRACE_ID = TraceId("00000000000000000000000000000abc")
SPAN = Span(TRACE_ID, SpanId("00000000000000aa"), "", "call", SpanKind.CLIENT, 1_000, 6_000)


def span_with(attributes: dict[str, Any] | None = None, **changes: Any) -> Span:
    return msgspec.structs.replace(SPAN, attributes=attributes or {}, **changes)


def filter_of(text: str) -> SpansetFilter:
    query = parse(f"{{ {text} }}")
    check(query)
    assert query.filter is not None
    return query.filter


def compiled(text: str) -> CompiledFilter:
    return compile_filter(filter_of(text))


def matches(text: str, span: Span) -> bool:
    asked = compiled(text)
    found = asked(Trace(TRACE_ID, [span]))
    assert asked.errors == 0
    return found == [span]


def fails(text: str, span: Span) -> bool:
    asked = compiled(text)
    return asked(Trace(TRACE_ID, [span])) == [] and asked.errors == 1


def listed(text: str) -> list[str]:
    """Returns the conditions, which stand two spaces apart; lines that begin with # are comments."""
    lines = [line.strip() for line in text.splitlines()]
    return [one for line in lines if line and not line.startswith("#") for one in re.split(r" {2,}", line)]
