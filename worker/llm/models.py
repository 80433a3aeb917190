"""Language models for the worker: asks them within a deadline and the limits, tries again where that may help.

pydantic-ai and the SDKs are heavy; they are loaded with the first call that needs them, in a thread.
"""

from __future__ import annotations

import hashlib
import random
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from importlib import import_module
from types import ModuleType
from typing import Any, TypeVar, cast

import anyio
import anyio.to_thread
import msgspec
from anyio.lowlevel import current_token

from arcane.kit.egress_addresses import AddressPolicy
from arcane.kit.lasting import settle
from arcane.messaging.generation import ChatMessage, Generated, ModelSpec, Piece, Provider, Usage
from worker.llm.asking import Ask, Caller, Embedded, Secrets
from worker.llm.connection import Connect, Connection, Road
from worker.llm.errors import Cause, ModelError
from worker.llm.http import HttpBounds, guarded_client
from worker.llm.limits import Lane, Lanes
from worker.meters import ANSWERED, Meters
from worker.settings import EgressSettings, LlmSettings

T = TypeVar("T")
_PROVIDERS = {
    Provider.OPENAI: "worker.llm.providers.openai",
    Provider.AZURE: "worker.llm.providers.openai",
    Provider.OLLAMA: "worker.llm.providers.openai",
    Provider.COMPATIBLE: "worker.llm.providers.openai",
    Provider.ANTHROPIC: "worker.llm.providers.anthropic",
    Provider.BEDROCK: "worker.llm.providers.bedrock",
    Provider.VERTEX: "worker.llm.providers.google",
    Provider.AI_STUDIO: "worker.llm.providers.google",
}
_CALLING = "worker.llm.calling"


