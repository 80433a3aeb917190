"""A recorder that speaks a provider's wire: it keeps what was asked and gives a canned answer, on a real port."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as it came."""

    path: str
    query: str
    headers: Mapping[str, str]
    body: Any


@dataclass(slots=True)
class Recorder:
    """`answers` are by the end of a path: a document, bytes with their content type, a status with a document,
    or what makes a response."""

    answers: Mapping[str, Any]
    url: str = ""
    sent: list[Sent] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Returns the canned answer."""
        raw = await request.read()
        body = json.loads(raw) if raw[:1] in (b"{", b"[") else raw.decode(errors="replace")
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.sent.append(Sent(request.path, request.query_string, headers, body))
        found = next((answer for end, answer in self.answers.items() if request.path.endswith(end)), None)
        if found is None:
            return web.json_response({"error": {"message": f"no {request.path}"}}, status=404)
        if callable(found):
            response: web.StreamResponse = found()
            return response
        if isinstance(found, tuple):
            first, second = found
            if isinstance(first, int):
                return web.json_response(second, status=first)
            return web.Response(body=first, content_type=second)
        return web.json_response(found)


@contextmanager
def recording(answers: Mapping[str, Any]) -> Iterator[Recorder]:
    """While the block runs, the recorder answers at its `url`."""
    recorder, started = Recorder(answers), threading.Event()
    ends: list[Callable[[], None]] = []

    async def run() -> None:
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        ends.append(lambda: loop.call_soon_threadsafe(ended.set))
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", recorder.handle)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        recorder.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        started.set()
        await ended.wait()
        await runner.cleanup()

    thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
    thread.start()
    assert started.wait(30)
    try:
        yield recorder
    finally:
        ends[0]()
        thread.join(30)
