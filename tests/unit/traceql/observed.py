"""The trace that a real Tempo was asked of, and the answers it gave (tests/data/vectors/tempo_observed.json).

The recordings were made in steps: first one trace was stored, then a second one with the same
spans under another id, at last a third one whose first two spans have ids without leading zeros.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arcane.model.ids import parse_span_id, parse_trace_id
from arcane.model.span import InstrumentationScope, Resource, Span, SpanEvent, SpanKind, SpanLink, StatusCode
from arcane.model.spanset import SpanSet
from arcane.model.trace import Trace

VECTORS = Path(__file__).parents[2] / "data" / "vectors"
DOCUMENT: dict[str, Any] = json.loads((VECTORS / "tempo_observed.json").read_text(encoding="utf-8"))

DIFFERENCES: dict[str, Any] = json.loads((VECTORS.parent / "traceql" / "differences.json").read_text(encoding="utf-8"))
"""Where Arcane answers otherwise, row by row, and why."""

_MS = 1_000_000
_EPOCH = 1_750_000_000_000_000_000
_FIRST_TRACE, _SECOND_TRACE = "1234567890abcdef", "0af7651916cd43dd8448eb211c80319c"
_THIRD_TRACE = "5af7651916cd43dd8448eb211c80319c"
_THIRD_IDS = {"root": "53995c3f42cd8ad8", "a2": "a1b2c3d4e5f60718"}


@dataclass(frozen=True)
class Row:
    """One query, what Tempo answered over HTTP, and what its engine answered by itself (None: not asked)."""

    query: str
    http: str | None
    engine: str | None


ROWS = [Row(row["query"], row["tempo_http"], row["engine_only"]) for row in DOCUMENT["observations"]]


def stored_traces(query: str) -> list[Trace]:
    """Returns what was stored when `query` was asked."""
    if "5399" in query.lower() or _THIRD_TRACE in query:
        return [_trace(_THIRD_TRACE, _THIRD_IDS)]
    return [_trace(_FIRST_TRACE), _trace(_SECOND_TRACE)]


def engine_trace() -> Trace:
    """Returns the four spans that Tempo's engine was given without its storage: attributes, and nothing else."""
    spans = []
    for name in ("root", "a2", "a3", "b1"):
        span_id = parse_span_id(DOCUMENT["fixture"]["span_ids"][name])
        attributes = DOCUMENT["fixture"]["spans"][name]["attrs"]
        spans.append(
            Span(parse_trace_id("1"), span_id, "", "", SpanKind.UNSPECIFIED, _EPOCH, _EPOCH, attributes=attributes)
        )
    return Trace(parse_trace_id("1"), spans)


def names_of(spans: Iterable[Span]) -> str:
    """Returns the spans as the recordings write them: names in order, `-` for none."""
    names = {span_id: name for name, span_id in DOCUMENT["fixture"]["span_ids"].items()}
    return ",".join(sorted(names.get(span.span_id, span.span_id) for span in spans)) or "-"


def answer_of(found: Iterable[SpanSet]) -> set[str]:
    """Returns the span sets as the recordings write them: their names in order, and what is said of them."""
    sets = {_written(names_of(one.spans), one.attributes) for one in found}
    return sets or {"-"}


def recorded_sets(answer: str) -> set[str]:
    """Returns the different span sets of an answer, written alike."""
    return {_recorded_set(part) for part in answer.split(" | ")}


def _recorded_set(text: str) -> str:
    names, _, pairs = text.partition(" [{")
    attributes = {pair["key"]: _any_value(pair["value"]) for pair in json.loads(f"[{{{pairs}")} if pairs else {}
    return _written(",".join(sorted(names.split(" m=")[0].split(" ")[0].split(","))), attributes)


def _any_value(wire: dict[str, Any]) -> Any:
    [(kind, value)] = wire.items()
    if kind == "arrayValue":
        return [_any_value(one) for one in value["values"]]
    return int(value) if kind == "intValue" else value


def _written(names: str, attributes: Mapping[str, Any]) -> str:
    said = [f"{key}={'nil' if value is None else value}" for key, value in attributes.items()]
    return " ".join([names, *said])


def _trace(trace_id: str, other_ids: dict[str, str] | None = None) -> Trace:
    ids = {**DOCUMENT["fixture"]["span_ids"], **(other_ids or {})}
    spans = [_span(name, trace_id, ids) for name in DOCUMENT["fixture"]["spans"]]
    return Trace(parse_trace_id(trace_id), spans)


def _span(name: str, trace_id: str, ids: dict[str, str]) -> Span:
    fixture = DOCUMENT["fixture"]
    told = fixture["spans"][name]
    parent = told.get("parent", "")
    start = _EPOCH + told["start_ms"] * _MS
    scope = fixture["scopes"][told["service"]]
    return Span(
        trace_id=parse_trace_id(trace_id),
        span_id=parse_span_id(ids[name]),
        parent_span_id=parse_span_id(ids.get(parent) or parent.split(" ")[0]) if parent else "",
        name=told["name"],
        kind=SpanKind[told["kind"].upper()],
        start=start,
        end=start + told["dur_ms"] * _MS,
        status=StatusCode[told.get("status", "unset").upper()],
        status_message=told.get("statusMessage", ""),
        attributes=told["attrs"],
        events=tuple(
            SpanEvent(event["name"], start + event["at_ms"] * _MS, event["attrs"]) for event in told.get("events", ())
        ),
        links=tuple(
            SpanLink(parse_trace_id(link["traceId"]), parse_span_id(link["spanId"]), attributes=link["attrs"])
            for link in told.get("links", ())
        ),
        resource=Resource(fixture["resources"][told["service"]]),
        scope=InstrumentationScope(scope["name"], scope.get("version", ""), scope.get("attrs", {})),
    )
