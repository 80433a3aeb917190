"""What a worker answers over HTTP: whether it is well (`worker.health`), what it has done (`worker.meters`), prompts
that somebody waits for, and trials.

A plain ASGI application: three fixed answers and one stream need no framework.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import anyio
import anyio.to_thread
import msgspec
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.types import Receive, Scope, Send

from arcane.kit.clock import Clock
from arcane.kit.logging import get_logger
from arcane.messaging.envelope import Envelope, UnreadableMessage
from arcane.messaging.generation import ModelSpec
from arcane.messaging.running import (
    RUN_PATH,
    TRY_PATH,
    RunDone,
    RunEvent,
    RunFailed,
    RunJudged,
    RunRequest,
    RunText,
    TryRequest,
    Unsealable,
    unpacked,
    unseal,
)
from arcane.messaging.signature import TOLERANCE_S, SignatureRefused, SignedRequest, verify, worker_signer
from arcane.model.deadline import Deadline
from arcane.prompting.errors import TemplateError
from arcane.prompting.render import render
from worker.health import Health
from worker.llm.asking import Ask, Caller, Secrets
from worker.llm.errors import Cause, ModelError
from worker.llm.models import Models
from worker.meters import Meters
from worker.scoring.bound import BoundModels
from worker.scoring.errors import ScoringFailed
from worker.scoring.judging import Judge
from worker.settings import WorkerSettings

log = get_logger("worker.api")

Request = RunRequest | TryRequest

METRICS_PATH = "/metrics"
_SEEN_MAX = 10_000
_KINDS: Mapping[str, type[RunRequest] | type[TryRequest]] = {RUN_PATH: RunRequest, TRY_PATH: TryRequest}


class _Refused(Exception):
    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


@dataclass(slots=True)
class Door:
    """Takes requests; those that run or judge are signed with the shared key, and each is taken once."""

    health: Health
    models: Models
    judge: Judge
    settings: WorkerSettings
    clock: Clock
    meters: Meters = field(default_factory=Meters)
    _running: int = 0
    _seen: OrderedDict[UUID, float] = field(default_factory=OrderedDict)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request has been answered."""
        if scope["type"] != "http":
            return
        if scope["path"] == METRICS_PATH and scope["method"] in ("GET", "HEAD"):
            await _answer(send, 200, self.meters.text(), CONTENT_TYPE_LATEST)
            return
        if scope["path"] not in _KINDS:
            status, state = self.health.state(scope["method"], scope["path"])
            await _say(send, status, {"status": state})
            return
        try:
            request, secrets = await self._taken(scope, receive)
        except _Refused as exc:
            log.warning("run_refused", status=exc.status, reason=str(exc))
            await _say(send, exc.status, {"detail": str(exc)})
            return
        self._running += 1
        try:
            await self._run(request, secrets, receive, send)
        finally:
            self._running -= 1

    async def _taken(self, scope: Scope, receive: Receive) -> tuple[Request, Secrets]:
        """Returns what is asked for, and the secrets. Raises _Refused."""
        path: str = scope["path"]
        if scope["method"] != "POST":
            raise _Refused(405, "only POST is for this path")
        body = await self._body(receive)
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        key, now = self.settings.key.get_secret_value(), self.clock.now()
        try:
            verify(worker_signer(key), SignedRequest("POST", path, body), headers, now)
            request = Envelope.read(body).content(_KINDS[path])
            secrets = unseal(key, request.run, request.sealed)
        except SignatureRefused as exc:
            raise _Refused(401, str(exc)) from exc
        except (UnreadableMessage, Unsealable) as exc:
            raise _Refused(400, "the request is not one that this release can read") from exc
        self._once(request.run, now.timestamp())
        if self._running >= self.settings.prompts_at_once:
            raise _Refused(503, f"this worker runs {self._running} prompts already")
        return request, secrets

    async def _body(self, receive: Receive) -> bytes:
        parts, size, more = [], 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _Refused(400, "the request broke off")
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > self.settings.prompt_bytes_max:
                raise _Refused(413, f"a request has at most {self.settings.prompt_bytes_max} bytes")
            more = message.get("more_body", False)
        return b"".join(parts)

    def _once(self, run: UUID, now: float) -> None:
        """A signed request that was recorded is not run again; older ones than we remember have expired anyway."""
        while self._seen and (len(self._seen) >= _SEEN_MAX or next(iter(self._seen.values())) < now - 2 * TOLERANCE_S):
            self._seen.popitem(last=False)
        if run in self._seen:
            raise _Refused(409, "this request was taken already")
        self._seen[run] = now

    async def _run(self, request: Request, secrets: Secrets, receive: Receive, send: Send) -> None:
        """The answer has been sent; when whoever asked hangs up, the call to the provider ends."""
        async with anyio.create_task_group() as group:

            async def until_hangup() -> None:
                while (await receive())["type"] != "http.disconnect":
                    pass
                group.cancel_scope.cancel()

            group.start_soon(until_hangup)
            headers = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            async with aclosing(self._events(request, secrets)) as events:
                async for event in events:
                    body = b"data: " + msgspec.json.encode(event) + b"\n\n"
                    await send({"type": "http.response.body", "body": body, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            group.cancel_scope.cancel()

    def _events(self, request: Request, secrets: Secrets) -> AsyncGenerator[RunEvent, None]:
        if isinstance(request, RunRequest):
            return _answered(self.models, request, secrets)
        return _judged(self.judge, self.models, request, secrets)


async def _answered(models: Models, request: RunRequest, secrets: Secrets) -> AsyncGenerator[RunEvent, None]:
    """Yields the answer while it comes; what goes wrong is the last event."""

    async def known(_: ModelSpec) -> Secrets:
        return secrets

    caller = Caller(request.organisation, known, Deadline.after(request.deadline_s))
    try:
        ask = Ask(
            messages=await anyio.to_thread.run_sync(render, request.prompt, request.inputs),
            tools=request.prompt.tools,
            tool_choice=request.prompt.tool_choice,
            schema=request.prompt.response_schema,
            parameters=request.prompt.parameters,
        )
        async with aclosing(models.stream(caller, request.model, ask)) as pieces:
            async for piece in pieces:
                yield RunText(text=piece.text) if piece.whole is None else RunDone(generated=piece.whole)
    except TemplateError as exc:
        yield RunFailed(cause=Cause.SETTINGS, message=str(exc))
    except ModelError as exc:
        yield RunFailed(cause=exc.cause, message=exc.message, detail=exc.detail, retry=exc.later)


async def _judged(
    judge: Judge, models: Models, request: TryRequest, secrets: Secrets
) -> AsyncGenerator[RunEvent, None]:
    """Yields the verdict, or why there is none."""

    async def known(spec: ModelSpec) -> Secrets:
        return unpacked(secrets, spec.configuration)

    caller = Caller(request.organisation, known, Deadline.after(request.deadline_s))
    event: RunEvent = RunFailed(cause=Cause.DEADLINE, message="the scorer was not done in time", retry=True)
    with anyio.move_on_after(request.deadline_s):
        try:
            bound = BoundModels(models, caller, request.scorer)
            event = RunJudged(verdict=await judge.verdict(request.scorer, request.inputs, bound))
        except ScoringFailed as exc:
            event = RunFailed(cause=exc.kind, message=str(exc), retry=exc.retry)
        except ModelError as exc:
            event = RunFailed(cause=exc.cause, message=exc.message, detail=exc.detail, retry=exc.later)
    yield event


async def _say(send: Send, status: int, document: Mapping[str, Any]) -> None:
    await _answer(send, status, json.dumps(document).encode(), "application/json")


async def _answer(send: Send, status: int, body: bytes, kind: str) -> None:
    headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
