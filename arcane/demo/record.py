"""Turns nodes into OTLP spans, counts them, and writes the files."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path

from arcane.demo.cast import LANGUAGES, folder_of
from arcane.demo.dialects import openinference, openllmetry, otel_genai, plain, pydantic_ai, vercel_ai
from arcane.demo.dialects.spelling import Dialect
from arcane.demo.nodes import ModelCall, Node, NodeKind, Session
from arcane.demo.otlp import Record, batches, key_values, write_rotated
from arcane.demo.truth import Tally, Truth, reports_cost

SPELLERS: dict[str, Dialect] = {
    "otel_genai": otel_genai.spell,
    "openinference": openinference.spell,
    "openllmetry": openllmetry.spell,
    "vercel_ai": vercel_ai.spell,
    "pydantic_ai": pydantic_ai.spell,
}
ROTATIONS = {"storefront": 3, "engineering": 2, "platform": 1}


@dataclass(slots=True)
class Recorder:
    """Collects the spans of all traces."""

    rng: random.Random
    truth: Truth
    records: dict[str, list[Record]] = field(default_factory=dict)
    resources: dict[str, dict[str, object]] = field(default_factory=dict)

    def record(self, root: Node, session: Session, *, without_root: bool = False) -> str:
        """The trace is recorded and counted; returns its id."""
        trace_id = f"{self.rng.getrandbits(128):032x}"
        if self.rng.random() < 0.02:
            trace_id = "00" + trace_id[2:]  # backends that strip leading zeros are seen here
        for node in root.walk():
            node.span_id = f"{self.rng.getrandbits(64) | 1:016x}"
        if without_root:
            self.truth.rootless_trace = trace_id
        parents = {child.span_id: node.span_id for node in root.walk() for child in node.children}
        kept = [node for node in root.walk() if not (without_root and node is root)]
        folders: dict[str, list[Node]] = {}
        for node in kept:
            folder = folder_of(node.service, session.agent.team)
            folders.setdefault(folder, []).append(node)
            span = self._span(node, session, trace_id, parents.get(node.span_id, ""))
            self.records.setdefault(folder, []).append(span)
        self._count(trace_id, kept, folders, session)
        return trace_id

    def write(self, folder: Path) -> Truth:
        """Writes all files below `folder`; returns the truth."""
        for name, parts in ROTATIONS.items():
            lines = batches(self.records[name], self.resources)
            paths = write_rotated(folder / name, lines, parts)
            for part, path in enumerate(paths):
                count = len(lines) * (part + 1) // parts - len(lines) * part // parts
                self.truth.files[f"{name}/{path.name}"] = {"lines": count, "bytes": path.stat().st_size}
        return self.truth

    def _span(self, node: Node, session: Session, trace_id: str, parent: str) -> Record:
        spell = plain.spell if node.agent is None else SPELLERS[node.agent.dialect]
        spelled = spell(node, session)
        events = list(spelled.events)
        status: dict[str, object] = {}
        if node.failure is not None:
            status = {"message": node.failure.message, "code": 2}
            trace = f"Traceback (most recent call last):\n  ...\n{node.failure.type}: {node.failure.message}"
            attributes: dict[str, object] = {
                "exception.type": node.failure.type,
                "exception.message": node.failure.message,
            }
            events.append((node.end - 1000, "exception", attributes | {"exception.stacktrace": trace}))
            self.truth.exceptions += 1
        elif node.kind is NodeKind.AGENT:
            status = {"code": 1}
        span: dict[str, object] = {
            "traceId": trace_id,
            "spanId": node.span_id,
            "parentSpanId": parent,
            "flags": 257 if parent else 256,
            "name": spelled.name,
            "kind": node.span_kind,
            "startTimeUnixNano": str(node.start),
            "endTimeUnixNano": str(node.end),
            "attributes": key_values(spelled.attributes | node.attributes),
        }
        if events:
            span["events"] = [
                {"timeUnixNano": str(time), "name": name, "attributes": key_values(attributes)}
                for time, name, attributes in events
            ]
        if node.links:
            span["links"] = [
                {"traceId": link.trace_id, "spanId": link.span_id, "attributes": key_values({"link.kind": link.kind})}
                for link in node.links
            ]
            self.truth.links += len(node.links)
        span["status"] = status
        return Record(self._resource(node.service, session.environment), spelled.scope, node.end, span)

    def _resource(self, service: str, environment: str) -> str:
        name = f"{service}/{environment}"
        if name not in self.resources:
            self.resources[name] = {
                "service.name": service,
                "service.namespace": "shop",
                "service.version": f"{self.rng.randrange(1, 5)}.{self.rng.randrange(0, 30)}.{self.rng.randrange(0, 9)}",
                "deployment.environment.name": environment,
                "telemetry.sdk.language": LANGUAGES.get(service, "python"),
                "telemetry.sdk.name": "opentelemetry",
                "k8s.pod.name": f"{service}-{self.rng.getrandbits(32):08x}",
                "host.cores": 8,
            }
        return name

    def _count(self, trace_id: str, kept: list[Node], folders: dict[str, list[Node]], session: Session) -> None:
        truth = self.truth
        truth.start = min(truth.start, min(node.start for node in kept))
        truth.end = max(truth.end, max(node.end for node in kept))
        truth.traces_in_two_folders += len(folders) > 1
        whole = [truth.total, _tally(truth.traces, trace_id), _tally(truth.environments, session.environment)]
        whole.append(_tally(truth.dialects, session.agent.dialect))
        if session.conversation is not None:
            whole.append(_tally(truth.conversations, session.conversation))
        if session.user is not None and trace_id != truth.rootless_trace:  # the gateway's span names the user
            whole.append(_tally(truth.users, session.user))
        for tally in whole:
            _add(tally, kept)
        for folder, nodes in folders.items():
            _add(_tally(truth.folders, folder), nodes)
        for service in sorted({node.service for node in kept}):
            _add(_tally(truth.services, service), [node for node in kept if node.service == service])
        for name in sorted({node.agent.name for node in kept if node.agent is not None}):
            own = [node for node in kept if node.agent is not None and node.agent.name == name]
            _add(_tally(truth.agents, name), own)
        calls = [node for node in kept if isinstance(node.content, ModelCall)]
        for model in sorted({node.content.model.name for node in calls if isinstance(node.content, ModelCall)}):
            used = [n for n in calls if isinstance(n.content, ModelCall) and n.content.model.name == model]
            _add(_tally(truth.models, model), used)


def _tally(tallies: dict[str, Tally], name: str) -> Tally:
    return tallies.setdefault(name, Tally())


def _add(tally: Tally, nodes: list[Node]) -> None:
    errors = sum(node.failure is not None for node in nodes)
    tally.traces += 1
    tally.spans += len(nodes)
    tally.error_spans += errors
    tally.error_traces += errors > 0
    for node in nodes:
        tally.tool_calls += node.kind is NodeKind.TOOL
        if isinstance(node.content, ModelCall) and node.failure is None:
            tally.add_call(node.content, reports_cost=reports_cost(node))
