"""Language models for the worker: asks them within a deadline and the limits, tries again where that may help.

pydantic-ai and the SDKs are heavy; they are loaded with the first call that needs them, in a thread.
"""

from __future__ import annotations

import hashlib
import random
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from importlib import import_module
from types import ModuleType
from typing import Any, Generic, TypeVar, cast

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

        tried = await self._tried(caller, spec, attempt)
        tried.places.close()
        self.meters.used(spec.provider, tried.answer.usage)
        return msgspec.structs.replace(tried.answer, usage=_timed(tried.answer.usage, tried.seconds))

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
            tried = await self._tried(caller, spec, attempt)
            held.enter_context(tried.places)
            first, rest = tried.answer
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

            tried = await self._tried(caller, spec, attempt)
            tried.places.close()
            found = tried.answer
            self.meters.used(spec.provider, found.usage)
            vectors += found.vectors
            usage, model = usage + _timed(found.usage, tried.seconds), found.model
        return Embedded(vectors=tuple(vectors), model=model, usage=usage)

    async def _tried(self, caller: Caller, spec: ModelSpec, attempt: Callable[[Connection], Awaitable[T]]) -> _Tried[T]:
        """Returns what the first successful attempt gave. Raises ModelError."""
        connection: Connection | None = None
        lane_key = b""
        for number in range(1, self.settings.tries + 1):
            with _within(caller):
                if connection is None:
                    secrets = await caller.secrets(spec)
                    connection = await self._connection(spec, secrets)
                    lane_key = _digest(spec.provider, spec.settings, secrets)
                with ExitStack() as places:
                    places.callback((await self.organisations.enter(caller.organisation)).leave)
                    place = await self.keys.enter(lane_key)
                    places.callback(place.leave)
                    begun = time.monotonic()
                    try:
                        answer = await attempt(connection)
                    except ModelError as exc:
                        self.meters.called(spec.provider, exc.cause, time.monotonic() - begun)
                        if exc.usage is not None:
                            self.meters.used(spec.provider, exc.usage)
                        wait = self._wait(exc, number, place.lane)
                        if wait is None or wait >= caller.deadline.remaining():
                            raise
                    else:
                        seconds = time.monotonic() - begun
                        self.meters.called(spec.provider, ANSWERED, seconds)
                        return _Tried(answer, seconds, places.pop_all())
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


@dataclass(frozen=True, slots=True)
class _Tried(Generic[T]):
    """What an attempt gave, how long it took, and its places in the lanes, which are to be closed."""

    answer: T
    seconds: float
    places: ExitStack


class _within:
    """Inside, nobody waits beyond the caller's deadline."""

    def __init__(self, caller: Caller) -> None:
        self._scope = anyio.CancelScope(deadline=anyio.current_time() + caller.deadline.remaining())

    def __enter__(self) -> None:
        self._scope.__enter__()

    def __exit__(self, *raised: Any) -> bool | None:
        swallowed = self._scope.__exit__(*raised)
        if self._scope.cancelled_caught:
            raise ModelError(Cause.DEADLINE, "The time for the model's answer ran out.") from None
        return swallowed


def _piece(part: str | Generated, begun: float) -> Piece:
    if isinstance(part, str):
        return Piece(text=part)
    return Piece(whole=msgspec.structs.replace(part, usage=_timed(part.usage, time.monotonic() - begun)))


def _timed(usage: Usage, seconds: float) -> Usage:
    return msgspec.structs.replace(usage, latency_ms=seconds * 1_000)


def _digest(*parts: Any) -> bytes:
    return hashlib.sha256(msgspec.json.encode(parts, order="deterministic")).digest()
