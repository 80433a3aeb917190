"""Answers that several callers get: what is asked for twice at the same moment, and, where settings say so, kept ones.

Of a trace that several open at once, what the datasources have is shared; what of it is shown is decided for each.
Of a search, what is shared is the finished answer, after redaction. Its key holds all that decides it: project,
canonical query, the project's filter, datasources with the adapters that are asked, what is hidden, range, page, size.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

import anyio
import msgspec
from anyio.abc import TaskStatus

from arcane.federation.assemble import Assembled
from arcane.federation.source import Source
from arcane.kit.clock import Clock
from arcane.kit.flights import Flights
from arcane.model.ids import TraceId
from arcane.model.notice import encoded
from arcane.model.time import NANOS_PER_SECOND, TimeRange, nanos_of
from arcane.settings import CacheSettings
from arcane.traces.questions import SearchAnswer

_ENCODER = msgspec.msgpack.Encoder(enc_hook=encoded)


@dataclass(frozen=True, slots=True)
class AnswerKey:
    """Everything that decides an answer. `within` None is "until now", whenever that is."""

    mark: bytes
    """Project, canonical query, the project's filter and the datasources that were named: see TraceService."""
    sources: tuple[Source, ...]
    hidden: frozenset[str]
    within: TimeRange | None
    cursor: str | None
    limit: int
    spans_per_trace: int
    abort: bool


@dataclass(frozen=True, slots=True)
class ReadKey:
    """Everything that decides what is there of a trace, whoever asks."""

    sources: tuple[Source, ...]
    trace_id: TraceId
    within: TimeRange | None


@dataclass(frozen=True, slots=True)
class _Kept:
    answer: SearchAnswer
    at: float
    until: float
    size: int


@dataclass(slots=True)
class KeptAnswers:
    """Complete answers in memory, the least used ones forgotten first; off unless it is given bytes."""

    settings: CacheSettings
    clock: Clock
    monotonic: Callable[[], float] = time.monotonic
    size: int = 0
    _kept: OrderedDict[AnswerKey, _Kept] = field(default_factory=OrderedDict)

    def get(self, key: AnswerKey) -> SearchAnswer | None:
        """Returns a kept answer that says how old it is."""
        kept = self._kept.get(key)
        if kept is None:
            return None
        now = self.monotonic()
        if now >= kept.until:
            self._forget(key)
            return None
        self._kept.move_to_end(key)
        return replace(kept.answer, cached_age_s=round(now - kept.at, 3))

    def keep(self, key: AnswerKey, answer: SearchAnswer) -> None:
        """The answer is kept, if it may be: complete, not too large, of a range that is over (or settings say so)."""
        ttl_s = self._ttl_s(key)
        if not self.settings.max_bytes or ttl_s <= 0 or not answer.complete:
            return
        size = len(_ENCODER.encode(answer))
        if size > self.settings.max_bytes:
            return
        self._forget(key)
        now = self.monotonic()
        self._kept[key] = _Kept(replace(answer), now, now + ttl_s, size)  # its own: what is encoded of it is not kept
        self.size += size
        while self.size > self.settings.max_bytes:
            self._forget(next(iter(self._kept)))

    def _ttl_s(self, key: AnswerKey) -> float:
        """How long the answer is good. Spans still arrive for a range that touches the present."""
        settled = nanos_of(self.clock.now()) - int(self.settings.settled_s * NANOS_PER_SECOND)
        over = key.within is not None and key.within.end <= settled
        return self.settings.ttl_s if over else self.settings.recent_ttl_s

    def _forget(self, key: AnswerKey) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self.size -= kept.size


@dataclass(frozen=True, slots=True)
class SharedAnswers:
    """Answers searches and reads traces, each distinct one once at a time while `run` does."""

    kept: KeptAnswers
    flights: Flights[AnswerKey, SearchAnswer] = field(default_factory=Flights)
    reads: Flights[ReadKey, Assembled] = field(default_factory=Flights)

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Owns what is under way until it is cancelled."""
        async with anyio.create_task_group() as group:
            await group.start(self.flights.run)
            await group.start(self.reads.run)
            task_status.started()

    async def of(self, key: AnswerKey, search: Callable[[], Awaitable[SearchAnswer]]) -> SearchAnswer:
        """Returns a kept answer, or what `search` returns; raises what it raises."""
        known = self.kept.get(key)
        if known is not None:
            return known

        async def kept() -> SearchAnswer:
            answer = await search()
            self.kept.keep(key, answer)
            return answer

        return await self.flights.share(key, kept)
