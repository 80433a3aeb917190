"""A Shelf on loopback."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.typedefs import Handler

from arcane.spi import NANOS_PER_MILLISECOND, Trace, encode_json


@asynccontextmanager
async def shelf(traces: Sequence[Trace], key: str) -> AsyncIterator[str]:
    """Yields the address of a Shelf that holds the traces."""
    newest_first = sorted(traces, key=lambda trace: (trace.start, trace.trace_id), reverse=True)

    async def search(request: web.Request) -> web.Response:
        start, end = (int(request.query[name]) * NANOS_PER_MILLISECOND for name in ("from", "to"))
        services = set(request.query.getall("service", []))
        found = [
            trace
            for trace in newest_first
            if trace.start <= end and trace.end >= start and services <= {span.service_name for span in trace.spans}
        ]
        limit = int(request.query["limit"])
        documents = [json.loads(b"".join(encode_json(trace.spans))) for trace in found[:limit]]
        return web.json_response({"documents": documents, "more": len(found) > limit})

    async def one(request: web.Request) -> web.Response:
        for trace in newest_first:
            if trace.trace_id == request.match_info["id"]:
                return web.Response(body=b"".join(encode_json(trace.spans)), content_type="application/json")
        return web.Response(status=404)

    async def version(request: web.Request) -> web.Response:
        return web.Response(text="1.4")

    @web.middleware
    async def locked(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.headers.get("X-Shelf-Key") != key:
            return web.Response(status=401)
        return await handler(request)

    application = web.Application(middlewares=[locked])
    application.add_routes([web.get("/traces", search), web.get("/traces/{id}", one), web.get("/version", version)])
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield "http://{}:{}".format(*runner.addresses[0][:2])
    finally:
        await runner.cleanup()
