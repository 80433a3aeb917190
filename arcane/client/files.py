"""OTLP files asked directly, without an instance: the same engine, over one adapter for each path."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn
from uuid import UUID, uuid4

import anyio
import msgspec

from arcane.access.scope import ProjectScope
from arcane.catalog.registry import Registry
from arcane.client.asked import Asked
from arcane.client.errors import ClientError, Exit, refused
from arcane.federation.execute import Engine
from arcane.federation.question import StreamOrder
from arcane.federation.source import Source
from arcane.kit.actor import Actor, ActorKind
from arcane.kit.clock import SystemClock
from arcane.kit.pagination import Cursors
from arcane.kit.problems import Problem
from arcane.kit.signing import Signer
from arcane.model.deadline import Deadline
from arcane.model.notice import encoded
from arcane.model.time import NANOS_PER_SECOND, TimeRange
from arcane.settings import LimitSettings
from arcane.spi.adapter import Adapter, AdapterContext
from arcane.traces.bodies import SearchBody, hit_body
from arcane.traces.measuring import MetricsRequest, MetricsService
from arcane.traces.metrics_bodies import metrics_body
from arcane.traces.metrics_schemas import MetricsPlanOut, step_of
from arcane.traces.questions import SearchRequest
from arcane.traces.reading import QueryReader
from arcane.traces.schemas import PlanOut
from arcane.traces.service import TraceService, check_ended
from arcane.traces.stream_bodies import event_body, ndjson
from arcane.traces.times import LATEST, parse_time

_KIND = "otlp_file"
_WITHIN_S = 600.0
_DAY = 86_400 * NANOS_PER_SECOND
_INDEX_BYTES = 1024 * 1024 * 1024


class _NoHttp:
    """Files need no way out."""

    def send(self, *_: object) -> NoReturn:
        raise ClientError("a file was to be read over HTTP")

    stream = send


@dataclass(frozen=True, slots=True)
class _Files:
    """The sources, and the scope: nobody's project, all of it."""

    held: Sequence[Source]

    async def sources(self, actor: Actor, ids: Sequence[UUID] | None) -> list[Source]:
        return list(self.held)

    async def of(self, actor: Actor) -> ProjectScope:
        return ProjectScope(None, frozenset())


def search_files(paths: Sequence[Path], asked: Asked) -> dict[str, Any]:
    """Returns a page of the traces in the files (SearchOut); raises ClientError."""

    async def search(service: TraceService, request: SearchRequest) -> bytes:
        answer = await service.search(_nobody(), request, Deadline.after(_WITHIN_S))
        items = [hit_body(found.hit, found.datasource_ids, found.whole) for found in answer.found]
        return msgspec.json.encode(SearchBody(items, answer.next, answer.complete, answer.sources), enc_hook=encoded)

    found: dict[str, Any] = json.loads(_run(paths, asked, search))
    return found


def stream_files(paths: Sequence[Path], asked: Asked, take: Callable[[str], None]) -> None:
    """Returns when `take` has had every event of a streamed search in the files; raises ClientError."""

    async def stream(service: TraceService, request: SearchRequest) -> bytes:
        endless = replace(request, order=StreamOrder.NEWEST, endless=asked.limit is None)
        question = await service.ask(_nobody(), endless)
        async with service.arriving(question, Deadline.after(_WITHIN_S)) as arriving:
            async for events in arriving:
                check_ended(events[-1], abort=False)
                for event in events:
                    take(ndjson(event_body(event)).decode())
        return b""

    _run(paths, asked, stream)


def explain_files(paths: Sequence[Path], asked: Asked) -> dict[str, Any]:
    """Returns how the files would be asked (PlanOut, or MetricsPlanOut); raises ClientError."""

    async def explain(service: TraceService, request: SearchRequest) -> bytes:
        deadline = Deadline.after(_WITHIN_S)
        if asked.measures:
            wanted = await _measurement(service, asked, request)
            measured = await MetricsService(service).explain(_nobody(), wanted, deadline)
            return MetricsPlanOut.model_validate(measured).model_dump_json().encode()
        plan = await service.explain(_nobody(), request, deadline)
        return PlanOut.model_validate(plan).model_dump_json().encode()

    planned: dict[str, Any] = json.loads(_run(paths, asked, explain))
    return planned