@dataclass(slots=True)
class Models:
    """Asks models. Used by many tasks at once; see `opened`."""

    settings: LlmSettings
    road: Road
    keys: Lanes
    organisations: Lanes
    meters: Meters = field(default_factory=Meters)
    _connections: OrderedDict[bytes, Connection] = field(default_factory=OrderedDict)
    _modules: dict[str, ModuleType] = field(default_factory=dict)
    _loading: anyio.Lock = field(default_factory=anyio.Lock)

    @classmethod
    @asynccontextmanager
    async def opened(
        cls, settings: LlmSettings, egress: EgressSettings, meters: Meters | None = None
    ) -> AsyncIterator[Models]:
        """Yields the models, whose calls are counted in `meters`; connections to providers close with the block."""
        bounds = HttpBounds(
            connect_s=egress.connect_timeout_s,
            read_s=settings.call_timeout_s,
            answer_bytes=settings.answer_bytes_max,
            connections=settings.connections_max,
        )
        async with guarded_client(AddressPolicy.of(egress.allow_networks), bounds) as http:
            yield cls(
                settings,
                Road(http, current_token()),
                Lanes(settings.calls_per_key, settings.calls_per_key_and_minute),
                Lanes(settings.calls_per_organisation, settings.calls_per_organisation_and_minute),
                meters or Meters(),
            )

    async def generate(self, caller: Caller, spec: ModelSpec, ask: Ask) -> Generated:
        """Returns the model's answer, with what it took. Raises ModelError."""
        calling = await self._loaded(_CALLING)

        async def attempt(connection: Connection) -> Generated:
            answer: Generated = await calling.generate(connection, spec, ask)
            return answer

        async with AsyncExitStack() as held:
            answer, seconds = await self._tried(caller, spec, attempt, held)
        self.meters.used(spec.provider, answer.usage)
        return msgspec.structs.replace(answer, usage=_timed(answer.usage, seconds))

    async def structured(
        self, caller: Caller, spec: ModelSpec, messages: Sequence[ChatMessage], schema: Mapping[str, Any]
    ) -> Generated:
        """Returns an answer whose `structured` fits `schema`. Raises ModelError."""
        return await self.generate(caller, spec, Ask(messages=messages, schema=schema))

    async def stream(self, caller: Caller, spec: ModelSpec, ask: Ask) -> AsyncGenerator[Piece, None]:
        """Yields the answer while it comes, the whole of it at the end. Raises ModelError.

        What fails before the first piece is tried again; afterwards it is not, as somebody has read it. Close it
        (`aclosing`) to cancel the call at the provider.
        """
        calling = await self._loaded(_CALLING)
        begun = time.monotonic()

        async def attempt(connection: Connection) -> tuple[str | Generated, AsyncIterator[str | Generated]]:
            pieces = calling.stream(connection, spec, ask)
            try:
                return await anext(pieces), pieces
            except BaseException:
                await pieces.aclose()
                raise

        async with AsyncExitStack() as held:
            (first, rest), _ = await self._tried(caller, spec, attempt, held)
            held.push_async_callback(cast("Any", rest).aclose)
            yield _piece(first, begun)
            while True:
                with _within(caller):
                    following = await anext(rest, None)
                if following is None:
                    return
                if isinstance(following, Generated):
                    self.meters.used(spec.provider, following.usage)
                yield _piece(following, begun)

    async def embed(self, caller: Caller, spec: ModelSpec, texts: Sequence[str]) -> Embedded:
        """Returns a vector for each of `texts`. Raises ModelError."""
        calling = await self._loaded(_CALLING)
        vectors: list[tuple[float, ...]] = []
        usage, model = Usage(), spec.model
        at_once = self.settings.texts_per_call
        for start in range(0, len(texts), at_once):
            some = texts[start : start + at_once]

            async def attempt(connection: Connection, some: Sequence[str] = some) -> Embedded:
                found: Embedded = await calling.embed(connection, spec, some)
                return found

            async with AsyncExitStack() as held:
                found, seconds = await self._tried(caller, spec, attempt, held)
            self.meters.used(spec.provider, found.usage)
            vectors += found.vectors
            usage, model = usage + _timed(found.usage, seconds), found.model
        return Embedded(vectors=tuple(vectors), model=model, usage=usage)

    async def _tried(
        self,
        caller: Caller,
        spec: ModelSpec,
        attempt: Callable[[Connection], Awaitable[T]],
        held: AsyncExitStack,
    ) -> tuple[T, float]:
        """Returns what the first successful attempt gave, and how long it took; its places in the lanes are `held`."""
        with _within(caller):
            secrets = await caller.secrets(spec)
            connection = await self._connection(spec, secrets)
        lane_key = _digest(spec.provider, spec.settings, secrets)
        for number in range(1, self.settings.tries + 1):
            with _within(caller):
                async with AsyncExitStack() as lanes:
                    await lanes.enter_async_context(self.organisations.through(caller.organisation))
                    lane = await lanes.enter_async_context(self.keys.through(lane_key))
                    begun = time.monotonic()
                    try:
                        answer = await attempt(connection)
                        seconds = time.monotonic() - begun
                        await held.enter_async_context(lanes.pop_all())
                        self.meters.called(spec.provider, ANSWERED, seconds)
                        return answer, seconds
                    except ModelError as exc:
                        self.meters.called(spec.provider, exc.cause, time.monotonic() - begun)
                        if exc.usage is not None:
                            self.meters.used(spec.provider, exc.usage)
                        wait = self._wait(exc, number, lane)
                        if wait is None or wait >= caller.deadline.remaining():
                            raise
                await anyio.sleep(wait)
        raise AssertionError("the last try returns or raises")

    def _wait(self, exc: ModelError, number: int, lane: Lane) -> float | None:
        """Returns how long to wait before the next try, None when there is none."""
        if not exc.retryable or number >= self.settings.tries:
            return None
        ceiling = min(self.settings.backoff_max_s, self.settings.backoff_s * 2 ** (number - 1))
        wait = random.uniform(ceiling / 2, ceiling)  # noqa: S311 - jitter
        if exc.cause is Cause.RATE_LIMIT and exc.retry_after_s is not None:
            asked = min(exc.retry_after_s, self.settings.retry_after_max_s)
            lane.bucket.hold(asked)
            wait += asked
        return wait

    async def _connection(self, spec: ModelSpec, secrets: Secrets) -> Connection:
        key = _digest(spec.provider, spec.model, spec.settings, secrets)
        found = self._connections.get(key)
        if found is None:
            provider = cast("Connect", await self._loaded(_PROVIDERS[spec.provider]))
            made = await anyio.to_thread.run_sync(provider.connect, spec, secrets, self.road)
            found = made.kept()
            while len(self._connections) >= self.settings.connections_kept:
                self._connections.popitem(last=False)
            self._connections[key] = found
        self._connections.move_to_end(key)
        return found

    async def _loaded(self, name: str) -> ModuleType:
        found = self._modules.get(name)
        if found is None:
            async with self._loading:
                if name not in self._modules:
                    self._modules[name] = await anyio.to_thread.run_sync(import_module, name)
                    settle()
            found = self._modules[name]
        return found


class _within:
    """Inside, nobody waits beyond the caller's deadline."""

    def __init__(self, caller: Caller) -> None:
        self._scope = anyio.fail_after(caller.deadline.remaining())

    def __enter__(self) -> None:
        self._scope.__enter__()

    def __exit__(self, *raised: Any) -> bool | None:
        try:
            return self._scope.__exit__(*raised)
        except TimeoutError:
            raise ModelError(Cause.DEADLINE, "The time for the model's answer ran out.") from None


def _piece(part: str | Generated, begun: float) -> Piece:
    if isinstance(part, str):
        return Piece(text=part)
    return Piece(whole=msgspec.structs.replace(part, usage=_timed(part.usage, time.monotonic() - begun)))


def _timed(usage: Usage, seconds: float) -> Usage:
    return msgspec.structs.replace(usage, latency_ms=seconds * 1_000)


def _digest(*parts: Any) -> bytes:
    return hashlib.sha256(msgspec.json.encode(parts, order="deterministic")).digest()
