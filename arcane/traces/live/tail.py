"""The tail of a query: traces as they appear, for one caller, within what this caller may see."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from uuid import UUID

import anyio

from arcane.access.scope import TraceFilter
from arcane.federation.execute import Engine
from arcane.federation.source import Source
from arcane.kit.actor import Actor
from arcane.kit.clock import Clock
from arcane.kit.guard import Again
from arcane.kit.problems import Problem
from arcane.model.notice import Notice
from arcane.model.time import NANOS_PER_SECOND, nanos_of
from arcane.settings import LiveSettings
from arcane.traces.live.hub import Hub
from arcane.traces.live.poller import SourceTail, TailQuestion
from arcane.traces.live.watching import Ended, Opened, TailEvent, WatchedSource, Watcher
from arcane.traces.problems import LimitTooLarge, TooManyDatasources, TooManyWatchers
from arcane.traces.reading import QueryReader, ReadQuery
from arcane.traces.service import Catalog, Scopes, datasource_id

_LONGEST_MARK = 20
TailKey = tuple[str, str, TraceFilter | None, int]


@dataclass(frozen=True, slots=True)
class TailRequest:
    """What is to be watched. No `datasources` means all; `since` is where somebody goes on who was here before."""

    text: str
    datasources: tuple[str, ...] = ()
    spans_per_trace: int = 3
    since: int | None = None


@dataclass(slots=True)
class Places:
    """Who watches, up to as many as the settings let; shared by everything that is live."""

    settings: LiveSettings
    _taken: Counter[UUID] = field(default_factory=Counter)

    def check(self, actor: Actor) -> None:
        """Returns when there is a place for one more; raises TooManyWatchers."""
        most, own = self.settings.watchers_max, self.settings.watchers_per_caller
        if self._taken.total() >= most:
            raise TooManyWatchers(f"this instance has at most {most} live views at once", maximum=most)
        if self._taken[actor.id] >= own:
            raise TooManyWatchers(f"one caller has at most {own} live views at once; close one", maximum=own)

    @contextmanager
    def taken(self, actor: Actor) -> Iterator[None]:
        """The actor has a place while the block runs; raises TooManyWatchers."""
        self.check(actor)
        self._taken[actor.id] += 1
        try:
            yield
        finally:
            self._taken[actor.id] -= 1
            if not self._taken[actor.id]:
                del self._taken[actor.id]


@dataclass(frozen=True, slots=True)
class TailService:
    """Tails of queries. One poller runs for each datasource, query and scope, however many watch."""

    catalog: Catalog
    scopes: Scopes
    engine: Engine
    reader: QueryReader
    clock: Clock
    settings: LiveSettings
    places: Places
    hub: Hub[TailKey, SourceTail] = field(default_factory=Hub)

    async def open(self, actor: Actor, request: TailRequest) -> Tail:
        """Returns a tail that has not begun; raises the problems of a bad query, and TooManyWatchers."""
        most = self.engine.limits.spans_per_trace_max
        if request.spans_per_trace > most:
            raise LimitTooLarge(f"spans_per_trace is at most {most}", parameter="spans_per_trace", maximum=most)
        self.places.check(actor)
        tail = Tail(self, request, actor)
        await tail.look(actor)
        return tail

    async def sources(self, actor: Actor, ids: Sequence[str]) -> list[Source]:
        """Returns the datasources to poll; raises TooManyDatasources and UnknownDatasource."""
        most = self.engine.limits.datasources_per_search
        if len(ids) > most:
            raise TooManyDatasources(f"one question asks at most {most} datasources", maximum=most)
        found = await self.catalog.sources(actor, [datasource_id(text) for text in ids] if ids else None)
        return found[:most]


@dataclass(slots=True)
class Tail:
    """One caller's tail."""

    service: TailService
    request: TailRequest
    actor: Actor
    query: ReadQuery | None = None
    filter: TraceFilter | None = None
    hidden: frozenset[str] = frozenset()
    chosen: tuple[Source, ...] = ()

    async def look(self, actor: Actor) -> bool:
        """Returns False when what is watched is not what it was; raises the problem of who may not watch it."""
        scope = await self.service.scopes.of(actor)
        query = self.service.reader.read(self.request.text, scope.trace_filter, scope.hidden_attributes)
        chosen = tuple(await self.service.sources(actor, self.request.datasources))
        before = (self.query, self.filter, [source.id for source in self.chosen])
        self.query, self.filter, self.hidden, self.chosen = query, scope.trace_filter, scope.hidden_attributes, chosen
        return before == (query, scope.trace_filter, [source.id for source in chosen])

    async def events(self, again: Again) -> AsyncGenerator[tuple[list[TailEvent], int], None]:
        """Yields what happens, and the moment up to which everything was told; nothing at all is a heartbeat.

        Whether the caller may still watch is asked before anything is told, and every few seconds.
        """
        with ExitStack() as held:
            try:
                held.enter_context(self.service.places.taken(self.actor))
                tails = [held.enter_context(self._held(source)) for source in self.chosen]
            except Problem as problem:
                yield [Ended(problem.slug, problem.detail)], 0
                return
            watcher = self._watcher(tails)
            for tail in tails:
                tail.bells.add(watcher.bell)
                held.callback(tail.bells.discard, watcher.bell)
            yield [self._opened()], watcher.mark
            until, ended = anyio.current_time() + self.service.settings.life_s, False
            while not ended and anyio.current_time() < until:
                await self._news(watcher, until)
                events = await self._allowed(watcher, tails, again)
                ended = bool(events) and isinstance(events[-1], Ended)
                yield events, watcher.mark

    async def _news(self, watcher: Watcher, until: float) -> None:
        if not watcher.behind:
            await watcher.bell.wait(min(self.service.settings.recheck_s, until - anyio.current_time()))

    async def _allowed(self, watcher: Watcher, tails: Sequence[SourceTail], again: Again) -> list[TailEvent]:
        try:
            same = await self.look(await again())
        except Problem as problem:
            return [Ended(problem.slug, problem.detail)]
        if not same:
            return [Ended("changed", Notice("The project or its datasources changed; the tail begins again."))]
        if watcher.broken:
            return [Ended("internal-error", Notice("An adapter broke while it was asked; the log has more."))]
        for tail, source in zip(tails, self.chosen, strict=True):
            tail.ask(source)
        return watcher.take(self.hidden)

    @contextmanager
    def _held(self, source: Source) -> Iterator[SourceTail]:
        service, query = self.service, self._read
        key = (source.id, query.canonical, self.filter, self.request.spans_per_trace)
        question = TailQuestion(query.query, self.request.spans_per_trace)
        with service.hub.held(
            key, lambda: SourceTail(service.engine, source, question, service.settings, service.clock)
        ) as tail:
            yield tail

    def _watcher(self, tails: Sequence[SourceTail]) -> Watcher:
        settings, now = self.service.settings, nanos_of(self.service.clock.now())
        since = now - int(settings.overlap_s * NANOS_PER_SECOND)
        if self.request.since is not None:
            since = min(self.request.since, now)
            for tail in tails:
                tail.look_back(since)
        return Watcher.of(tails, self.request.spans_per_trace, since)

    def _opened(self) -> Opened:
        settings, engine = self.service.settings, self.service.engine
        plans = engine.plans(self._read.query, [source.adapter.capabilities for source in self.chosen])
        sources = tuple(
            WatchedSource(source.id, source.name, source.kind, plan.whole_traces and len(plans) > 1)
            for source, plan in zip(self.chosen, plans, strict=True)
        )
        return Opened(self._read.canonical, sources, settings.poll_s, settings.overlap_s)

    @property
    def _read(self) -> ReadQuery:
        if self.query is None:
            raise RuntimeError("a tail is looked at before it begins")
        return self.query


def since_of(last_event_id: str | None) -> int | None:
    """Returns the moment that an event's id is; None for what was never one."""
    text = last_event_id or ""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < _LONGEST_MARK else None
