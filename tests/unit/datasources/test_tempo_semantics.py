"""The model of Tempo that the stand-in server answers by is held against what a real one answered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from arcane.model.ids import SpanId, TraceId
from arcane.model.span import InstrumentationScope, Resource, Span, SpanEvent, SpanKind, SpanLink, StatusCode
from arcane.model.trace import Trace
from arcane.traceql.ast import Binary, Expr, Field, Literal, LiteralType, Op, SpansetFilter
from arcane.traceql.check import check
from arcane.traceql.errors import TraceqlError
from arcane.traceql.parse import parse
from tests.support.tempo_semantics import matches

OBSERVED = json.loads((Path(__file__).parents[2] / "data/vectors/tempo_observed.json").read_text())
TRACE_ID = TraceId("00000000000000001234567890abcdef")
MS = 1_000_000

OTHER_FIXTURE = ("0af7651916cd43dd", "af7651916cd43dd", "0af7.*", "af7.*", "53995", "0AF76", "5af76")
"""Queries about ids that were asked of another trace."""


def fixture_trace() -> Trace:
    given = OBSERVED["fixture"]
    resources = {name: Resource(values) for name, values in given["resources"].items()}
    scopes = {
        name: InstrumentationScope(scope["name"], scope.get("version", ""), scope.get("attrs", {}))
        for name, scope in given["scopes"].items()
    }
    ids = given["span_ids"]
    spans = []
    for name, span in given["spans"].items():
        parent = span.get("parent", "")
        start = 1_000_000_000_000 + span["start_ms"] * MS
        spans.append(
            Span(
                TRACE_ID,
                SpanId(ids[name]),
                ids.get(parent, parent.split(" ")[0]),
                span["name"],
                SpanKind[span["kind"].upper()],
                start,
                start + span["dur_ms"] * MS,
                StatusCode[span.get("status", "unset").upper()],
                span.get("statusMessage", ""),
                span.get("attrs", {}),
                tuple(event_of(one, start) for one in span.get("events", ())),
                tuple(link_of(one) for one in span.get("links", ())),
                resources[span["service"]],
                scopes[span["service"]],
            )
        )
    return Trace(TRACE_ID, spans)


def event_of(given: dict[str, Any], start: int) -> SpanEvent:
    return SpanEvent(given["name"], start + given["at_ms"] * MS, given["attrs"])


def link_of(given: dict[str, Any]) -> SpanLink:
    return SpanLink(TraceId(given["traceId"]), SpanId(given["spanId"]), attributes=given["attrs"])


def in_the_model(expr: Expr | None) -> bool:
    match expr:
        case None | Literal(type=LiteralType.BOOL):
            return True
        case Binary(Op.AND | Op.OR, left, right):
            return in_the_model(left) and in_the_model(right)
        case Binary(op, Field() as field, Literal() as literal):
            unscoped_absence = field.scope == "" and op is Op.EQ and literal.type is LiteralType.NIL
            numbered = field.name in ("nestedSetLeft", "nestedSetRight", "span:childCount")
            event_absence = field.scope == "event" and op is Op.EQ and literal.type is LiteralType.NIL
            return not (unscoped_absence or numbered or event_absence)
    return False


def cases() -> list[Any]:
    found = []
    for row in OBSERVED["observations"]:
        query, answer = row["query"], row["tempo_http"]
        if answer is None or answer[:3].isdigit() or any(part in query for part in OTHER_FIXTURE):
            continue
        try:
            parsed = parse(query)
            check(parsed)
        except TraceqlError:
            continue
        if parsed.filter is not None and in_the_model(parsed.filter.condition):
            names = set() if answer == "-" else set(answer.split(" ")[0].split(","))
            found.append(pytest.param(parsed.filter, names, id=query))
    return found


@pytest.mark.parametrize(("spanset", "names"), cases())
def test_the_model_answers_as_tempo_did(spanset: SpansetFilter, names: set[str]) -> None:
    by_id = {span_id: name for name, span_id in OBSERVED["fixture"]["span_ids"].items()}
    assert {by_id[span.span_id] for span in matches(spanset.condition, fixture_trace())} == names


def test_enough_recorded_answers_are_compared() -> None:
    assert len(cases()) > 100
