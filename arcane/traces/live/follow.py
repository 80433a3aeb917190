"""A trace that is still running, followed until nothing is added to it any more."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from uuid import UUID

import anyio

from arcane.access.scope import TraceFilter
from arcane.federation.assemble import Assembled, assemble
from arcane.federation.execute import Engine
from arcane.federation.source import Source
from arcane.kit.actor import Actor
from arcane.kit.clock import Clock
from arcane.kit.guard import Again
from arcane.kit.problems import Problem
from arcane.model.deadline import Deadline
from arcane.model.ids import TraceId
from arcane.model.notice import Notice
from arcane.model.outcome import SourceOutcome
from arcane.model.span import Span
from arcane.model.time import NANOS_PER_SECOND, nanos_of
from arcane.model.trace import Trace
from arcane.redaction.visibility import redact_trace
from arcane.settings import LiveSettings
from arcane.traceql.ast import SpansetFilter
from arcane.traceql.evaluate import compile_filter
from arcane.traces.live.hub import Bell, Hub
from arcane.traces.live.tail import Places
from arcane.traces.live.watching import Ended
from arcane.traces.questions import LlmReading, TraceAnswer
from arcane.traces.reading import scope_condition
from arcane.traces.service import Catalog, Scopes, trace_id_of

Read = Callable[[TraceAnswer], Awaitable[LlmReading]]
FollowKey = tuple[UUID | None, TraceId, tuple[str, ...]]
_READINGS_KEPT = 8
_SIGNATURE = 1 << 32
"""Durations are added up modulo this, so that a browser can do it in its own numbers."""


@dataclass(frozen=True, slots=True)
class Grown:
    """The trace as it is now, and the spans of it that are new or have changed."""

    answer: TraceAnswer
    reading: LlmReading
    spans: Sequence[Span]


@dataclass(frozen=True, slots=True)
class Looked:
    """Everybody was asked once more. `quiet_since` is when something was last added, as far as this process saw."""

    at: int
    quiet_since: int
    quiet: bool
    sources: tuple[SourceOutcome, ...]


FollowEvent = Grown | Looked | Ended


class TraceFollower:
    """Asks for one trace again and again while anybody watches it (arcane.traces.live.hub.Shared).

    Spans are never taken back: one that a datasource does not return any more, or fails to, stays as it was.
    """

    def __init__(
        self, engine: Engine, sources: Sequence[Source], trace_id: TraceId, settings: LiveSettings, clock: Clock
    ) -> None:
        self.sources = sources
        self.assembled: Assembled | None = None
        self.revision = 0
        self.polls = 0
        self.polled_at = 0
        self.quiet = False
        self.broken = False
        self.bells: set[Bell] = set()
        self._engine = engine
        self._trace_id = trace_id
        self._settings = settings
        self._clock = clock
        self._spans: dict[str, tuple[Span, int]] = {}
        self._owners: dict[str, tuple[int, ...]] = {}
        self._readings: OrderedDict[frozenset[str], tuple[int, Grown]] = OrderedDict()
        self.grew_at = nanos_of(clock.now())

    async def run(self) -> None:
        """Asks until nothing was added for the quiet time, as far as anybody could say."""
        while not self.quiet:
            began = anyio.current_time()
            await self.poll()
            await anyio.sleep(max(self._settings.poll_s, anyio.current_time() - began))

    def broke(self) -> None:
        """Whoever watches is told that nothing more comes."""
        self.broken = True
        self._ring()

    async def poll(self) -> None:
        """Everybody was asked once; what they added is there."""
        askings = self._engine.askings(self.sources, Deadline.after(self._engine.limits.source_timeout_s))
        found = await assemble(askings, self._trace_id, None)
        now = nanos_of(self._clock.now())
        self.polls += 1
        self.polled_at = now
        if found.trace is not None and self._add(found, found.trace):
            self.grew_at = now
        elif self.assembled is not None:
            self.assembled = replace(self.assembled, outcome=found.outcome)
        else:
            self.assembled = found
        nobody_knows = bool(self.sources) and all(one.error is not None for one in found.outcome.sources)
        self.quiet = not nobody_knows and now - self.grew_at >= int(self._settings.quiet_s * NANOS_PER_SECOND)
        self._ring()

    def _add(self, found: Assembled, trace: Trace) -> bool:
        """Returns True when the trace has spans that are new, or different from what they were."""
        following = self.revision + 1
        grew = False
        for span in trace.spans:
            known = self._spans.get(span.span_id)
            if known is None or _differ(known[0], span):
                self._spans[span.span_id] = (span, following)
                grew = True
            self._owners[span.span_id] = found.origins_of(span)
        if not grew:
            return False
        self.revision = following
        whole = Trace(self._trace_id, [span for span, _ in self._spans.values()], trace.warnings)
        self.assembled = Assembled(whole, found.outcome, found.owners, found.warnings, dict(self._owners))
        return True

    async def grown(self, since: int, hidden: frozenset[str], read: Read) -> Grown | None:
        """Returns what was added after revision `since`, as whoever may not see `hidden` sees it; None for nothing."""
        assembled = self.assembled
        if self.revision == since or assembled is None or assembled.trace is None:
            return None
        revision, whole = await self._read(assembled, assembled.trace, hidden, read)
        fresh = [span for span in whole.answer.trace.spans if since < self._spans[span.span_id][1] <= revision]
        return Grown(whole.answer, whole.reading, fresh)

    async def _read(self, assembled: Assembled, trace: Trace, hidden: frozenset[str], read: Read) -> tuple[int, Grown]:
        """Redacting and reading a long trace is work: it is done once for all who see the same of it."""
        known = self._readings.get(hidden)
        if known is not None and known[0] == self.revision:
            return known
        revision = self.revision
        answer = TraceAnswer(redact_trace(trace, hidden), assembled)
        made = self._readings[hidden] = (revision, Grown(answer, await read(answer), ()))
        if len(self._readings) > _READINGS_KEPT:
            self._readings.popitem(last=False)
        return made

    def _ring(self) -> None:
        for bell in self.bells:
            bell.ring()


def signature_of(trace: Trace) -> str:
    """Returns what tells whether a trace has grown: how many spans there are, and their durations added up."""
    return f"{len(trace.spans)}.{sum(span.duration for span in trace.spans) % _SIGNATURE}"


def _differ(one: Span, other: Span) -> bool:
    """True when spans say different things; NaN, which differs from itself, is the same here."""
    return one != other and repr(one) != repr(other)


@dataclass(frozen=True, slots=True)
class FollowService:
    """Live traces. One follower runs for each trace, however many watch it."""

    catalog: Catalog
    scopes: Scopes
    engine: Engine
    read: Read
    clock: Clock
    settings: LiveSettings
    places: Places
    hub: Hub[FollowKey, TraceFollower] = field(default_factory=Hub)

    async def open(self, actor: Actor, trace_id: str, seen: str = "") -> Following:
        """Returns a view that has not begun; raises BadTraceId and TooManyWatchers.

        `seen` is the signature of the trace as the caller has it: what it has is not told again.
        """
        wanted = trace_id_of(trace_id)
        self.places.check(actor)
        following = Following(self, actor, wanted, seen)
        await following.look(actor)
        return following


@dataclass(slots=True)
class Following:
    """One caller's view of a live trace."""

    service: FollowService
    actor: Actor
    trace_id: TraceId
    seen: str = ""
    filter: TraceFilter | None = None
    hidden: frozenset[str] = frozenset()
    chosen: tuple[Source, ...] = ()
    revision: int = 0
    polls: int = 0
    began: int = 0

    async def look(self, actor: Actor) -> bool:
        """Returns False when the view is not what it was; raises the problem of who may not see it."""
        scope = await self.service.scopes.of(actor)
        most = self.service.engine.limits.datasources_per_search
        chosen = tuple((await self.service.catalog.sources(actor, None))[:most])
        before = (self.filter, self.hidden, [source.id for source in self.chosen])
        self.filter, self.hidden, self.chosen = scope.trace_filter, scope.hidden_attributes, chosen
        return before == (scope.trace_filter, scope.hidden_attributes, [source.id for source in chosen])

    async def events(self, again: Again) -> AsyncGenerator[list[FollowEvent], None]:
        """Yields what is added; ends when nothing was for the quiet time, or the caller may not watch any more."""
        service = self.service
        self.began = nanos_of(service.clock.now())
        key = (self.actor.organisation_id, self.trace_id, tuple(source.id for source in self.chosen))
        with ExitStack() as held:
            try:
                held.enter_context(service.places.taken(self.actor))
                follower = held.enter_context(service.hub.held(key, self._follower))
            except Problem as problem:
                yield [Ended(problem.slug, problem.detail)]
                return
            bell = Bell()
            follower.bells.add(bell)
            held.callback(follower.bells.discard, bell)
            until, ended = anyio.current_time() + service.settings.life_s, False
            while not ended and anyio.current_time() < until:
                if self.polls == follower.polls and not follower.broken:
                    await bell.wait(min(service.settings.recheck_s, until - anyio.current_time()))
                events = await self._news(follower, again)
                ended = bool(events) and isinstance(events[-1], Ended)
                yield events

    def _follower(self) -> TraceFollower:
        service = self.service
        return TraceFollower(service.engine, self.chosen, self.trace_id, service.settings, service.clock)

    async def _news(self, follower: TraceFollower, again: Again) -> list[FollowEvent]:
        try:
            same = await self.look(await again())
        except Problem as problem:
            return [Ended(problem.slug, problem.detail)]
        if not same:
            return [Ended("changed", Notice("The project or its datasources changed; the view begins again."))]
        if follower.broken:
            return [Ended("internal-error", Notice("An adapter broke while it was asked; the log has more."))]
        follower.sources = self.chosen
        if self.polls == follower.polls:
            return []
        self.polls = follower.polls
        return await self._told(follower)

    async def _told(self, follower: TraceFollower) -> list[FollowEvent]:
        events: list[FollowEvent] = []
        assembled = follower.assembled
        if assembled is not None and assembled.trace is not None and not self._in_project(assembled.trace):
            return self._told_nothing(follower, assembled)
        revision = follower.revision
        if not self.revision and self.seen and assembled and assembled.trace:
            self.revision = revision if signature_of(assembled.trace) == self.seen else 0
        grown = await follower.grown(self.revision, self.hidden, self.service.read)
        if grown is not None:
            self.revision = revision
            events.append(grown)
        sources = assembled.outcome.sources if assembled else ()
        events.append(Looked(follower.polled_at, follower.grew_at, follower.quiet, sources))
        if follower.quiet:
            events.append(_ended_quietly())
        return events

    def _told_nothing(self, follower: TraceFollower, assembled: Assembled) -> list[FollowEvent]:
        """Returns what is told of a trace that nobody has: the span that makes it the project's may be to come."""
        quiet_ns = int(self.service.settings.quiet_s * NANOS_PER_SECOND)
        quiet = follower.quiet or follower.polled_at - self.began >= quiet_ns
        looked = Looked(
            follower.polled_at, self.began, quiet, tuple(one.of_nothing() for one in assembled.outcome.sources)
        )
        return [looked, _ended_quietly()] if quiet else [looked]

    def _in_project(self, trace: Trace) -> bool:
        condition = scope_condition(self.filter)
        return condition is None or bool(compile_filter(SpansetFilter(condition)).matches(trace))


def _ended_quietly() -> Ended:
    return Ended("quiet", Notice("Nothing was added to this trace for a while."))
