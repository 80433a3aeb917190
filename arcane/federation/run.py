"""One datasource's part of an answer, from its first scan to its row in `sources[]`."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import anyio

from arcane.federation.asking import Asking
from arcane.federation.merge import Position, Row, Stream
from arcane.federation.plan import SourcePlan
from arcane.federation.question import Question, mark_of
from arcane.federation.verify import AsAnswered, Judge, OnOwnTraces
from arcane.federation.walk import Walk, position_of
from arcane.model.notice import Notice
from arcane.model.outcome import SourceError, SourceOutcome, SourceStatus
from arcane.spi.errors import DatasourceError, TimedOut
from arcane.spi.scan import Candidate

T = TypeVar("T")
WARNINGS_MAX = 10
_WARM_UP = 4
_FIRST_ASKED = 100
"""How many traces an endless answer asks for first: few, so that the first row is there soon."""


class Verifier(Protocol):
    """Makes rows of candidates; raises DatasourceError."""

    async def rows(self, candidates: Sequence[Candidate]) -> list[Row]:
        """Returns the rows of those that match, in their order."""
        ...


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one datasource, newest first, and where it goes on below them (None: at its end)."""

    rows: Sequence[Row]
    frontier: Position | None


Give = Callable[[Batch], Awaitable[None]]


