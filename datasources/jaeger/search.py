"""One scan as the requests that Jaeger can answer: a conjunction each, for a service each where it wants one.

Jaeger finds a trace by when the spans that match began; Arcane wants those that overlap a window. A trace that
goes over the window's edge may have its match outside, so the window is asked for wider than it is, by the
longest trace there is. Where that is more than a request may return, the window itself and its two
sides are asked for one by one, and what is still cut is told.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import anyio

from arcane.spi import (
    NANOS_PER_SECOND,
    BackendFailed,
    Candidate,
    DatasourceError,
    Deadline,
    Notice,
    Rejected,
    ScanPage,
    Span,
    TimeRange,
    TooLarge,
    Trace,
    TraceId,
)
from datasources.jaeger.api import Api
from datasources.jaeger.compile import ANYTHING, MICROSECOND, Ask, Branch, with_service
from datasources.jaeger.stores import Reach

_ROWS_A_TRACE = 3
"""How many index rows Cassandra reads for each trace that is asked for."""
_GRAIN = MICROSECOND - 1
_DEEPER = 4
"""How many times as many traces the sides of a window are asked for: nothing asks for them again in parts."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a person has set: most traces of a request, most services asked, minutes of the longest trace."""

    max_traces: int = 1_000
    max_services: int = 50
    longest_trace_minutes: int = 15

    @property
    def margin_ns(self) -> int:
        """How much wider than a window is asked for."""
        return self.longest_trace_minutes * 60 * NANOS_PER_SECOND


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one scan asks for."""

    branches: tuple[Branch, ...]
    within: TimeRange
    limit: int
    began_within: bool = False
    bare: bool = False

    def beside(self, margin_ns: int) -> tuple[int, int]:
        """Returns how far before and after the window a span may match of a trace that is wanted.

        Where any span will do, so will the one that a trace begins with.
        """
        return 0 if self.began_within else margin_ns, 0 if self.branches == (ANYTHING,) else margin_ns


@dataclass(slots=True)
class Swept:
    """What the requests for one window found; `whole` says that there is nothing else."""

    traces: dict[TraceId, Trace] = field(default_factory=dict)
    whole: bool = True

    def add(self, traces: Iterable[Trace], most: int) -> None:
        """Takes in what a request found: of two parts of a trace the larger one, and the newest of more than `most`.

        Elasticsearch reads a trace for the days around the window that was asked for.
        """
        for trace in traces:
            known = self.traces.get(trace.trace_id)
            if known is None or len(known.spans) < len(trace.spans):
                self.traces[trace.trace_id] = trace
        if len(self.traces) > most:
            self.traces = {trace.trace_id: trace for trace in self.newest_first()[:most]}
            self.whole = False

    def newest_first(self) -> list[Trace]:
        """Returns the traces in the order of an answer."""
        return sorted(self.traces.values(), key=lambda trace: (trace.start, trace.trace_id), reverse=True)


@dataclass(slots=True)
class Search:
    """The requests of one scan."""

    api: Api
    reach: Reach
    bounds: Bounds
    limiter: anyio.CapacityLimiter
    deadline: Deadline
    warnings: dict[str, None] = field(default_factory=dict)
    _services: list[str] | None = None
    _tags_need_service: bool = False

    async def run(self, wanted: Wanted) -> ScanPage:
        """Returns the traces that overlap the window, the newest where there are more than the limit."""
        found = await self._overlapping(wanted)
        candidates = [Candidate(trace.trace_id, trace.start, trace=trace) for trace in found.newest_first()]
        return ScanPage(tuple(candidates), found.whole, tuple(self.warnings))

    async def _overlapping(self, wanted: Wanted) -> Swept:
        exact = wanted.within
        before, after = wanted.beside(self.bounds.margin_ns)
        found = await self._sweep(wanted, TimeRange(exact.start - before, exact.end + after))
        if found.whole or not (before or after):
            return found
        inside = await self._sweep(wanted, exact)
        if inside.whole:
            await self._look_beside(wanted, before, after, inside)
        inside.add(found.traces.values(), wanted.limit)
        return inside

    async def _look_beside(self, wanted: Wanted, before: int, after: int, found: Swept) -> None:
        """Adds what the two sides of the window have; where that is cut, narrower windows would not help."""
        start, end = wanted.within.start, wanted.within.end
        for side in (TimeRange(start - before, start), TimeRange(end, end + after)):
            if side.duration:
                beside = await self._sweep(replace(wanted, limit=wanted.limit * _DEEPER), side)
                found.add(beside.traces.values(), wanted.limit)
                if not beside.whole:
                    self.warnings[Notice("Traces that go over an edge of the window may be missing.")] = None

    async def _sweep(self, wanted: Wanted, within: TimeRange) -> Swept:
        """Asks for each branch, with each service where one is needed."""
        branches = [branch for branch in wanted.branches if not self._needs_service(branch)]
        branches += await self._for_each_service([branch for branch in wanted.branches if branch not in branches])
        try:
            return await self._ask_all(branches, wanted, within)
        except (BackendFailed, Rejected):
            if self._tags_need_service or not any(branch.tags and not branch.service for branch in branches):
                raise
            self._tags_need_service = True  # of Elasticsearch, before Jaeger 2.19
            return await self._sweep(wanted, within)

    def _needs_service(self, branch: Branch) -> bool:
        """True when no search without a service answers the branch."""
        return not branch.service and (not self.reach.serviceless or bool(branch.tags and self._tags_need_service))

    async def _ask_all(self, branches: list[Branch], wanted: Wanted, within: TimeRange) -> Swept:
        """Keeps only what overlaps the window that is wanted, so that no more than the limit is ever held."""
        overlapping = TimeRange(wanted.within.start - _GRAIN, wanted.within.end + _GRAIN)
        swept = Swept()
        failures: list[DatasourceError] = []

        async def ask(branch: Branch) -> None:
            try:
                found, whole = await self._find(branch, wanted, within)
                swept.whole = swept.whole and whole
                swept.add((one for one in found if overlapping.overlaps(one.start, one.end)), wanted.limit)
            except DatasourceError as exc:
                failures.append(exc)
                group.cancel_scope.cancel()

        async with anyio.create_task_group() as group:
            for branch in branches:
                group.start_soon(ask, branch)
        if failures:
            raise failures[0]
        return swept

    async def _for_each_service(self, branches: list[Branch]) -> list[Branch]:
        if not branches:
            return []
        if self._services is None:
            self._services = await self.api.services(self.deadline)
        known, most = len(self._services), self.bounds.max_services
        if known > most:
            told = Notice(
                "Jaeger knows %(known)d services and %(asked)d were asked: name one, or raise the most services asked.",
                known=known,
                asked=most,
            )
            self.warnings[told] = None
        (branch,) = branches if len(branches) == 1 else (ANYTHING,)  # one round of the services is enough
        return [with_service(branch, service) for service in self._services[:most]]

    async def _find(self, branch: Branch, wanted: Wanted, within: TimeRange) -> tuple[list[Trace], bool]:
        """Returns what one branch finds, and whether that is all; fewer traces where they are too large together."""
        depth = min(wanted.limit, self.bounds.max_traces)
        while True:
            ask = ask_of(branch, within, depth)
            try:
                async with self.limiter:
                    traces = await self.api.find(ask, self.deadline, bare=wanted.bare)
            except TooLarge:
                if depth == 1:
                    raise
                depth = max(1, depth // 4)
            else:
                return traces, self._is_whole(ask, traces)

    def _is_whole(self, ask: Ask, traces: list[Trace]) -> bool:
        """True when there is nothing else. Where an index may have been cut, its rows are counted."""
        if len(traces) >= ask.depth:
            return False
        if self.reach.sure:
            return True
        rows = sum(_is_row(span, ask) for trace in traces for span in trace.spans)
        return rows < ask.depth * _ROWS_A_TRACE


def ask_of(branch: Branch, within: TimeRange, depth: int) -> Ask:
    """Returns the request: a microsecond wider on both sides, because Cassandra leaves both out."""
    return Ask(branch, within.start // MICROSECOND - 1, -(-within.end // MICROSECOND) + 1, depth)


def _is_row(span: Span, ask: Ask) -> bool:
    """True when the span has a row in the index that answers `ask`."""
    return (
        span.service_name == ask.branch.service
        and ask.branch.operation in ("", span.name)
        and ask.start_us <= span.start // MICROSECOND <= ask.end_us
    )