def measure_files(paths: Sequence[Path], asked: Asked) -> dict[str, Any]:
    """Returns time series of the spans in the files (MetricsOut); raises ClientError.

    Without a range it is the day that ends with the newest trace: files may be of any age.
    """

    async def measure(service: TraceService, request: SearchRequest) -> bytes:
        wanted = await _measurement(service, asked, request)
        answer = await MetricsService(service).measure(_nobody(), wanted, Deadline.after(_WITHIN_S))
        return msgspec.json.encode(metrics_body(answer), enc_hook=encoded)

    found: dict[str, Any] = json.loads(_run(paths, asked, measure))
    return found


def _anything() -> SearchRequest:
    return SearchRequest("{}", within=TimeRange(0, LATEST), limit=1)


async def _measurement(service: TraceService, asked: Asked, request: SearchRequest) -> MetricsRequest:
    try:
        step = step_of(asked.step)
    except ValueError as exc:
        raise ClientError(str(exc), Exit.REFUSED) from exc
    within = request.within
    if asked.since is None and asked.until is None:
        newest = (await service.search(_nobody(), _anything(), Deadline.after(_WITHIN_S))).found
        end = newest[0].hit.start + newest[0].hit.duration + 1 if newest else _DAY
        within = TimeRange(max(0, end - _DAY), end)
    return MetricsRequest(asked.query, (), within, step, asked.instant)


def _run(paths: Sequence[Path], asked: Asked, work: Any) -> bytes:
    limits = LimitSettings(source_timeout_s=_WITHIN_S, datasources_per_search=max(16, len(paths)), metrics_settle_s=0)

    async def run() -> bytes:
        files = _Files([_source(number, path) for number, path in enumerate(paths)])
        service = TraceService(
            catalog=files,
            scopes=files,
            engine=Engine(limits),
            cursors=Cursors(Signer.of((uuid4().bytes,), "cursor")),
            reader=QueryReader(limits.query_bytes_max),
            clock=SystemClock(),
            limits=limits,
        )
        try:
            answer: bytes = await work(service, _request(asked))
        except Problem as exc:
            raise refused(json.loads(msgspec.json.encode(exc.body(""), enc_hook=str)), asked.query) from exc
        finally:
            for source in files.held:
                await source.adapter.aclose()
        return answer

    return anyio.run(run)


def _request(asked: Asked) -> SearchRequest:
    """Returns the question; files are asked for all time unless a range is named."""
    body = asked.body([], datetime.now(UTC))
    try:
        start = parse_time(body["start"]) if "start" in body else 0
        end = parse_time(body["end"]) if "end" in body else LATEST
        within = TimeRange(start, end)
    except ValueError as exc:
        raise ClientError(str(exc), Exit.REFUSED) from exc
    return SearchRequest(asked.query, within=within, limit=asked.limit)


def _source(number: int, path: Path) -> Source:
    return Source(str(UUID(int=number)), str(path), _KIND, _adapter(path))


def _adapter(path: Path) -> Adapter:
    plugin = Registry.load().plugin(_KIND)
    if plugin is None:
        raise ClientError(f"the kind {_KIND} is not installed")
    where = path.absolute()
    root = Path(*_before_pattern(where))
    if not root.exists():
        raise ClientError(f"there is no {path}")
    roots = (root if root.is_dir() else root.parent,)
    context = AdapterContext(http=_NoHttp(), max_response_bytes=0, max_index_bytes=_INDEX_BYTES, file_roots=roots)
    return plugin.connect(plugin.settings(path=str(where)), context)


def _before_pattern(path: Path) -> list[str]:
    """Returns the parts of the path before the first one that is a pattern."""
    parts: list[str] = []
    for part in path.parts:
        if any(sign in part for sign in "*?["):
            break
        parts.append(part)
    return parts


def _nobody() -> Actor:
    return Actor(ActorKind.SYSTEM, UUID(int=0), "shell", frozenset(), project_id=UUID(int=0))
