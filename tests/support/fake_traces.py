"""Traces to look at: the demo's day, and what breaks pages: 5,000 spans, odd names, missing roots, a source that fails."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from arcane.conventions import messages_of, summarise, view_of
from arcane.demo.generate import write_demo
from arcane.kit.actor import Actor
from arcane.kit.problems import BadRequest, NotFound
from arcane.model.deadline import Deadline
from arcane.model.ids import TraceId
from arcane.model.outcome import SourceError, SourceOutcome, SourceStatus
from arcane.model.span import InstrumentationScope, Resource, Span, SpanEvent, SpanKind, SpanLink, StatusCode
from arcane.model.time import NANOS_PER_MILLISECOND, NANOS_PER_SECOND
from arcane.model.trace import Trace
from arcane.spi import decode_json, traces_of
from arcane.traceql.check import check
from arcane.traceql.errors import TraceqlError
from arcane.traceql.evaluate import compile_filter, mentioned_fields
from arcane.traceql.format import format_filter, format_query
from arcane.traceql.hits import hit_of
from arcane.traceql.parse import parse
from web.asking import Answer, Found, Question

PAGE = 50
ODD_TRACE = "0dd00000000000000000000000000001"
MAX_TIME = 2**63


class BadQuery(BadRequest):
    slug = "invalid-query"
    title = "Invalid query"


@dataclass(frozen=True, slots=True)
class Stored:
    """A datasource and the traces it has."""

    id: str
    name: str
    kind: str
    traces: tuple[Trace, ...]
    down: bool = False


@cache
def corpus() -> tuple[Stored, ...]:
    """Returns the datasources of the fake instance; their newest trace began seconds ago."""
    end = time.time_ns() - 5 * NANOS_PER_SECOND
    with TemporaryDirectory() as folder:
        write_demo(Path(folder), end=end)
        parts = []
        for team in sorted(path for path in Path(folder).iterdir() if path.is_dir()):
            spans: list[Span] = []
            for file in sorted(team.glob("*.jsonl")):
                for line in file.read_bytes().splitlines():
                    spans.extend(decode_json(line))
            parts.append(tuple(traces_of(spans)))
    names = [("tempo-prod", "tempo"), ("otlp-files", "otlp_file"), ("tempo-eu", "tempo")]
    found = [Stored(f"ds-{at}", *names[at], part) for at, part in enumerate(parts[:3])]
    found[0] = Stored("ds-0", *names[0], (*found[0].traces, odd_trace(end)))
    return (*found, Stored("ds-9", "jaeger-legacy", "tempo", (), down=True))


def odd_trace(end: int) -> Trace:
    """Returns a trace with everything that is hard to draw: no root, a cycle, a clock that runs backwards, long names."""
    def span(number: int, parent: int | None, name: str, at: int, lasts: int, **more: Any) -> Span:
        return Span(
            trace_id=TraceId(ODD_TRACE),
            span_id=f"{number:016x}",  # type: ignore[arg-type]
            parent_span_id="" if parent is None else f"{parent:016x}",
            name=name,
            kind=SpanKind.INTERNAL,
            start=end - 60 * NANOS_PER_SECOND + at * NANOS_PER_MILLISECOND,
            end=end - 60 * NANOS_PER_SECOND + (at + lasts) * NANOS_PER_MILLISECOND,
            resource=more.pop("resource", Resource({"service.name": "größe-サービス", "k8s.pod.name": "pod-1"})),
            scope=InstrumentationScope("odd", "1.0"),
            **more,
        )

    event = SpanEvent(
        "exception",
        end - 59 * NANOS_PER_SECOND,
        {"exception.type": "ValueError", "exception.message": "kaputt 💥", "exception.stacktrace": "Traceback\n  line 1\n  line 2"},
    )
    return Trace(
        TraceId(ODD_TRACE),
        (
            span(2, 1, "orphan whose parent was never received", 0, 900, attributes={"session.id": "s-1"}),
            span(3, 2, "<script>alert('x')</script> & \"quotes\"", 10, 300, status=StatusCode.ERROR,
                 status_message="it broke <b>badly</b>", events=(event,)),
            span(4, 2, "数据库查询 🚀 " + "very-long-name-" * 30, 200, 400,
                 attributes={"list": ["a", "b"], "nested": {"k": 1, "deep": [True, None]}, "big": 2**60, "ratio": 0.25,
                             "long": "x" * 5000, "empty": "", "bytes": b"\x00\xff"}),
            span(5, 2, "child that starts before its parent", -120, 100),
            span(6, 5, "ends before it starts", 50, -20),
            span(7, 2, "zero length", 400, 0, links=(SpanLink(TraceId("ab" * 16), "cd" * 8, "", {"why": "retry"}),)),  # type: ignore[arg-type]
            span(8, 9, "first of a cycle", 500, 100),
            span(9, 8, "second of a cycle", 520, 50),
        ),
        warnings=("the backend cut this trace at 1 MB",),
    )  # fmt: skip


class FakeCatalog:
    """The datasources of the fake instance."""

    def __init__(self, stored: Sequence[Stored]) -> None:
        self.stored = stored

    async def list(self, actor: Actor) -> Sequence[Stored]:
        return self.stored


@dataclass(frozen=True, slots=True)
class Planned:
    name: str
    kind: str
    pushed: str | None
    residual: str | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Explained:
    canonical: str
    sources: tuple[Planned, ...]


class FakeTraces:
    """Answers from memory with the language's own semantics."""

    def __init__(self, stored: Sequence[Stored]) -> None:
        self.stored = stored

    async def search(self, actor: Actor, question: Question, deadline: Deadline) -> Answer:
        spanset = _read(question.text)
        before = int(question.cursor) if question.cursor else MAX_TIME
        found: dict[str, Found] = {}
        outcomes = []
        for source in self._chosen(question.datasources):
            outcomes.append(_outcome(source, spanset))
            rows = 0
            for trace in source.traces:
                if not question.within.overlaps(trace.start, trace.end) or trace.start >= before:
                    continue
                matched = compile_filter(spanset).matches(trace)
                if matched:
                    rows += 1
                    names = (*found[trace.trace_id].sources, source.name) if trace.trace_id in found else (source.name,)
                    hit = hit_of(trace, matched, mentioned_fields(spanset), 3)
                    found[trace.trace_id] = Found(hit, names)
            outcomes[-1] = msgspec.structs.replace(outcomes[-1], rows=min(rows, PAGE))
        ordered = sorted(found.values(), key=lambda one: one.hit.position, reverse=True)
        page = tuple(ordered[:PAGE])
        more = str(page[-1].hit.start) if len(ordered) > PAGE else None
        return Answer(page, more, tuple(outcomes), all(one.status is SourceStatus.OK for one in outcomes))

    async def explain(self, actor: Actor, question: Question, deadline: Deadline) -> Explained:
        text = format_query(_query(question.text))
        return Explained(
            text,
            tuple(
                Planned(source.name, source.kind, text if at % 2 == 0 else None, None if at % 2 == 0 else text,
                        () if at % 2 == 0 else ("the datasource cannot answer this condition",))
                for at, source in enumerate(self._chosen(question.datasources))
            ),
        )  # fmt: skip

    def trace_json(self, trace_id: str) -> bytes:
        parts = [(source, trace) for source in self.stored for trace in source.traces if trace.trace_id == trace_id]
        if not parts:
            raise NotFound("no datasource of this project has this trace")
        return msgspec.json.encode(_trace_answer(trace_id, parts, self.stored), enc_hook=str)

    def spans_of(self, trace_id: str) -> list[Span]:
        return [span for source in self.stored for trace in source.traces if trace.trace_id == trace_id for span in trace.spans]

    def _chosen(self, ids: Sequence[str]) -> list[Stored]:
        unknown = set(ids) - {source.id for source in self.stored}
        if unknown:
            raise NotFound(f"there is no datasource {sorted(unknown)[0]}")
        return [source for source in self.stored if not ids or source.id in ids]


