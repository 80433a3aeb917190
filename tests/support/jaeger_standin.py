"""A server with Jaeger's APIs over any corpus, for the contract suite and for faults.

It answers as one of the `jaeger_storages` finds, in Jaeger's shapes: a path that it does not know is its page
with status 200, nothing found is a 404 with JSON in it, failures are JSON that is served as text.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

from aiohttp import web

from arcane.model.ids import parse_trace_id
from arcane.model.time import nanos_of
from arcane.model.trace import Trace
from arcane.spi import Deadline, HttpRequest, HttpResponse, HttpSession, HttpStream, encode_json
from tests.support.jaeger_storages import Query, Refused, Storage

_PAGE = '<!doctype html><script>JAEGER_VERSION = {"gitCommit":"c0ffee","gitVersion":"v2.13.0","buildDate":""};</script>'
_UNITS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000}
_OPEN = frozenset({"/"})


class FirstApiOnly:
    """A session through a gateway that lets nothing of the third API pass."""

    def __init__(self, http: HttpSession) -> None:
        self._http = http

    async def send(self, request: HttpRequest, deadline: Deadline) -> HttpResponse:
        if request.path.startswith("/api/v3/"):
            return HttpResponse(404, {"content-type": "text/plain"}, b"404 page not found\n")
        return await self._http.send(request, deadline)

    def stream(self, request: HttpRequest, deadline: Deadline) -> AbstractAsyncContextManager[HttpStream]:
        return self._http.stream(request, deadline)


@dataclass(slots=True)
class Jaeger:
    """What the server holds and how it behaves; a test may change it while it runs."""

    storage: Storage
    has_v3: bool = True
    has_v1: bool = True
    reads_attributes: bool = False
    """Since 2.19."""
    in_lines: bool = False
    """The third API sends a document a trace, as a gateway to gRPC did."""
    tenant: str | None = None
    delay_s: float = 0.0
    fault: tuple[int, bytes] | None = None
    faulty_path: str = "/api/"
    requests: list[web.Request] = field(default_factory=list)
    url: str = ""

    def searches(self) -> list[dict[str, str]]:
        """Returns the parameters of the searches so far."""
        return [dict(one.query) for one in self.requests if one.path in ("/api/v3/traces", "/api/traces")]


@asynccontextmanager
async def serving(jaeger: Jaeger) -> AsyncIterator[Jaeger]:
    """Yields `jaeger` with its `url`, answering on loopback."""
    application = web.Application(middlewares=[_behaviour(jaeger)])
    if jaeger.has_v3:
        application.add_routes(
            [
                web.get("/api/v3/services", _with(jaeger, _services_v3)),
                web.get("/api/v3/operations", _with(jaeger, _operations_v3)),
                web.get("/api/v3/traces", _with(jaeger, _search_v3)),
                web.get("/api/v3/traces/{id}", _with(jaeger, _trace_v3)),
            ]
        )
    if jaeger.has_v1:
        application.add_routes(
            [
                web.get("/api/services", _with(jaeger, _services_v1)),
                web.get("/api/services/{service}/operations", _with(jaeger, _operations_v1)),
                web.get("/api/traces", _with(jaeger, _search_v1)),
                web.get("/api/traces/{id}", _with(jaeger, _trace_v1)),
            ]
        )
    application.router.add_get("/{anything:.*}", _page)
    runner = web.AppRunner(application, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, bound = runner.addresses[0][:2]
    jaeger.url = f"http://{host}:{bound}"
    try:
        yield jaeger
    finally:
        await runner.cleanup()


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def _behaviour(jaeger: Jaeger) -> Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]:
    @web.middleware
    async def behave(request: web.Request, handler: Handler) -> web.StreamResponse:
        jaeger.requests.append(request)
        await asyncio.sleep(jaeger.delay_s)
        if jaeger.fault is not None and request.path.startswith(jaeger.faulty_path):
            return web.Response(status=jaeger.fault[0], body=jaeger.fault[1])
        if jaeger.tenant is not None and request.path not in _OPEN and "x-tenant" not in request.headers:
            return web.Response(status=401, text="missing tenant header")
        return await handler(request)

    return behave


def _with(jaeger: Jaeger, answer: Callable[[Jaeger, web.Request], web.Response]) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        return answer(jaeger, request)

    return handle


async def _page(_request: web.Request) -> web.Response:
    return web.Response(text=_PAGE, content_type="text/html")


def _services(jaeger: Jaeger) -> list[str]:
    return list({span.service_name for trace in jaeger.storage.traces for span in trace.spans if span.service_name})


def _operations(jaeger: Jaeger, service: str) -> list[tuple[str, str]]:
    spans = (span for trace in jaeger.storage.traces for span in trace.spans if span.service_name == service)
    return list({(span.name, span.kind.word) for span in spans})


def _services_v3(jaeger: Jaeger, _request: web.Request) -> web.Response:
    return _text({"services": _services(jaeger)})


def _operations_v3(jaeger: Jaeger, request: web.Request) -> web.Response:
    found = _operations(jaeger, request.query.get("service", ""))
    return _text({"operations": [{"name": name, "spanKind": kind} for name, kind in found]})


def _search_v3(jaeger: Jaeger, request: web.Request) -> web.Response:
    asked = request.query
    if "query.start_time_min" not in asked or "query.start_time_max" not in asked:
        return _failure_v3(400, "query.start_time_min and query.start_time_max are required")
    tags: dict[str, str] = {}
    if jaeger.reads_attributes:
        for text in asked.getall("query.attributes", []):
            try:
                tags = json.loads(text)
            except ValueError:
                return _failure_v3(400, "malformed parameter query.attributes")
    query = Query(
        asked.get("query.service_name", ""),
        asked.get("query.operation_name", ""),
        _moment(asked["query.start_time_min"]),
        _moment(asked["query.start_time_max"]),
        int(asked.get("query.num_traces", "0")),
        _duration(asked.get("query.duration_min", "")),
        _duration(asked.get("query.duration_max", "")),
        tags,
    )
    try:
        return _traces_v3(jaeger, jaeger.storage.find(query))
    except Refused as exc:
        return _failure_v3(500, str(exc))


def _trace_v3(jaeger: Jaeger, request: web.Request) -> web.Response:
    wanted = parse_trace_id(request.match_info["id"])
    return _traces_v3(jaeger, [trace for trace in jaeger.storage.traces if trace.trace_id == wanted])


def _traces_v3(jaeger: Jaeger, traces: list[Trace]) -> web.Response:
    if not traces:
        return _failure_v3(404, "No traces found")
    if jaeger.in_lines:
        lines = [b'{"result":' + b"".join(encode_json(trace.spans)) + b"}" for trace in traces]
        return web.Response(body=b"\n".join(lines), content_type="text/plain")
    spans = [span for trace in traces for span in reversed(trace.spans)]
    document = b"".join(encode_json(spans))
    return web.Response(body=b'{"result":' + document + b"}", content_type="text/plain")


def _failure_v3(status: int, message: str) -> web.Response:
    return _text({"error": {"httpCode": status, "message": message}}, status)


def _services_v1(jaeger: Jaeger, _request: web.Request) -> web.Response:
    return _data(_services(jaeger))


def _operations_v1(jaeger: Jaeger, request: web.Request) -> web.Response:
    return _data(sorted({name for name, _ in _operations(jaeger, request.match_info["service"])}))


def _search_v1(jaeger: Jaeger, request: web.Request) -> web.Response:
    asked = request.query
    if not asked.get("service"):
        return _failure_v1(400, "parameter 'service' is required")
    query = Query(
        asked["service"],
        asked.get("operation", ""),
        int(asked["start"]) * 1_000,
        int(asked["end"]) * 1_000,
        int(asked.get("limit", "100")),
        _duration(asked.get("minDuration", "")),
        _duration(asked.get("maxDuration", "")),
        json.loads(asked.get("tags", "{}")),
    )
    if query.shortest and query.longest and query.longest < query.shortest:
        return _failure_v1(400, "'maxDuration' should be greater than 'minDuration'")
    try:
        return _traces_v1(jaeger, jaeger.storage.find(query))
    except Refused as exc:
        return _failure_v1(500, str(exc))


def _trace_v1(jaeger: Jaeger, request: web.Request) -> web.Response:
    wanted = parse_trace_id(request.match_info["id"])
    found = [trace for trace in jaeger.storage.traces if trace.trace_id == wanted]
    return _traces_v1(jaeger, found) if found else _failure_v1(404, "trace not found")


def _traces_v1(jaeger: Jaeger, traces: list[Trace]) -> web.Response:
    data = b",".join(jaeger.storage.over_v1(trace) for trace in traces)
    body = b'{"data":[' + data + b'],"total":0,"limit":0,"offset":0,"errors":null}'
    return web.Response(body=body, content_type="application/json")


def _data(data: list[str]) -> web.Response:
    return web.json_response({"data": data, "total": len(data), "limit": 0, "offset": 0, "errors": None})


def _failure_v1(status: int, message: str) -> web.Response:
    errors = [{"code": status, "msg": message}]
    return _text({"data": None, "total": 0, "limit": 0, "offset": 0, "errors": errors}, status)


def _text(body: object, status: int = 200) -> web.Response:
    return web.Response(text=json.dumps(body) + "\n", status=status, content_type="text/plain")


def _moment(text: str) -> int:
    return nanos_of(datetime.fromisoformat(text))


def _duration(text: str) -> int:
    """One number and one unit of Go's; anything else is a failure of the test."""
    if not text:
        return 0
    match = re.fullmatch(r"(\d+)(ns|us|ms|s)", text)
    assert match is not None, text
    return int(match[1]) * _UNITS[match[2]]
