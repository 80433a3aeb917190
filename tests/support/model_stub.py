"""A scripted language model behind OpenAI's HTTP API, on a real port: what tests, benchmarks and demos ask.

    def test_something(model_stub: ModelStub) -> None:
        model_stub.when("capital of France", Answer("Paris"))
        model_stub.then(Refusal(429, retry_after_s=1), Answer("now it works"))
        ...
        assert model_stub.asked[0].key == "sk-test"

A rule (`when`) that fits goes first, then what was scripted in order (`then`), then `otherwise`, which repeats what it
was told. It streams, returns tool calls, fills JSON schemas (as `response_format` or as a tool that has to be called),
makes vectors, refuses, stalls, breaks off and takes its time. It runs in a thread of its own, so async and blocking
tests use it alike; `python -m tests.support.model_stub --latency-s 1` serves until it is interrupted.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import pytest
from aiohttp import web

from tests.support.model_stub_shapes import (
    chat_chunks,
    chat_completion,
    embeddings,
    filled,
    wanted_schema,
)

_START_S = 30.0
_MAX_BODY_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Call:
    """A tool that the model asks for."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    id: str = "call_1"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model says. `structured` answers in the form that was asked for, whatever that form is."""

    text: str = ""
    calls: tuple[Call, ...] = ()
    structured: Any = None
    finish_reason: str = ""
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int = 0
    delay_s: float = 0.0
    """Before the first byte."""
    between_s: float = 0.0
    """Between the chunks of a stream."""
    cut_after: int | None = None
    """The connection is closed after so many chunks of a stream, or bytes of a whole answer."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error in OpenAI's shape."""

    status: int
    message: str = "the stub refuses"
    code: str = "refused"
    retry_after_s: float | None = None
    delay_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Stall:
    """No answer at all, until the client goes away (then `abandoned` counts one more)."""


Reply: TypeAlias = "Answer | Refusal | Stall | str"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came."""

    path: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]
    at: float

    @property
    def key(self) -> str:
        """The key it came with."""
        return self.headers.get("api-key", "") or self.headers.get("authorization", "").removeprefix("Bearer ")

    @property
    def text(self) -> str:
        """What its messages say, one a line."""
        return "\n".join(_said(message) for message in self.body.get("messages", ()))

    @property
    def last(self) -> str:
        """What the last message says."""
        messages = self.body.get("messages") or ({},)
        return _said(messages[-1])


Function: TypeAlias = Callable[[Asked], "Reply"]
Match: TypeAlias = "str | Callable[[Asked], bool]"


def repeats(asked: Asked) -> Answer:
    """Returns an answer that says again what was said, or fills the schema that was asked for."""
    schema = wanted_schema(asked.body)
    return Answer(structured=filled(schema)) if schema is not None else Answer(asked.last)


@dataclass(slots=True)
class ModelStub:
    """What is answered, and what was asked. A test may change it while it runs."""

    url: str = ""
    """Where it is, with /v1."""
    latency_s: float = 0.0
    dimensions: int = 32
    models: tuple[str, ...] = ("stub-small", "stub-embedding")
    keys: frozenset[str] = frozenset()
    """Keys that are taken; none: every one."""
    otherwise: Function = repeats
    asked: list[Asked] = field(default_factory=list)
    abandoned: int = 0
    """How many clients went away before they had the whole answer."""
    busiest: int = 0
    """How many requests were there at once, at most."""
    _rules: list[tuple[Match, Reply | Function]] = field(default_factory=list)
    _script: deque[Reply | Function] = field(default_factory=deque)
    _refusals: deque[Refusal] = field(default_factory=deque)
    _busy: int = 0

    def when(self, match: Match, reply: Reply | Function) -> None:
        """Requests whose messages hold `match` (or for which it is true) get `reply` from now on."""
        self._rules.append((match, reply))

    def then(self, *replies: Reply | Function) -> None:
        """The next requests that no rule fits get `replies`, one each."""
        self._script.extend(replies)

    def refuse_embeddings(self, *refusals: Refusal) -> None:
        """The next requests for vectors get `refusals`, one each."""
        self._refusals.extend(refusals)

    @property
    def chats(self) -> list[Asked]:
        """The requests for an answer, without those for vectors."""
        return [one for one in self.asked if one.path.endswith("/chat/completions")]

    async def until_abandoned(self, count: int = 1, within_s: float = 20.0) -> None:
        """So many clients went away; fails when they do not."""
        begun = time.monotonic()
        while self.abandoned < count:
            assert time.monotonic() - begun < within_s, f"{self.abandoned} of {count} clients went away"
            await asyncio.sleep(0.01)

    async def until_asked(self, count: int = 1, within_s: float = 20.0) -> None:
        """So many requests came; fails when they do not."""
        begun = time.monotonic()
        while len(self.asked) < count:
            assert time.monotonic() - begun < within_s, f"{len(self.asked)} of {count} requests came"
            await asyncio.sleep(0.01)

    def _reply_to(self, asked: Asked) -> Answer | Refusal | Stall:
        found: Reply | Function | None = None
        for match, reply in self._rules:
            if (match in asked.text) if isinstance(match, str) else match(asked):
                found = reply
                break
        if found is None:
            found = self._script.popleft() if self._script else self.otherwise
        if callable(found):
            found = found(asked)
        return Answer(found) if isinstance(found, str) else found

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Returns the answer to any request."""
        asked = await _asked(request)
        self.asked.append(asked)
        self._busy += 1
        self.busiest = max(self.busiest, self._busy)
        try:
            return await self._answer(request, asked)
        except (asyncio.CancelledError, ConnectionResetError):
            self.abandoned += 1
            raise
        finally:
            self._busy -= 1

    async def _answer(self, request: web.Request, asked: Asked) -> web.StreamResponse:
        if self.keys and asked.key not in self.keys:
            return _refused(Refusal(401, f"Incorrect API key provided: {asked.key}.", "invalid_api_key"))
        if asked.path.endswith("/models"):
            listed = [{"id": name, "object": "model", "owned_by": "stub"} for name in self.models]
            return web.json_response({"object": "list", "data": listed})
        if not asked.path.endswith(("/chat/completions", "/embeddings")):
            return _refused(Refusal(404, f"no {asked.path} here", "not_found"))
        if asked.path.endswith("/embeddings"):
            await asyncio.sleep(self.latency_s)
            if self._refusals:
                return _refused(self._refusals.popleft())
            return web.json_response(embeddings(asked.body, self.dimensions))
        reply = self._reply_to(asked)
        if isinstance(reply, Stall):
            await asyncio.Event().wait()
        assert isinstance(reply, Answer | Refusal)
        await asyncio.sleep(self.latency_s + reply.delay_s)
        if isinstance(reply, Refusal):
            return _refused(reply)
        reply = _in_wanted_form(reply, asked.body)
        if asked.body.get("stream"):
            return await _streamed(request, reply, asked.body)
        return await _whole(request, reply, asked.body)


