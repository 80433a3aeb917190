"""What the stub backend answers: the recorded Tempo answers, cut or multiplied to the size a benchmark asks for."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span, TracesData

VECTORS = Path(__file__).parents[1] / "tests/data/vectors/tempo_wire.jsonl"
SMALL_TRACE = "47db8c2b7a8912de18ead32b53e40fb7"
WINDOW = (1_795_225_717, 1_795_229_477)  # the hour of the recorded corpus, in seconds
SMALL_SPANS = 11
HITS = 50
SPANS_PER_HIT = 3
_SELECTED = (("service.name", "agent-api"), ("status", "unset"))


@dataclass(frozen=True, slots=True)
class Answer:
    """A body and its media type."""

    content_type: str
    body: bytes


def recorded() -> Iterator[dict[str, Any]]:
    """Yields the recorded requests and answers."""
    with VECTORS.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def search_answer(hits: int = HITS) -> Answer:
    """Returns the recorded answer to `{}` with `hits` traces of three spans each, and what Arcane selects of a span."""
    (row,) = (row for row in recorded() if _is_everything(row))
    body = row["body"]
    body["traces"] = body["traces"][:hits]
    for trace in body["traces"]:
        for spans in (*trace["spanSets"], trace.get("spanSet", {})):
            spans["spans"] = [_selected(span) for span in spans.get("spans", ())[:SPANS_PER_HIT]]
    return Answer("application/json", json.dumps(body, separators=(",", ":")).encode())


def _is_everything(row: dict[str, Any]) -> bool:
    asked = (row["path"], row["params"].get("q"), row["params"].get("limit"))
    return asked == ("/api/search", "{}", 200)


def _selected(span: dict[str, Any]) -> dict[str, Any]:
    values = [{"key": key, "value": {"stringValue": value}} for key, value in _SELECTED]
    return span | {"name": "invoke_agent support-agent", "attributes": [*span.get("attributes", ()), *values]}


def trace_id_of(spans: int) -> str:
    """Returns the id under which the stub has a trace with `spans` spans."""
    return f"a{spans:031d}"


def trace_answer(spans: int) -> Answer:
    """Returns a trace with `spans` spans as Tempo's v2 API has it in protobuf: the recorded one, again and again."""
    whole, recorded_trace = TracesData(), _recorded_trace()
    root = next(span.span_id for span in _spans_of(recorded_trace) if not span.parent_span_id)
    copy = 0
    left = spans
    while left > 0:
        for resource_spans in recorded_trace.resource_spans:
            left -= _copy(resource_spans, whole, copy, left)
        copy += 1
    trace_id = bytes.fromhex(trace_id_of(spans))
    for span in _spans_of(whole):
        span.trace_id = trace_id
        if not span.parent_span_id and span.span_id != root:
            span.parent_span_id = root  # the copies hang below the first one
    body = whole.SerializeToString()
    return Answer("application/protobuf", b"\x0a" + _varint(len(body)) + body)


METRICS_QUERY = "{} | count_over_time() by (resource.service.name)"


def metrics_answer() -> Answer:
    """Returns the recorded answer to METRICS_QUERY: a point for each five minutes of the hour, and each service."""
    path = "/api/metrics/query_range"
    (row,) = (row for row in recorded() if row["path"] == path and row["params"]["q"] == METRICS_QUERY)
    return Answer("application/json", json.dumps(row["body"], separators=(",", ":")).encode())


def build_answer() -> Answer:
    """Returns the recorded version of Tempo."""
    (row,) = (row for row in recorded() if row["path"] == "/api/status/buildinfo")
    return Answer("application/json", json.dumps(row["body"]).encode())


def _recorded_trace() -> TracesData:
    path = f"/api/traces/{SMALL_TRACE}"
    (row,) = (row for row in recorded() if row["path"] == path and "body_base64" in row)
    return TracesData.FromString(base64.b64decode(row["body_base64"]))


def _spans_of(traces: TracesData) -> Iterator[Span]:
    for resource_spans in traces.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            yield from scope_spans.spans


def _copy(source: ResourceSpans, target: TracesData, copy: int, most: int) -> int:
    """Adds up to `most` spans of `source` with ids of their own, in the second that `copy` says; returns how many."""
    added = 0
    made = target.resource_spans.add()
    made.resource.CopyFrom(source.resource)
    for scope_spans in source.scope_spans:
        own = made.scope_spans.add()
        own.scope.CopyFrom(scope_spans.scope)
        for span in scope_spans.spans[: most - added]:
            twin = own.spans.add()
            twin.CopyFrom(span)
            twin.span_id = _own_id(span.span_id, copy)
            if span.parent_span_id:
                twin.parent_span_id = _own_id(span.parent_span_id, copy)
            twin.start_time_unix_nano += copy * 1_000_000
            twin.end_time_unix_nano += copy * 1_000_000
            added += 1
    return added


def _own_id(span_id: bytes, copy: int) -> bytes:
    return (int.from_bytes(span_id, "big") ^ (copy << 40)).to_bytes(8, "big")


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)