def _query(text: str) -> Any:
    try:
        query = parse(text or "{}")
        check(query)
    except TraceqlError as exc:
        raise BadQuery(str(exc)) from exc
    return query


def _read(text: str) -> Any:
    return _query(text).filter


def _outcome(source: Stored, spanset: Any) -> SourceOutcome:
    text = None if spanset is None else format_filter(spanset)
    common = {"datasource_id": source.id, "name": source.name, "kind": source.kind}
    if source.down:
        error = SourceError("timed_out", "No answer before the deadline.")
        return SourceOutcome(**common, status=SourceStatus.FAILED, rows=0, elapsed_ms=10_000.0, error=error)
    if source.kind == "otlp_file":
        return SourceOutcome(**common, status=SourceStatus.OK, rows=0, elapsed_ms=64.2, residual=text)
    return SourceOutcome(**common, status=SourceStatus.OK, rows=0, elapsed_ms=118.4, pushed=text)


def _trace_answer(trace_id: str, parts: Sequence[tuple[Stored, Trace]], stored: Sequence[Stored]) -> dict[str, Any]:
    trace = Trace(TraceId(trace_id), [span for _, part in parts for span in part.spans])
    views = {span.span_id: view for span in trace.spans if (view := view_of(span)) is not None}
    resources: list[Resource] = []
    scopes: list[InstrumentationScope] = []
    owners: dict[str, list[int]] = {}
    for at, (_, part) in enumerate(parts):
        for span in part.spans:
            owners.setdefault(span.span_id, []).append(at)
    spans = [_span_answer(span, views, owners, resources, scopes) for span in trace.spans]
    outcomes = [
        SourceOutcome(source.id, source.name, source.kind, SourceStatus.OK, len(part.spans), 31.5)
        for source, part in parts
    ]
    held = {source.id for source, _ in parts}
    outcomes += [_outcome(source, None) for source in stored if source.id not in held and source.down]
    return {
        "trace_id": trace_id,
        "spans": spans,
        "resources": [{"attributes": _plain(one.attributes)} for one in resources],
        "scopes": [{"name": one.name, "version": one.version, "attributes": _plain(one.attributes)} for one in scopes],
        "llm": summarise(trace, views),
        "sources": outcomes,
        "warnings": [warning for _, part in parts for warning in part.warnings],
    }


