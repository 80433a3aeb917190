"""A server with Tempo's API over any corpus, for the contract suite, faults and benchmarks.

It answers by the model of Tempo's storage in `tempo_semantics`, in Tempo's shapes, and is wrong where Tempo
is: ids without their leading zeros, names only when they are asked for, `limit` traces of whatever
order unless the newest are asked for. `python -m tests.support.tempo_standin FILE PORT DELAY_S` serves a file.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from zlib import crc32

from aiohttp import web

from arcane.model.ids import TraceId, parse_trace_id
from arcane.model.span import Span
from arcane.model.time import NANOS_PER_SECOND, TimeRange
from arcane.model.trace import Trace
from arcane.spi.otlp import decode_json, traces_of
from arcane.spi.sampling import names_in, values_in
from arcane.spi.scan import AttributeQuery
from arcane.traceql.ast import Binary, Expr, Field, Literal, Op, Scope, SpansetFilter
from arcane.traceql.ast_pipeline import Pipeline, Select
from arcane.traceql.errors import TraceqlError
from arcane.traceql.evaluate import mentioned_fields
from arcane.traceql.parse import parse
from tests.support.tempo_metrics import Refused, metrics
from tests.support.tempo_semantics import matches
from tests.support.tempo_shapes import search_trace, trace_response, traces_data

_MAX_RANGE_S = 168 * 3_600
_EVERYTHING = AttributeQuery(TimeRange(0, 2**63), limit=100_000)
_NO_ROUTE = "404 page not found\n"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is answered in place of an answer. `body` is cut after `cut` bytes: the connection is closed there."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None


@dataclass(slots=True)
class Tempo:
    """What the server holds and how it behaves; a test may change it while it runs."""

    traces: Sequence[Trace]
    version: str = "3.0.3"
    delay_s: float = 0.0
    fault: Fault | None = None
    faulty_path: str = "/api/"
    """Paths that the fault is for: those that begin so."""
    tenant: str | None = None
    has_v2: bool = True
    partial: bytes = b""
    requests: list[web.Request] = field(default_factory=list)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    abandoned: int = 0
    """How many requests were cancelled while they waited."""
    """Set when a client went away before it was answered."""
    url: str = ""

    def by_id(self, trace_id: TraceId) -> Trace | None:
        return next((trace for trace in self.traces if trace.trace_id == trace_id), None)


@asynccontextmanager
async def serving(tempo: Tempo, port: int = 0) -> AsyncIterator[Tempo]:
    """Yields `tempo` with its `url`, answering on loopback."""
    application = web.Application(middlewares=[_behaviour(tempo)])
    application.add_routes(
        [
            web.get("/api/echo", _echo),
            web.get("/api/status/buildinfo", _answering(tempo, _buildinfo)),
            web.get("/api/search", _answering(tempo, _search)),
            web.get("/api/v2/traces/{id}", _answering(tempo, _trace_v2)),
            web.get("/api/traces/{id}", _answering(tempo, _trace_v1)),
            web.get("/api/metrics/query_range", _answering(tempo, _metrics)),
            web.get("/api/metrics/query", _answering(tempo, _metrics)),
            web.get("/api/v2/search/tags", _answering(tempo, _tags_v2)),
            web.get("/api/search/tags", _answering(tempo, _tags_v1)),
            web.get("/api/v2/search/tag/{name}/values", _answering(tempo, _values_v2)),
            web.get("/api/search/tag/{name}/values", _answering(tempo, _values_v1)),
        ]
    )
    runner = web.AppRunner(application, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    host, bound = runner.addresses[0][:2]
    tempo.url = f"http://{host}:{bound}"
    try:
        yield tempo
    finally:
        await runner.cleanup()


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def _behaviour(tempo: Tempo) -> Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]:
    @web.middleware
    async def behave(request: web.Request, handler: Handler) -> web.StreamResponse:
        tempo.requests.append(request)
        try:
            await asyncio.sleep(tempo.delay_s)
        except asyncio.CancelledError:
            tempo.abandoned += 1
            tempo.cancelled.set()
            raise
        if tempo.fault is not None and request.path.startswith(tempo.faulty_path):
            return await _faulty(request, tempo.fault)
        open_path = request.path in ("/api/echo", "/api/status/buildinfo")
        if tempo.tenant is not None and not open_path and request.headers.get("X-Scope-OrgID") != tempo.tenant:
            return web.Response(status=401, text="no org id")
        try:
            return await handler(request)
        except web.HTTPNotFound:
            return web.Response(status=404, text=_NO_ROUTE)

    return behave


async def _faulty(request: web.Request, fault: Fault) -> web.StreamResponse:
    if fault.cut is None:
        return web.Response(status=fault.status, body=fault.body, headers=fault.headers)
    response = web.StreamResponse(status=fault.status, headers={"Content-Length": str(len(fault.body))})
    await response.prepare(request)
    await response.write(fault.body[: fault.cut])
    if request.transport is not None:
        request.transport.abort()
    return response


def _answering(tempo: Tempo, answer: Callable[[Tempo, web.Request], web.Response]) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        return answer(tempo, request)

    return handle


async def _echo(request: web.Request) -> web.StreamResponse:
    return web.Response(text="echo\n")


def _buildinfo(tempo: Tempo, request: web.Request) -> web.Response:
    return web.json_response({"version": tempo.version, "revision": "", "branch": "", "goVersion": "go1.27.3"})


def _search(tempo: Tempo, request: web.Request) -> web.Response:
    params = request.query
    start, end, limit = int(params.get("start", 0)), int(params.get("end", 0)), int(params.get("limit", 20))
    if start >= end:
        return _refused(f"http parameter start must be before end. received start={start} end={end}")
    if end - start > _MAX_RANGE_S:
        return _refused("range specified by start and end exceeds 168h0m0s.")
    spss = int(params.get("spss", 3))
    if not 1 <= spss <= 100:
        return _refused(f"spans per span set exceeds 100. received {spss}")
    try:
        query = parse(params["q"])
    except TraceqlError:
        return _refused("invalid TraceQL query: parse error")
    stages = query.body.stages if isinstance(query.body, Pipeline) else (query.body,)
    spanset = stages[0]
    if not isinstance(spanset, SpansetFilter):
        return _refused("the stand-in knows one filter")
    selected = [field for stage in stages if isinstance(stage, Select) for field in stage.fields]
    most_recent = any(hint.name == "most_recent" and hint.value.value is True for hint in query.hints)
    found = []
    for trace in _in_window(tempo, start, end, newest_first=most_recent):
        matched = matches(spanset.condition, trace)
        if matched:
            found.append(search_trace(trace, matched, [*mentioned_fields(spanset), *selected], spss))
        if len(found) == limit:
            break
    found.sort(key=lambda one: int(one["startTimeUnixNano"]), reverse=True)
    return web.json_response({"traces": found, "metrics": {"completedJobs": 1, "totalJobs": 1}})


def _in_window(tempo: Tempo, start: int, end: int, *, newest_first: bool) -> list[Trace]:
    window = TimeRange(start * NANOS_PER_SECOND, end * NANOS_PER_SECOND)
    found = [trace for trace in tempo.traces if window.overlaps(trace.start, trace.end)]
    if newest_first:
        # Of traces that began together, whichever comes first: here never the one that Arcane puts first.
        return sorted(found, key=lambda trace: (-trace.start, trace.trace_id))
    return sorted(found, key=lambda trace: crc32(trace.trace_id.encode()))


def _trace_v2(tempo: Tempo, request: web.Request) -> web.Response:
    if not tempo.has_v2:
        return web.Response(status=404, text=_NO_ROUTE)
    trace = _requested_trace(tempo, request)
    if isinstance(trace, web.Response):
        return trace
    body = trace_response(trace.spans, partial=tempo.partial) if trace else b"\x0a\x00\x12\x00"
    return web.Response(body=body, content_type="application/protobuf")


def _trace_v1(tempo: Tempo, request: web.Request) -> web.Response:
    trace = _requested_trace(tempo, request)
    if isinstance(trace, web.Response):
        return trace
    if trace is None:
        return web.Response(status=404)
    return web.Response(body=traces_data(trace.spans), content_type="application/protobuf")


def _requested_trace(tempo: Tempo, request: web.Request) -> Trace | web.Response | None:
    if request.headers.get("Accept") != "application/protobuf":
        return _refused("the stand-in answers traces as protobuf")
    try:
        return tempo.by_id(parse_trace_id(request.match_info["id"]))
    except ValueError:
        return _refused("trace IDs can only contain hex characters")


def _metrics(tempo: Tempo, request: web.Request) -> web.Response:
    if not tempo.version.startswith("3"):
        return web.Response(status=404, text=_NO_ROUTE)
    try:
        found = metrics(tempo.traces, request.query, instant=request.path.endswith("/query"))
    except Refused as exc:
        return _refused(str(exc))
    return web.json_response(found)


def _tags_v2(tempo: Tempo, request: web.Request) -> web.Response:
    if not tempo.has_v2:
        return web.Response(status=404, text=_NO_ROUTE)
    scopes: dict[str, list[str]] = {"intrinsic": ["duration", "name", "status"]}
    for name in names_in(_samples(tempo, request), _EVERYTHING):
        scopes.setdefault(name.field.scope.value, []).append(name.field.name)
    return web.json_response({"scopes": [{"name": name, "tags": tags} for name, tags in scopes.items()], "metrics": {}})


def _tags_v1(tempo: Tempo, request: web.Request) -> web.Response:
    wanted = request.query["scope"]
    names = names_in(_samples(tempo, request), _EVERYTHING)
    return web.json_response({"tagNames": [name.field.name for name in names if name.field.scope == wanted]})


def _values_v2(tempo: Tempo, request: web.Request) -> web.Response:
    if not tempo.has_v2:
        return web.Response(status=404, text=_NO_ROUTE)
    try:
        query = parse(f"{{ {request.match_info['name']} != nil }}")
    except TraceqlError:
        return _refused("please provide a valid tagName")
    found = values_in(_samples(tempo, request), mentioned_fields(query.body)[0], _EVERYTHING)  # type: ignore[arg-type]
    values = [{"type": value.type, "value": _spelled(value.value)} for value in found]
    return web.json_response({"tagValues": values, "metrics": {}})


def _values_v1(tempo: Tempo, request: web.Request) -> web.Response:
    found = values_in(_samples(tempo, request), Field(Scope.NONE, request.match_info["name"]), _EVERYTHING)
    return web.json_response({"tagValues": [_spelled(value.value) for value in found]})


def _spelled(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _samples(tempo: Tempo, request: web.Request) -> Iterable[tuple[Trace, Sequence[Span]]]:
    """`q` is best effort: conditions on attributes without a scope are ignored, without a word."""
    start, end = int(request.query["start"]), int(request.query["end"])
    condition = None
    if "q" in request.query:
        spanset = parse(request.query["q"]).filter
        condition = _scoped(spanset.condition) if spanset else None
    return [(trace, matches(condition, trace)) for trace in _in_window(tempo, start, end, newest_first=True)]


def _scoped(expr: Expr | None) -> Expr | None:
    match expr:
        case Binary(Op.AND, left, right):
            one, other = _scoped(left), _scoped(right)
            return Binary(Op.AND, one, other) if one and other else one or other
        case Binary(_, Field(scope=Scope.NONE), Literal()):
            return None
    return expr


def _refused(text: str) -> web.Response:
    return web.Response(status=400, text=text)


async def _serve(traces: Sequence[Trace], port: int, delay_s: float) -> None:
    async with serving(Tempo(traces, delay_s=delay_s), port) as tempo:
        sys.stdout.write(json.dumps({"url": tempo.url}) + "\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


def traces_in(path: Path) -> list[Trace]:
    """Returns the traces of a file of OTLP JSON lines."""
    return traces_of(span for line in path.read_bytes().splitlines() for span in decode_json(line))


if __name__ == "__main__":
    asyncio.run(_serve(traces_in(Path(sys.argv[1])), int(sys.argv[2]), float(sys.argv[3])))
