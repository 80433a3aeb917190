"""One datasource's part of a search, from its first scan to its row in `sources[]`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import anyio

from arcane.federation.asking import Asking
from arcane.federation.merge import Position, Row, Stream
from arcane.federation.plan import SourcePlan
from arcane.federation.question import Question, mark_of
from arcane.federation.verify import Judge, OnOwnTraces
from arcane.federation.walk import Walk, position_of
from arcane.model.notice import Notice
from arcane.model.outcome import SourceError, SourceOutcome, SourceStatus
from arcane.spi.errors import DatasourceError, TimedOut
from arcane.spi.scan import Candidate

WARNINGS_MAX = 10
_WARM_UP = 4


class Verifier(Protocol):
    """Makes rows of candidates; raises DatasourceError."""

    async def rows(self, candidates: Sequence[Candidate]) -> list[Row]:
        """Returns the rows of those that match, in their order."""
        ...


@dataclass(slots=True)
class SourceRun:
    """Collects rows of one datasource, newest first, until there are enough, none are left, or it fails.

    What it has collected is good at any moment: a fault or a deadline ends it, and takes nothing back.
    """

    asking: Asking
    plan: SourcePlan
    question: Question
    walk: Walk
    verifier: Verifier
    judge: Judge
    begin: Position
    seen: frozenset[bytes] = frozenset()
    rows: list[Row] = field(default_factory=list)
    error: DatasourceError | None = None
    elapsed_ms: float = 0.0
    finished: bool = False
    _frontier: Position | None = None

    def __post_init__(self) -> None:
        self._frontier = self.begin

    async def collect(self) -> None:
        """Returns once the rows are there; what went wrong is in `error`."""
        started = time.perf_counter()
        try:
            with anyio.move_on_after(self.asking.deadline.remaining()) as scope:
                await self._collect()
            if scope.cancelled_caught:
                self.error = TimedOut()
        except DatasourceError as exc:
            self.error = exc
        self.finished = True
        self.elapsed_ms = (time.perf_counter() - started) * 1_000

    async def _collect(self) -> None:
        limit = wanted = self.question.limit
        while len(self.rows) < limit and not self.walk.ended:
            batch = await self.walk.step(wanted)
            if self.seen:
                batch = [one for one in batch if mark_of(one.trace_id) not in self.seen]
            await self._verify(batch)
            # What few of the candidates pass needs many of them.
            wanted = min(wanted * 2, self.walk.capabilities.max_limit)
        if self.walk.error is not None:
            raise self.walk.error

    async def _verify(self, batch: list[Candidate]) -> None:
        size = len(batch) if self.plan.residual is None else max(_WARM_UP, self.walk.capabilities.concurrency)
        for start in range(0, len(batch), max(1, size)):
            if len(self.rows) >= self.question.limit:
                return
            chunk = batch[start : start + size]
            self.rows += await self.verifier.rows(chunk)
            self._frontier = position_of(chunk[-1])
        self._frontier = self.walk.frontier

    @property
    def stream(self) -> Stream:
        """What merging needs of it."""
        return Stream(self.rows, self.begin, self._frontier)

    @property
    def failed(self) -> bool:
        """True when it gave nothing, and not because there is nothing."""
        return self.error is not None and not self.rows

    def outcome(self, rows: int) -> SourceOutcome:
        """Returns the row in `sources[]`; `rows` is how many of the page's hits it contributed to."""
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
        if not self.finished:
            return SourceStatus.SKIPPED
        if self.error is not None:
            return SourceStatus.PARTIAL if self.rows else SourceStatus.FAILED
        if self.walk.gaps or self._stopped:
            return SourceStatus.APPROXIMATE
        return SourceStatus.PARTIAL if is_missing_some else SourceStatus.OK

    @property
    def _stopped(self) -> bool:
        return self.walk.stopped and self.walk.frontier is not None and len(self.rows) < self.question.limit

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