@dataclass(slots=True)
class SourceRun:
    """Collects rows of one datasource, newest first, until there are enough, none are left, or it fails.

    What it has given is good at any moment: a fault or a deadline ends it, and takes nothing back. Its
    clock, and its deadline, stand still while whoever takes the rows is busy.
    """

    asking: Asking
    plan: SourcePlan
    question: Question
    walk: Walk
    verifier: Verifier
    judge: Judge
    begin: Position
    batch: int
    """How many candidates to ask for at once at most, after the first time."""
    seen: frozenset[bytes] = frozenset()
    rows: list[Row] = field(default_factory=list)
    """The rows, where nobody else takes them."""
    given: int = 0
    error: DatasourceError | None = None
    elapsed_ms: float = 0.0
    finished: bool = False
    cut: bool = False
    """The answer ended at a bound of this instance before this datasource was through."""
    frontier: Position | None = None
    """Where the datasource goes on below everything it has given."""

    def __post_init__(self) -> None:
        self.frontier = self.begin

    async def collect(self, give: Give | None = None) -> None:
        """Returns once `give` has all rows (without it, `rows`); what went wrong is in `error`."""
        try:
            await self._collect(give or self._keep)
        except DatasourceError as exc:
            self.error = exc
        self.finished = True

    def early(self, candidates: Sequence[Candidate]) -> list[Row]:
        """Returns rows of what a scan that is still under way has given; they come again with their batch."""
        frontier = self.walk.frontier
        if frontier is None or not isinstance(self.verifier, AsAnswered):
            return []
        return self.verifier.rows_at_once([one for one in self._fresh(candidates) if position_of(one) < frontier])

    async def _keep(self, batch: Batch) -> None:
        self.rows += batch.rows

    async def _collect(self, give: Give) -> None:
        most = min(self.walk.capabilities.max_limit, self.batch)
        wanted = min(self.question.limit, _FIRST_ASKED) if self.question.endless else self.question.limit
        while self.given < self.question.limit and not self.walk.ended:
            if self.question.endless:
                self.asking.renew()
            candidates = await self._in_time(self.walk.step(wanted))
            await self._verify(self._fresh(candidates), give)
            # What few of the candidates pass needs many of them.
            wanted = max(1, min(wanted * 2, most))
        if self.walk.error is not None:
            raise self.walk.error

    async def _verify(self, candidates: list[Candidate], give: Give) -> None:
        size = len(candidates) if self.plan.residual is None else max(_WARM_UP, self.walk.capabilities.concurrency)
        for start in range(0, len(candidates), max(1, size)):
            if self.given >= self.question.limit:
                return
            chunk = candidates[start : start + size]
            rows = await self._in_time(self.verifier.rows(chunk))
            is_last = start + size >= len(candidates)
            await self._give(Batch(rows, self.walk.frontier if is_last else position_of(chunk[-1])), give)
        if not candidates:
            await self._give(Batch((), self.walk.frontier), give)

    async def _give(self, batch: Batch, give: Give) -> None:
        self.given += len(batch.rows)
        self.frontier = batch.frontier
        await give(batch)

    async def _in_time(self, work: Awaitable[T]) -> T:
        started = time.perf_counter()
        try:
            with anyio.move_on_after(self.asking.deadline.remaining()):
                return await work
            raise TimedOut
        finally:
            self.elapsed_ms += (time.perf_counter() - started) * 1_000

    def _fresh(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        if not self.seen:
            return list(candidates)
        return [one for one in candidates if mark_of(one.trace_id) not in self.seen]

    def is_through(self, position: Position) -> bool:
        """True when it gave everything that it has down to `position`."""
        reached = self.frontier is None or self.frontier <= position
        return reached and self.finished and self.error is None and not self.cut and not self.walk.gaps

    @property
    def stream(self) -> Stream:
        """What merging needs of it."""
        return Stream(self.rows, self.begin, self.frontier)

    @property
    def failed(self) -> bool:
        """True when it gave nothing, and not because there is nothing."""
        return self.error is not None and not self.given

    def outcome(self, rows: int) -> SourceOutcome:
        """Returns the row in `sources[]`; `rows` is how many of the answer's hits it contributed to."""
        source, missing, notes = self.asking.source, self._missing(), self._notes()
        return SourceOutcome(
            source.id,
            source.name,
            source.kind,
            self._status(bool(missing)),
            rows,
            round(self.elapsed_ms, 3),
            self.plan.pushed_text,
            self.plan.residual_text,
            (*missing, *notes)[:WARNINGS_MAX],
            error_of(self.error) if self.error is not None else None,
        )

    def _status(self, is_missing_some: bool) -> SourceStatus:
        if self.error is not None:
            return SourceStatus.PARTIAL if self.given else SourceStatus.FAILED
        if not self.finished:
            return SourceStatus.PARTIAL if self.given else SourceStatus.SKIPPED
        if self.walk.gaps or self._stopped or self.cut:
            return SourceStatus.APPROXIMATE
        return SourceStatus.PARTIAL if is_missing_some else SourceStatus.OK

    @property
    def _stopped(self) -> bool:
        return self.walk.stopped and self.walk.frontier is not None and self.given < self.question.limit

    def _missing(self) -> list[str]:
        """Returns what is known to be missing."""
        found = list(self.asking.warnings)
        if isinstance(self.verifier, OnOwnTraces) and self.verifier.vanished:
            found.append(
                Notice(
                    "%(count)d traces matched the search and could not be read afterwards.",
                    count=self.verifier.vanished,
                )
            )
        if self.asking.lookup_error is not None:
            fault = error_of(self.asking.lookup_error)
            found.append(
                Notice("Parts of other datasources' traces could not be looked up here: %(why)s", why=fault.message)
            )
        return found

    def _notes(self) -> list[str]:
        """Returns what else a reader of the page should know."""
        found: list[str] = []
        if not self.finished:
            found.append(Notice("The search ended before this datasource answered, because another one failed."))
        if self.cut:
            found.append(Notice("The answer reached a bound of this instance; `next` goes on from there."))
        if self._stopped:
            found.append(
                Notice(
                    "Stopped after looking at %(count)d traces; the next page goes on from there.",
                    count=self.walk.looked_at,
                )
            )
        if self.walk.gaps:
            found.append(
                Notice("More traces began at one instant than one request may return; some of them are missing.")
            )
        if self.judge.errors:
            found.append(
                Notice(
                    "%(count)d spans had no value for the condition (a division by zero, for instance) "
                    "and do not match.",
                    count=self.judge.errors,
                )
            )
        return found


def error_of(error: DatasourceError) -> SourceError:
    """Returns the fault as it is shown."""
    return SourceError(error.kind, error.message, error.retry_after_s)