def _span_answer(span: Span, views: Any, owners: Any, resources: list[Resource], scopes: list[Any]) -> dict[str, Any]:
    if span.resource not in resources:
        resources.append(span.resource)
    if span.scope not in scopes:
        scopes.append(span.scope)
    answer: dict[str, Any] = {
        "span_id": span.span_id, "parent_span_id": span.parent_span_id, "name": span.name, "kind": span.kind.word,
        "start": str(span.start), "end": str(span.end), "status": span.status.word, "status_message": span.status_message,
        "attributes": _plain(span.attributes), "resource": resources.index(span.resource),
        "scope": scopes.index(span.scope), "sources": owners[span.span_id],
        "events": [{"name": event.name, "time": str(event.time), "attributes": _plain(event.attributes)} for event in span.events],
        "links": [{"trace_id": link.trace_id, "span_id": link.span_id, "attributes": _plain(link.attributes)} for link in span.links],
    }  # fmt: skip
    if span.span_id in views:
        answer["llm"] = views[span.span_id]
        answer["messages"] = messages_of(span)
    return answer


def _plain(attributes: Any) -> Any:
    """Attributes as JSON has them: bytes as base64 (msgspec does), not-a-number as text."""
    return {name: str(value) if isinstance(value, float) and not math.isfinite(value) else value for name, value in attributes.items()}
