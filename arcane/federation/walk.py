"""Walks one datasource from the newest trace to the oldest, whatever order the backend answers in.

A backend that answers newest first is asked again below the last trace it gave. One that answers
with whatever it finds first is asked for windows of time that go backwards: a window that was not
answered in full is asked again narrower, until what it holds is known to be all.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

from arcane.federation.merge import Position
from arcane.model.time import TimeRange
from arcane.spi.capabilities import Capabilities, Order
from arcane.spi.errors import DatasourceError
from arcane.spi.scan import Candidate, ScanRequest
from arcane.traceql.ast import Field, SpansetFilter

_NARROWER = 8
_LEAST_ASKED = 100


@dataclass(frozen=True, slots=True)
class Scanned:
    """A whole scan. With an `error`, what came before it; `complete` says whether the window has nothing else."""

    candidates: list[Candidate]
    complete: bool
    error: DatasourceError | None = None


Scan = Callable[[ScanRequest], Awaitable[Scanned]]


@dataclass(frozen=True, slots=True)
class Bounds:
    """Most candidates and most scans of one walk."""

    candidates: int
    scans: int


@dataclass(slots=True)
class Walk:
    """Gives candidates newest first, each once, all below `frontier`; that is None once there are no more."""

    scan: Scan
    capabilities: Capabilities
    pushed: SpansetFilter
    within: TimeRange
    bounds: Bounds
    frontier: Position | None
    spans_per_trace: int = 3
    select: tuple[Field, ...] = ()
    whole: bool = False
    """What is found is read whole afterwards."""
    bare: bool = False
    """Nobody looks at what spans carry of their own."""
    stopped: bool = False
    """A bound was reached: there may be more below the frontier."""
    gaps: int = 0
    """How often traces were left out, because more of them lie in one instant than a scan may return."""
    error: DatasourceError | None = None
    looked_at: int = 0
    _scans: int = 0
    _moved: bool = False
    _stale: int = 0
    _width: int | None = None
    _limit: int = 0

    @property
    def ended(self) -> bool:
        """True when no step would give more: at the end, at a bound, or after a fault."""
        return self.frontier is None or self.stopped or self.error is not None

    def opening(self, wanted: int) -> ScanRequest | None:
        """Returns the request that a first step would make; None when there is nothing to ask for."""
        if self.frontier is None:
            return None
        newest_first = self.capabilities.order is Order.NEWEST_FIRST
        return self._request(self._window(self.frontier), wanted if newest_first else max(wanted, _LEAST_ASKED))

    async def step(self, wanted: int) -> list[Candidate]:
        """Returns the next candidates, maybe none, and moves the frontier below them."""
        if self.frontier is None:
            return []
        if self.capabilities.order is Order.NEWEST_FIRST:
            return await self._newest(self.frontier, wanted)
        return await self._found(self.frontier, wanted)

    async def _newest(self, frontier: Position, wanted: int) -> list[Candidate]:
        window = self._window(frontier)
        limit = wanted + self._stale
        while True:
            scanned = await self._ask(window, limit)
            fresh = _below(frontier, scanned.candidates)
            inside = self._inside(window, fresh)
            self._stale = len(scanned.candidates) - len(fresh)
            if scanned.complete or len(inside) < len(fresh):
                self._settle(window)
            elif inside:
                self._move(position_of(inside[-1]))
            elif self.error is None:
                if limit < self.capabilities.max_limit and not self.stopped:
                    limit *= 4
                    continue
                if not (self.stopped and self._moved):  # otherwise the next page tries again with fresh bounds
                    self._leave_gap(window.end)
            return inside

    async def _found(self, frontier: Position, wanted: int) -> list[Candidate]:
        self._limit = max(self._limit, wanted, _LEAST_ASKED)
        while True:
            window = self._window(frontier)
            scanned = await self._ask(window, self._limit)
            if self.error is not None:
                return []
            inside = self._inside(window, _below(frontier, scanned.candidates))
            if scanned.complete:
                self._settle(window)
                self._widen(len(scanned.candidates))
                return inside
            if not self.stopped and self._refine(window, scanned.candidates):
                continue
            if self.stopped and self._moved:
                return []
            self._settle(window)
            self.gaps += 1
            return inside

    def _window(self, frontier: Position) -> TimeRange:
        """Returns the part of the range to ask for next; traces that began before the range overlap its start."""
        start, trace_id = frontier
        low = self.within.start
        high = max(low, min(self.within.end, start if trace_id else start - 1))
        widths = (self._width, self.capabilities.max_range_ns)
        return TimeRange(max([low, *(high - width for width in widths if width is not None)]), high)

    async def _ask(self, window: TimeRange, limit: int) -> Scanned:
        scanned = await self.scan(self._request(window, limit))
        self._scans += 1
        self.looked_at += len(scanned.candidates)
        self.stopped = self._scans >= self.bounds.scans or self.looked_at >= self.bounds.candidates
        self.error = scanned.error
        return scanned

    def _request(self, window: TimeRange, limit: int) -> ScanRequest:
        began_within = window.start != self.within.start  # a trace that began earlier has its turn later
        limit = max(1, min(limit, self.capabilities.max_limit))
        spans = self.spans_per_trace
        asked = (window, limit, self.pushed, spans, self.select)
        return ScanRequest(*asked, began_within=began_within, whole=self.whole, bare=self.bare)

    def _inside(self, window: TimeRange, candidates: list[Candidate]) -> list[Candidate]:
        """Returns those whose turn it is: a trace that began before a window belongs to the one it began in."""
        if window.start == self.within.start:
            return candidates
        return [candidate for candidate in candidates if candidate.start >= window.start]

    def _settle(self, window: TimeRange) -> None:
        self._move(None if window.start == self.within.start else (window.start, ""))

    def _move(self, frontier: Position | None) -> None:
        self.frontier = frontier
        self._moved = True

    def _leave_gap(self, instant: int) -> None:
        """Goes on below an instant in which more traces begin than a scan returns."""
        below = instant - self.capabilities.time_resolution_ns + 1
        self._move((below, "") if below > self.within.start else None)
        self.gaps += 1

    def _refine(self, window: TimeRange, candidates: Sequence[Candidate]) -> bool:
        """Makes the next scan of this place more likely to be complete; False when there is no way to."""
        least = self.capabilities.time_resolution_ns - 1
        began_here = sum(candidate.start >= window.start for candidate in candidates)
        can_ask_more = self._limit < self.capabilities.max_limit
        if can_ask_more and (window.duration <= least or began_here * 2 < len(candidates)):
            self._limit *= 4
            return True
        if window.duration <= least:
            return False
        self._width = max(least, window.duration // _NARROWER)
        return True

    def _widen(self, found: int) -> None:
        if self._width is not None and found * 2 < self._limit:
            self._width = max(1, self._width) * (_NARROWER if found * _NARROWER < self._limit else 2)


def _below(frontier: Position, candidates: Iterable[Candidate]) -> list[Candidate]:
    """Returns the candidates below `frontier`, newest first, each trace once."""
    unique = {candidate.trace_id: candidate for candidate in candidates}
    below = [one for one in unique.values() if (one.start, one.trace_id) < frontier]
    return sorted(below, key=position_of, reverse=True)


def position_of(candidate: Candidate) -> Position:
    """Returns where a candidate stands in its datasource's order."""
    return (candidate.start, candidate.trace_id)
