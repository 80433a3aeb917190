"""Traces to look at: the demo's day, and what breaks pages: odd names, missing roots, a source that fails."""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

import anyio

from arcane.access.scope import ProjectScope
from arcane.catalog.problems import UnknownDatasource
from arcane.demo.generate import write_demo
from arcane.federation.source import Source
from arcane.kit.actor import Actor
from arcane.kit.pagination import Cursors
from arcane.kit.secrets import KeyRing, generate_key
from arcane.model.deadline import Deadline
from arcane.model.ids import TraceId
from arcane.model.span import InstrumentationScope, Resource, Span, SpanEvent, SpanKind, SpanLink, StatusCode
from arcane.model.time import NANOS_PER_MILLISECOND, NANOS_PER_SECOND
from arcane.model.trace import Trace
from arcane.settings import Settings
from arcane.spi import Capabilities, LiteralType, Op, Order, PushRule, Scope, TimedOut, decode_json, traces_of
from arcane.spi.scan import ScanPage, ScanRequest
from arcane.traces.service import TraceService
from arcane.traces.wiring import build_traces
from datasources.memory.adapter import Faults, MemoryAdapter

ODD_TRACE = "0dd00000000000000000000000000001"
EVERYTHING = PushRule(frozenset(Scope), frozenset(Op), frozenset(LiteralType))


class Held(MemoryAdapter):
    """Answers when a test lets it."""

    held: threading.Event | None = None

    async def scan(self, request: ScanRequest, deadline: Deadline) -> AsyncGenerator[ScanPage, None]:
        if self.held is not None:
            await anyio.to_thread.run_sync(self.held.wait, abandon_on_cancel=True)
        async for page in super().scan(request, deadline):
            yield page


@dataclass(frozen=True, slots=True)
class Stored:
    """A datasource and the traces it has; one that is down never answers, and one may be slow."""

    id: UUID
    name: str
    kind: str
    traces: tuple[Trace, ...]
    down: bool = False
    slow_s: float = 0.0
    held: threading.Event | None = None
    """It answers while this is set."""

    @property
    def source(self) -> Source:
        """Returns it as the engine asks it. A tempo answers every condition itself, files answer none."""
        whole = {"order": Order.NEWEST_FIRST, "whole_traces": True, "native_attributes": True}
        push: dict[str, Any] = (
            {"push": (EVERYTHING,), "push_or": True, "push_not": True} if self.kind == "tempo" else {}
        )
        fault = TimedOut("No answer before the deadline.") if self.down else None
        faults = Faults(latency_s=self.slow_s, scan=fault, get_trace=fault, check=fault)
        adapter = Held(self.traces, Capabilities(**whole, **push), faults=faults)  # type: ignore[arg-type]
        adapter.held = self.held
        return Source(str(self.id), self.name, self.kind, adapter)


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
    found = [Stored(UUID(int=at + 1), *names[at], part) for at, part in enumerate(parts[:3])]
    found[0] = Stored(found[0].id, *names[0], (*found[0].traces, odd_trace(end)))
    return (*found, Stored(UUID(int=9), "jaeger-legacy", "tempo", (), down=True))


def trace_ids() -> dict[str, str]:
    """Returns traces that tests open: the one with 5,000 spans, the odd one, one of two datasources."""
    every = [trace for stored in corpus() for trace in stored.traces]
    seen = [trace.trace_id for trace in every]
    return {
        "large": max(every, key=lambda trace: len(trace.spans)).trace_id,
        "odd": ODD_TRACE,
        "split": next(trace_id for trace_id in seen if seen.count(trace_id) > 1),
    }


def odd_trace(end: int) -> Trace:
    """Returns a trace with what is hard to draw: no root, a cycle, clocks that differ, long names."""

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
        {
            "exception.type": "ValueError",
            "exception.message": "kaputt 💥",
            "exception.stacktrace": "Traceback\n  line 1\n  line 2",
        },
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
    """The datasources of the fake instance, for the engine and for forms."""

    def __init__(self, stored: Sequence[Stored]) -> None:
        self.stored = stored
        self._sources = {one.id: one.source for one in stored}

    async def list(self, actor: Actor) -> Sequence[Stored]:
        return self.stored

    async def sources(self, actor: Actor, ids: Sequence[UUID] | None) -> list[Source]:
        unknown = set(ids or ()) - set(self._sources)
        if unknown:
            raise UnknownDatasource(f"there is no datasource {unknown.pop()}")
        return [source for id_, source in self._sources.items() if ids is None or id_ in ids]


class FakeScopes:
    """Everybody sees everything."""

    async def of(self, actor: Actor) -> ProjectScope:
        return ProjectScope(None, frozenset())


def fake_traces(settings: Settings, catalog: FakeCatalog) -> TraceService:
    """Returns the real service over the fake instance's datasources."""
    cursors = Cursors(KeyRing.from_texts([generate_key()]).signer("cursor"))
    return build_traces(settings, catalog, FakeScopes(), cursors)
