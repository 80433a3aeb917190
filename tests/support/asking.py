"""The traces slice over sources in memory: everything real but the organisation around it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
from fastapi import FastAPI, Request

from arcane.access.permissions import TRACES_READ
from arcane.access.scope import ProjectScope, TraceFilter
from arcane.catalog.problems import UnknownDatasource
from arcane.federation.execute import Engine
from arcane.federation.source import Source
from arcane.kit.actor import Actor, ActorKind
from arcane.kit.http import RequestEdge, install_problem_handlers
from arcane.kit.pagination import Cursors
from arcane.kit.signing import Signer
from arcane.model.ids import SpanId, TraceId
from arcane.model.span import Resource, Span, SpanKind, StatusCode
from arcane.model.time import NANOS_PER_SECOND
from arcane.model.trace import Trace
from arcane.settings import LimitSettings, Settings
from arcane.spi.adapter import Adapter
from arcane.spi.capabilities import Capabilities
from arcane.traces.endpoints import router
from arcane.traces.measuring import MetricsService
from arcane.traces.metrics_endpoints import router as metrics_router
from arcane.traces.reading import QueryReader
from arcane.traces.service import TraceService
from arcane.traces.stream_endpoints import router as stream_router
from datasources.memory.adapter import Faults, MemoryAdapter
from datasources.memory.plugin import EVERYTHING
from tests.support.clock import SetClock

NOON = datetime(2026, 8, 1, 12, 0, tzinfo=UTC)
NOON_NANOS = int(NOON.timestamp()) * NANOS_PER_SECOND


@dataclass(slots=True)
class Everyone:
    """Lets one actor in everywhere."""

    actor: Actor

    async def authorise(self, request: Request, permission: str | None) -> Actor:
        return self.actor


@dataclass(slots=True)
class Shelf:
    """The datasources of the organisation."""

    held: dict[UUID, Source] = field(default_factory=dict)

    async def sources(self, actor: Actor, ids: Sequence[UUID] | None) -> list[Source]:
        for one in ids or ():
            if one not in self.held:
                raise UnknownDatasource("there is no such datasource", datasource_id=str(one))
        return [self.held[one] for one in (self.held if ids is None else dict.fromkeys(ids))]

    def put(self, name: str, adapter: Adapter, kind: str = "memory") -> str:
        """Returns the id of the new datasource."""
        made = UUID(int=len(self.held) + 1)
        self.held[made] = Source(str(made), name, kind, adapter)
        return str(made)


@dataclass(slots=True)
class Scope:
    """What the project and its rules say; a test may change it."""

    trace_filter: TraceFilter | None = None
    hidden: frozenset[str] = frozenset()

    async def of(self, actor: Actor) -> ProjectScope:
        return ProjectScope(self.trace_filter, self.hidden)


@dataclass(slots=True)
class Asker:
    """The slice behind HTTP, and what it stands on."""

    client: httpx.AsyncClient  # noqa: TID251 - of the application under test
    shelf: Shelf
    scope: Scope
    service: TraceService
    actor: Actor
    app: FastAPI

    def add(
        self,
        name: str,
        traces: Sequence[Trace],
        can: Capabilities = EVERYTHING,
        faults: Faults = Faults(),
    ) -> str:
        """Returns the id of a new datasource that holds `traces`."""
        return self.shelf.put(name, MemoryAdapter(traces, can, faults=faults))

    @property
    def root(self) -> str:
        return f"/projects/{self.actor.project_id}"

    async def post(self, path: str, body: Any, status: int = 200) -> Any:
        answer = await self.client.post(self.root + path, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def get(self, path: str, status: int = 200, **params: Any) -> Any:
        answer = await self.client.get(self.root + path, params=params)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def search(self, query: str = "", status: int = 200, **more: Any) -> Any:
        return await self.post("/search", {"query": query, **more}, status)

    async def stream(self, query: str = "", accept: str = "application/x-ndjson", **more: Any) -> list[dict[str, Any]]:
        """Returns the events of a streamed search."""
        answer = await self.client.post(
            f"{self.root}/search/stream", json={"query": query, **more}, headers={"accept": accept}
        )
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].partition(";")[0] == accept
        return [json.loads(line) for line in answer.text.splitlines()]

    async def measure(self, query: str, status: int = 200, **more: Any) -> Any:
        return await self.post("/metrics", {"query": query, **more}, status)


def service_on(shelf: Shelf, scope: Scope, limits: LimitSettings) -> TraceService:
    return TraceService(
        catalog=shelf,
        scopes=scope,
        engine=Engine(limits),
        cursors=Cursors(Signer.of((b"k" * 32,), "cursor")),
        reader=QueryReader(limits.query_bytes_max),
        clock=SetClock(NOON),
        limits=limits,
    )


@asynccontextmanager
async def asking(limits: LimitSettings | None = None) -> AsyncIterator[Asker]:
    """Yields the slice with no datasource yet; it is noon on the first of August."""
    actor = Actor(
        ActorKind.API_KEY, uuid4(), "key", frozenset({TRACES_READ}), organisation_id=uuid4(), project_id=uuid4()
    )
    shelf, scope = Shelf(), Scope()
    app = FastAPI()
    app.state.settings = Settings(limits=limits or LimitSettings())
    app.state.authoriser = Everyone(actor)
    app.state.traces = service = service_on(shelf, scope, app.state.settings.limits)
    app.state.metrics = MetricsService(service)
    install_problem_handlers(app)
    app.include_router(router)
    app.include_router(stream_router)
    app.include_router(metrics_router)
    app.add_middleware(RequestEdge, max_body_bytes=app.state.settings.server.max_body_bytes)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=True)
    async with httpx.AsyncClient(transport=transport, base_url="http://arcane.test") as client:  # noqa: TID251
        yield Asker(client, shelf, scope, service, actor, app)


def numbered(number: int, *, spans: int = 2, seconds_ago: int | None = None, **attributes: Any) -> Trace:
    """Returns a trace that began some seconds before noon: a root and its children, the last one failed."""
    began = NOON_NANOS - (number + 1 if seconds_ago is None else seconds_ago) * NANOS_PER_SECOND
    trace_id = TraceId(f"{number + 1:032x}")
    resource = Resource({"service.name": f"service-{number % 2}"})
    root = SpanId(f"{number + 1:08x}00000001")
    members = [
        Span(
            trace_id,
            SpanId(f"{number + 1:08x}{index + 1:08x}"),
            "" if index == 0 else root,
            "GET /" if index == 0 else f"step {index}",
            SpanKind.SERVER if index == 0 else SpanKind.INTERNAL,
            began + index * 1_000,
            began + 1_000_000 + index * 1_000,
            StatusCode.ERROR if index and index == spans - 1 else StatusCode.UNSET,
            attributes={"number": number, **attributes},
            resource=resource,
        )
        for index in range(spans)
    ]
    return Trace(trace_id, members)


def part_of(trace: Trace, *, root: bool) -> Trace:
    """Returns the root of a trace alone, or all the rest of it: what one of two stores may have."""
    return Trace(trace.trace_id, [span for span in trace.spans if bool(span.parent_span_id) is not root])


def without(can: Capabilities, **changes: Any) -> Capabilities:
    return replace(can, **changes)
