"""The tail of one datasource: asked again and again, for everybody who watches the same query in the same scope.

Each poll asks a window that overlaps the one before, down to the *watermark* less an overlap: spans that arrive
late are seen. What a poll finds is compared with what was told of the trace, so nothing is told twice and a trace
that grew is told again. What was told is kept in a log of fixed length from which every watcher reads at its own
speed; one that falls behind the log is told how much it missed.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass

import anyio
from msgspec.structs import replace

from arcane.federation.execute import Engine
from arcane.federation.question import Question
from arcane.federation.source import Source
from arcane.kit.clock import Clock
from arcane.model.deadline import Deadline
from arcane.model.hit import TraceHit
from arcane.model.ids import TraceId
from arcane.model.notice import Notice
from arcane.model.outcome import SourceOutcome, SourceStatus
from arcane.model.time import NANOS_PER_SECOND, TimeRange, datetime_of, nanos_of
from arcane.settings import LiveSettings
from arcane.traceql.ast_pipeline import Query
from arcane.traces.live.hub import Bell
from arcane.traces.live.pages import read_pages

_Told = tuple[int, int, int, int | None, int | None, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class TailQuestion:
    """What is watched; `query` has the project's scope in it."""

    query: Query
    spans_per_trace: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A trace that was found by the poll at `at`; `again` when it was told before and has grown."""

    number: int
    at: int
    hit: TraceHit
    again: bool


@dataclass(frozen=True, slots=True)
class Poll:
    """How the latest poll went. `number` counts them."""

    number: int
    at: int
    outcome: SourceOutcome


class SourceTail:
    """Polls one datasource while anybody watches (arcane.traces.live.hub.Shared)."""

    def __init__(
        self, engine: Engine, source: Source, question: TailQuestion, settings: LiveSettings, clock: Clock
    ) -> None:
        self.source = source
        self.question = question
        self.broken = False
        self.last: Poll | None = None
        self.bells: set[Bell] = set()
        self._changed = Bell()
        self._engine = engine
        self._settings = settings
        self._clock = clock
        self._watermark: int = nanos_of(clock.now())
        self._log: deque[Entry] = deque(maxlen=settings.log_length)
        self._numbers = 0
        self._polls = 0
        self._told: OrderedDict[TraceId, _Told] = OrderedDict()

    async def run(self) -> None:
        """Polls until it is cancelled; never faster than the datasource answers, nor before it wants to be asked.

        What was wanted before somebody changed its settings binds nobody.
        """
        while True:
            began = anyio.current_time()
            self._changed = Bell()
            poll = await self.poll()
            error = poll.outcome.error
            wanted = (error.retry_after_s if error else None) or 0.0
            pause = max(self._settings.poll_s, anyio.current_time() - began)
            await anyio.sleep(pause)
            if wanted > pause:
                await self._changed.wait(wanted - pause)

    def ask(self, source: Source) -> None:
        """The next polls ask `source`: after a change of settings there is another adapter."""
        if source.adapter is not self.source.adapter:
            self._changed.ring()
        self.source = source

    def broke(self) -> None:
        """Whoever watches is told that nothing more comes."""
        self.broken = True
        self._ring()

    def look_back(self, to: int) -> None:
        """The next poll reaches down to `to`, as far as the settings let it; it tells where that is not far enough."""
        self._watermark = min(self._watermark, to)

    async def poll(self) -> Poll:
        """Returns how one poll went; what it found is in the log."""
        now: int = nanos_of(self._clock.now())
        overlap, longest = (_nanos(seconds) for seconds in (self._settings.overlap_s, self._settings.catch_up_s))
        begin = min(now, max(self._watermark, now - longest) - overlap)
        is_too_late = self._watermark < begin
        question = Question(
            self.question.query,
            TimeRange(max(0, begin), now),
            self._settings.rows_per_poll,
            self.question.spans_per_trace,
        )
        deadline = Deadline.after(self._engine.limits.source_timeout_s)
        found = await read_pages(self._engine, self.source, question, self._settings.pages_per_poll, deadline)
        outcome = found.outcome
        if outcome.error is None:
            self._watermark = now
            if is_too_late:
                outcome = _noted(outcome, SourceStatus.PARTIAL, _too_late(begin))
        self._tell(found.hits, now)
        self._polls += 1
        self.last = Poll(self._polls, now, outcome)
        self._ring()
        return self.last

    def place_of(self, since: int) -> int:
        """Returns the number after which a watcher reads who knows everything told up to `since`."""
        return next((entry.number - 1 for entry in self._log if entry.at > since), self._numbers)

    def after(self, number: int, most: int) -> tuple[Sequence[Entry], int]:
        """Returns up to `most` entries after `number`, and how many were lost since because nobody took them."""
        oldest = self._log[0].number if self._log else self._numbers + 1
        lost = max(0, oldest - number - 1)
        return [entry for entry in self._log if entry.number > number][:most], lost

    def told_until(self, number: int) -> int:
        """Returns the moment up to which whoever has taken the entries up to `number` knows everything."""
        if self.last is None:
            return 0
        return next((entry.at - 1 for entry in self._log if entry.number > number), self.last.at)

    @property
    def numbers(self) -> int:
        """The number of the latest entry."""
        return self._numbers

    def _tell(self, hits: Sequence[TraceHit], at: int) -> None:
        for hit in reversed(hits):  # hits come newest first; the log is in the order of things
            told = _told_of(hit)
            before = self._told.pop(hit.trace_id, None)
            self._told[hit.trace_id] = told
            if before == told:
                continue
            self._numbers += 1
            self._log.append(Entry(self._numbers, at, hit, again=before is not None))
        while len(self._told) > self._settings.traces_remembered:
            self._told.popitem(last=False)

    def _ring(self) -> None:
        for bell in self.bells:
            bell.ring()


def _noted(outcome: SourceOutcome, status: SourceStatus, warning: Notice) -> SourceOutcome:
    """Returns the outcome with one more warning; `status` where it said that all is well."""
    status = status if outcome.status is SourceStatus.OK else outcome.status
    return replace(outcome, status=status, warnings=(*outcome.warnings, warning))


def _too_late(begin: int) -> Notice:
    return Notice(
        "Not asked for longer than is caught up with: what began before %(time)s may be missing.",
        time=f"{datetime_of(begin):%Y-%m-%dT%H:%M:%SZ}",
    )


def _told_of(hit: TraceHit) -> _Told:
    """Returns what makes a hit worth telling again when it differs."""
    shown = tuple(span.span_id for span in hit.spans)
    return (hit.matched, hit.span_set_count, hit.duration, hit.span_count, hit.error_count, shown)


def _nanos(seconds: float) -> int:
    return int(seconds * NANOS_PER_SECOND)
