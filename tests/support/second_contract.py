"""A server of the second contract over any traces, which reads the predicate tree and can do what a test says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from zlib import crc32

from aiohttp import web

from arcane.model.time import TimeRange
from arcane.model.trace import Trace
from arcane.spi import names_in, values_in
from arcane.spi.scan import AttributeQuery
from arcane.traceql.ast import COMPARISONS, Binary, Expr, Field, Literal, LiteralType, Op, Scope, SpansetFilter, Unary
from arcane.traceql.evaluate import compile_filter
from arcane.traceql.format import format_filter
from arcane.traceql.hits import hit_of
from tests.support.custom_api import Answer, body_of, whole

EVERYTHING: dict[str, Any] = {
    "contract": 2,
    "name": "Stand-in",
    "version": "2.0",
    "order": "newest_first",
    "max_limit": 1000,
    "filter": {
        "rules": [
            {
                "scopes": [scope.value for scope in Scope if scope is not Scope.PARENT],
                "operators": [op.value for op in COMPARISONS],
                "literals": [kind.value for kind in LiteralType],
                "exact": True,
            }
        ],
        "or": True,
        "not": True,
    },
    "attribute_names": True,
    "attribute_values": True,
    "began_within": True,
    "what_arcane_does_not_know": {"is": "passed over"},
}
PAGE = 25
"""Traces a page at most: shorter than limits, so that cursors are used."""


def second_contract(traces: Sequence[Trace], document: Mapping[str, Any]) -> dict[str, Answer]:
    """Returns the routes of a server that can do what `document` says."""

    def trace(request: web.Request) -> Any:
        for one in traces:
            if one.trace_id == request.match_info["trace_id"]:
                return whole(one)
        return web.json_response({"error": "no such trace"}, status=404)

    def names(request: web.Request) -> Any:
        found = names_in([(one, one.spans) for one in traces], _query(request))
        return {"names": [{"scope": one.field.scope.value, "name": one.field.name} for one in found]}

    def values(request: web.Request) -> Any:
        field = Field(Scope(request.query["scope"]), request.query["name"])
        found = values_in([(one, one.spans) for one in traces], field, _query(request))
        return {"values": [{"type": one.type, "value": one.value, "count": one.count} for one in found]}

    return {
        "GET /capabilities": lambda _request: document,
        "POST /search": lambda request: _search(request, traces, document),
        "GET /traces/{trace_id}": trace,
        "GET /attributes": names,
        "GET /attributes/values": values,
    }


def _search(request: web.Request, traces: Sequence[Trace], document: Mapping[str, Any]) -> Any:
    ask = body_of(request)
    spanset = SpansetFilter(condition_of(ask["filter"]) if ask["filter"] else None)
    assert format_filter(spanset) == ask["traceql"], "the tree and the text say the same"
    grain = int(document.get("time_resolution_ns", 1))
    within = TimeRange(int(ask["start"]) // grain * grain, -(-int(ask["end"]) // grain) * grain)
    compiled = compile_filter(spanset)
    found = [
        (trace, matched)
        for trace in traces
        if within.overlaps(trace.start, trace.end)
        and not (ask.get("began_within") and trace.start < within.start)
        and (matched := compiled.matches(trace))
    ]
    if document.get("order") == "newest_first":
        found.sort(key=lambda one: (one[0].start, one[0].trace_id), reverse=True)
    else:
        found.sort(key=lambda one: crc32(one[0].trace_id.encode()))
    begin = int(ask["cursor"] or 0)
    page = found[begin : begin + min(ask["limit"], PAGE)]
    end = begin + len(page)
    fields = [Field(Scope(one["scope"]), one["name"]) for one in ask["fields"]]
    told = document.get("answers", "traces") == "summaries"
    return {
        "traces": [_summary(*one, fields, ask["spans_per_trace"]) if told else whole(one[0]) for one in page],
        "complete": end >= len(found),
        "cursor": str(end) if end < len(found) else None,
    }


def condition_of(tree: Mapping[str, Any]) -> Expr:
    """Returns the condition that a predicate tree says."""
    match tree:
        case {"and": parts} | {"or": parts}:
            first, *others = map(condition_of, parts)
            for part in others:
                first = Binary(Op.AND if "and" in tree else Op.OR, first, part)
            return first
        case {"not": part}:
            return Unary(Op.NOT, condition_of(part))
        case {"field": field, "operator": operator, "type": kind}:
            value = tree.get("value")
            is_text = kind in ("int", "duration")
            literal = Literal(LiteralType(kind), int(value) if is_text else value)
            return Binary(Op(operator), Field(Scope(field["scope"]), field["name"]), literal)
    raise ValueError("not a predicate")


def _summary(trace: Trace, matched: Any, fields: Sequence[Field], most: int) -> Any:
    hit = hit_of(trace, matched, fields, most)
    return {
        "trace_id": hit.trace_id,
        "start": str(hit.start),
        "duration": hit.duration,
        "matched": hit.matched,
        "root_service": hit.root_service,
        "root_name": hit.root_name,
        "span_count": hit.span_count,
        "error_count": hit.error_count,
        "spans": [
            {
                "span_id": span.span_id,
                "start": str(span.start),
                "duration": str(span.duration),
                "name": span.name,
                "service": span.service,
                "status": span.status.word if span.status else None,
                "attributes": [{"key": key, "value": _any_value(value)} for key, value in span.attributes.items()],
            }
            for span in hit.spans
        ],
    }


def _any_value(value: Any) -> Any:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case list():
            return {"arrayValue": {"values": [_any_value(one) for one in value]}}
    return {"stringValue": value}


def _query(request: web.Request) -> AttributeQuery:
    within = TimeRange(int(request.query["start"]), int(request.query["end"]))
    return AttributeQuery(within, int(request.query["limit"]), request.query["prefix"])
