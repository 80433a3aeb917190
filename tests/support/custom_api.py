"""Servers of the two contracts: the example of the documentation as it stands there, and stand-ins for others."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from zlib import crc32

from aiohttp import web

from arcane.model.span import Span
from arcane.model.time import NANOS_PER_MILLISECOND, NANOS_PER_SECOND, TimeRange
from arcane.model.trace import Trace
from arcane.spi import encode_json, names_in
from arcane.spi.scan import AttributeQuery
from arcane.traceql.evaluate import compile_filter
from arcane.traceql.parse import parse
from tests.support.mortal import end_with_parent

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "datasources" / "custom_api.md"
Answer = Callable[[web.Request], Any]
"""A JSON document, or a whole response."""


def example_source() -> str:
    """Returns the server that the page shows."""
    (code,) = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return str(code)


@contextmanager
def example_server(folder: Path, traces: Iterable[Trace]) -> Iterator[str]:
    """Yields the address of the page's server, run as a person would run it, with `traces` in its file."""
    (folder / "example_server.py").write_text(example_source())
    lines = [b"".join(encode_json(trace.spans)) for trace in traces]
    (folder / "traces.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    command = [sys.executable, "example_server.py", "traces.jsonl", "0"]
    streams: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    with subprocess.Popen(command, cwd=folder, preexec_fn=end_with_parent, **streams) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            assert address.startswith("http"), "the example server did not start"
            yield address
        finally:
            process.terminate()


@asynccontextmanager
async def answering(routes: Mapping[str, Answer]) -> AsyncIterator[str]:
    """Yields the address of a server that answers `routes` ("GET /capabilities"); anything else is 404 as text."""
    application = web.Application()
    for route, answer in routes.items():
        method, path = route.split(" ")
        application.router.add_route(method, path, _handler(answer))
    runner = web.AppRunner(application, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    try:
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


def _handler(answer: Answer) -> Callable[[web.Request], Any]:
    async def handle(request: web.Request) -> web.StreamResponse:
        await request.read()
        found = answer(request)
        return found if isinstance(found, web.StreamResponse) else web.json_response(found)

    return handle


def whole(trace: Trace) -> Any:
    """Returns a trace as an OTLP JSON document."""
    return json.loads(b"".join(encode_json(trace.spans)))


def body_of(request: web.Request) -> Any:
    """Returns the JSON that was sent."""
    return json.loads(request._read_bytes or b"")


PATHS = {
    "search_path": "/traces/search",
    "trace_path": "/traces/by-id/{traceId}",
    "attribute_names_path": "/names",
    "attribute_values_path": "/values/{attributeName}",
}


def first_contract(traces: Sequence[Trace]) -> dict[str, Answer]:
    """Returns the routes of a server of the first contract that reads every parameter, in seconds and in any order."""

    def search(request: web.Request) -> Any:
        found = [trace for trace in traces if _is_asked_for(trace, request.query)]
        found.sort(key=lambda trace: crc32(trace.trace_id.encode()))
        summaries = [_summary(trace) for trace in found[: int(request.query["limit"])]]
        return {"traces": summaries} if summaries else web.json_response({"message": "none"}, status=404)

    def trace(request: web.Request) -> Any:
        wanted = request.match_info["traceId"]
        for one in traces:
            if one.trace_id == wanted:
                return {"batches": whole(one)["resourceSpans"]}
        return web.json_response({"message": "none"}, status=404)

    def names(_request: web.Request) -> Any:
        query = AttributeQuery(TimeRange(0, 2**63), limit=10_000)
        return sorted({one.field.name for one in names_in([(one, one.spans) for one in traces], query)})

    def values(request: web.Request) -> Any:
        name = unquote(request.match_info["attributeName"])
        held = (value for one in traces for span in one.spans for value in _values(span, name))
        return {"values": list(dict.fromkeys(held))}

    return {
        "GET /traces/search": search,
        "GET /traces/by-id/{traceId}": trace,
        "GET /names": names,
        "GET /values/{attributeName}": values,
    }


def _is_asked_for(trace: Trace, query: Mapping[str, str]) -> bool:
    start, end = int(query["start"]) * NANOS_PER_SECOND, int(query["end"]) * NANOS_PER_SECOND
    if trace.start > end or trace.end < start:
        return False
    if "q" in query:
        spanset = parse(query["q"]).filter
        assert spanset is not None
        if not compile_filter(spanset).matches(trace):
            return False
    wanted = dict(re.findall(r'([^\s=]+)="((?:[^"\\]|\\.)*)"', query.get("attributes", "")))
    absent = [name for name in query.get("filterByAttributeExists", "").split(",") if name]
    return any(
        all(re.sub(r"\\(.)", r"\1", text) in _values(span, name) for name, text in wanted.items())
        and all(_values(span, name) for name in absent)
        and query.get("serviceName", span.service_name) == span.service_name
        and query.get("operationName", span.name) == span.name
        and span.duration >= int(query.get("minDuration", 0))
        and span.duration <= int(query.get("maxDuration", 2**63))
        for span in trace.spans
    )


def _values(span: Span, name: str) -> list[Any]:
    held = [span.attributes.get(name), span.resource.attributes.get(name)]
    return [one for value in held if value is not None for one in (value if isinstance(value, list) else [value])]


def _summary(trace: Trace) -> dict[str, Any]:
    root = trace.root
    return {
        "traceID": trace.trace_id,
        "rootServiceName": root.service_name if root else "<root span not yet received>",
        "rootTraceName": root.name if root else "",
        "startTimeUnixNano": str(trace.start),
        "durationMs": trace.duration // NANOS_PER_MILLISECOND,
    }