async def _asked(request: web.Request) -> Asked:
    raw = await request.read()
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Asked(request.path, headers, json.loads(raw) if raw else {}, time.monotonic())


def _said(message: Mapping[str, Any]) -> str:
    content = message.get("content") or ""
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


def _in_wanted_form(reply: Answer, body: Mapping[str, Any]) -> Answer:
    """A structured answer is text where a format was asked for, and a call where a tool has to be called."""
    if reply.structured is None:
        return reply
    if body.get("response_format") or not body.get("tools"):
        return replace(reply, text=json.dumps(reply.structured), structured=None)
    return replace(reply, calls=(Call(body["tools"][-1]["function"]["name"], reply.structured),), structured=None)


def _refused(refusal: Refusal) -> web.Response:
    headers = {} if refusal.retry_after_s is None else {"Retry-After": f"{refusal.retry_after_s:g}"}
    error = {"message": refusal.message, "type": "stub_error", "code": refusal.code, "param": None}
    return web.json_response({"error": error}, status=refusal.status, headers=headers)


async def _whole(request: web.Request, reply: Answer, body: Mapping[str, Any]) -> web.StreamResponse:
    document = chat_completion(reply, body)
    if reply.cut_after is None:
        return web.json_response(document)
    raw = json.dumps(document).encode()
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(raw))})
    await response.prepare(request)
    await response.write(raw[: reply.cut_after])
    _hang_up(request)
    return response


async def _streamed(request: web.Request, reply: Answer, body: Mapping[str, Any]) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for number, chunk in enumerate(chat_chunks(reply, body)):
        if reply.cut_after is not None and number >= reply.cut_after:
            _hang_up(request)
            return response
        await response.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")
        await asyncio.sleep(reply.between_s)
    await response.write(b"data: [DONE]\n\n")
    return response


def _hang_up(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


async def _serve(stub: ModelStub, port: int, ready: Callable[[], None], ended: asyncio.Event) -> None:
    application = web.Application(client_max_size=_MAX_BODY_BYTES)
    application.router.add_route("*", "/{path:.*}", stub.handle)
    runner = web.AppRunner(application, handler_cancellation=True, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port, backlog=1024)
        await site.start()
        stub.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        ready()
        await ended.wait()
    finally:
        await runner.cleanup()


@contextmanager
def serving_model(stub: ModelStub | None = None, port: int = 0) -> Iterator[ModelStub]:
    """While the block runs, `stub` answers at its `url`."""
    served = stub or ModelStub()
    started = threading.Event()
    ends: list[Callable[[], None]] = []

    async def run() -> None:
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        ends.append(lambda: loop.call_soon_threadsafe(ended.set))
        await _serve(served, port, started.set, ended)

    thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
    thread.start()
    assert started.wait(_START_S), "the stub did not start"
    try:
        yield served
    finally:
        ends[0]()
        thread.join(_START_S)


@pytest.fixture
def model_stub() -> Iterator[ModelStub]:
    """A model that says again what was said, until a test tells it something else."""
    with serving_model() as stub:
        yield stub


def main() -> None:
    """Serves until it is interrupted; prints the address."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency-s", type=float, default=0.0)
    arguments = parser.parse_args()
    stub = ModelStub(latency_s=arguments.latency_s)

    def say() -> None:
        print(stub.url, flush=True)  # noqa: T201 - who started it reads it

    async def run() -> None:
        await _serve(stub, arguments.port, say, asyncio.Event())

    try:
        asyncio.run(run())
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main()
