"""Listing traces for evaluations: what a query finds, once over a time range, or as it arrives.

Any number of processes may do this at once: each leases one evaluation at a time. What is listed twice (a process died,
a window overlaps) is one subject, for its key is unique. Only references are written.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import anyio
from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.datasets.sources import Scope
from arcane.evaluations.repository.evaluations import EvaluationRepository, Hit
from arcane.evaluations.service.reading import NOT_THEIRS, Readers
from arcane.evaluations.service.subject import finish
from arcane.evaluations.tables import Evaluation
from arcane.evaluations.words import State, Unit
from arcane.jobs.service.runs import Jobs
from arcane.kit.actor import Actor, Tenant
from arcane.kit.clock import Clock
from arcane.kit.database import DATABASE_FAILURES, Database
from arcane.kit.logging import get_logger
from arcane.kit.problems import Problem
from arcane.kit.tables import now
from arcane.model.deadline import Deadline
from arcane.model.time import NANOS_PER_SECOND, TimeRange, nanos_of
from arcane.settings import EvaluationSettings
from arcane.traces.questions import FoundTrace, SearchAnswer, SearchRequest

log = get_logger("arcane.evaluations")

_IDLE_S = 1.0
_PAGE = 200
_SPANS = 100
_NARROWEST = NANOS_PER_SECOND
_PARTIAL = "not every datasource answered: some traces may be missing"
_FULL = "the limit was reached: there are more traces than were listed"


class Searches(Protocol):
    """Where traces are searched."""

    async def search(self, actor: Actor, request: SearchRequest, deadline: Deadline) -> SearchAnswer:
        """Returns a page of traces, newest first; raises the problems of a question that cannot be answered."""
        ...


@dataclass(frozen=True, slots=True)
class Listed:
    """What a search brought: all pages of a range, or as many as were allowed."""

    hits: tuple[FoundTrace, ...]
    complete: bool
    more: bool


@dataclass(frozen=True, slots=True)
class Lister:
    """Lists traces in the background; `run` is one loop a process."""

    database: Database
    jobs: Jobs
    searches: Searches
    readers: Readers
    clock: Clock
    settings: EvaluationSettings

    async def run(self) -> None:
        """Lists until it is cancelled. What cannot be reached now is tried again."""
        while True:
            try:
                busy = await self.step()
            except (Problem, *DATABASE_FAILURES) as exc:
                log.warning("listing_waits", reason=type(exc).__name__)
                busy = False
            if not busy:
                await anyio.sleep(_IDLE_S)

    async def step(self) -> bool:
        """Returns True when there was an evaluation to list for, and it got a step further."""
        async with self.database.transaction(Tenant(instance=True)) as session:
            leased = await EvaluationRepository(session).lease(
                every_s=self.settings.live_every_s, lease_s=self.settings.lease_s
            )
        if leased is None:
            return False
        tenant = Tenant(leased.organisation_id, leased.project_id)
        async with self.database.transaction(tenant) as session:
            evaluation = await EvaluationRepository(session).locked(leased.id)
        if evaluation is None:
            return True
        try:
            await self._look(evaluation, leased.leased_until)
        except Problem as problem:
            await self._put_off(evaluation, f"the search failed: {type(problem).title.lower()}")
        except Exception as exc:  # noqa: BLE001 - one that cannot be listed ends neither the others nor the process
            log.error("listing_broke", evaluation=str(evaluation.id), error=type(exc).__name__)
            await self._put_off(evaluation, "the search failed: internal error")
        return True

    async def _look(self, evaluation: Evaluation, lease: datetime) -> None:
        actor = await self.readers.of(evaluation)
        if actor is None:
            await self._put_off(evaluation, NOT_THEIRS)
        elif evaluation.scope == Scope.LIVE:
            await self._follow(evaluation, actor, lease)
        else:
            await self._list(evaluation, actor, lease)

    async def _list(self, evaluation: Evaluation, actor: Actor, lease: datetime) -> None:
        """Everything in the range is a subject, and there are jobs for it."""
        search = evaluation.search or {}
        within = TimeRange(search["start"], search["end"])
        listed = await self._search(search, actor, within, search["limit"])
        async with self.database.transaction(_tenant(evaluation)) as session:
            row = await self._held(session, evaluation)
            if row is None or row.state != State.LISTING or row.leased_until != lease:
                return
            await self._add(session, row, _hits(listed.hits, Unit(search["unit"])))
            row.note = "" if listed.complete else _PARTIAL
            row.note = row.note or (_FULL if listed.more else "")
            row.state, row.leased_until, row.looked_at = State.RUNNING, None, now()
            finish(row)

    async def _follow(self, evaluation: Evaluation, actor: Actor, lease: datetime) -> None:
        """The watermark is further on: what was quiet by now is a subject, what was not is looked at again."""
        search = evaluation.search or {}
        present = nanos_of(self.clock.now())
        quiet_since = present - _nanos(self.settings.live_quiet_s)
        watermark = evaluation.watermark or search["start"] or nanos_of(evaluation.created_at)
        start = max(0, watermark - _nanos(self.settings.live_lookback_s))
        end = min(quiet_since, watermark + _nanos(self.settings.live_window_s))
        if end <= start:
            await self._put_off(evaluation, evaluation.note)
            return
        listed, end = await self._bounded(search, actor, TimeRange(start, end), watermark)
        settled = [one for one in listed.hits if one.hit.start + one.hit.duration <= quiet_since]
        sampled = [one for one in settled if is_sampled(evaluation.id, one.hit.trace_id, search["sample"])]
        restless = [one.hit.start for one in listed.hits if one.hit.start + one.hit.duration > quiet_since]
        further = listed.complete and not listed.more
        async with self.database.transaction(_tenant(evaluation)) as session:
            row = await self._held(session, evaluation)
            if row is None or row.state != State.RUNNING or row.leased_until != lease:
                return
            await self._add(session, row, _hits(sampled, Unit(search["unit"])))
            if further:
                row.watermark = max(watermark, min([end, *restless]))
            row.note = "" if listed.complete else _PARTIAL
            row.note = row.note or (_FULL if listed.more else "")
            row.leased_until, row.looked_at = None, now()

    async def _bounded(
        self, search: Mapping[str, Any], actor: Actor, within: TimeRange, watermark: int
    ) -> tuple[Listed, int]:
        """Returns what is found, and up to when: where more is found than may be, half the way is gone, and less."""
        end, most = within.end, self.settings.hits_max
        listed = await self._search(search, actor, within, most)
        while listed.more and end - watermark > _NARROWEST:
            end = watermark + (end - watermark) // 2
            listed = await self._search(search, actor, TimeRange(within.start, end), most)
        return listed, end

    async def _search(self, search: Mapping[str, Any], actor: Actor, within: TimeRange, most: int) -> Listed:
        """Returns what the query finds in the range; asks page by page, each with a deadline of its own."""
        found: list[FoundTrace] = []
        complete, cursor = True, None
        while len(found) < most:
            request = SearchRequest(
                text=search["query"],
                datasources=tuple(search["datasource_ids"]),
                within=within,
                cursor=cursor,
                limit=min(_PAGE, most - len(found)),
                spans_per_trace=_SPANS if search["unit"] == Unit.SPAN else 1,
            )
            answer = await self.searches.search(actor, request, Deadline.after(self.settings.list_timeout_s))
            found += answer.found
            complete = complete and answer.complete
            cursor = answer.next
            if cursor is None:
                break
        return Listed(tuple(found), complete, cursor is not None)

    async def _held(self, session: AsyncSession, evaluation: Evaluation) -> Evaluation | None:
        """Returns the evaluation, locked after its run, which results take in this order, too."""
        if evaluation.run_id is not None:
            await self.jobs.hold(session, evaluation.run_id)
        return await EvaluationRepository(session).locked(evaluation.id)

    async def _add(self, session: AsyncSession, evaluation: Evaluation, hits: Sequence[Hit]) -> None:
        if not hits or (evaluation.run_id is None and evaluation.scope == Scope.LIVE):
            return
        repository = EvaluationRepository(session)
        subjects = await repository.add_traces(evaluation, hits)
        if not subjects:
            return
        evaluation.total += await repository.add_results(evaluation.id, subjects)
        if evaluation.run_id is not None:
            await self.jobs.add(session, evaluation.run_id, repository.units(evaluation.id, subjects))

    async def _put_off(self, evaluation: Evaluation, note: str) -> None:
        """It is tried again when the lease has run out; whoever looks at it sees why."""
        async with self.database.transaction(_tenant(evaluation)) as session:
            row = await EvaluationRepository(session).locked(evaluation.id)
            if row is not None:
                row.note, row.looked_at = note, now()
                if row.scope == Scope.LIVE:
                    row.leased_until = None


def is_sampled(evaluation_id: UUID, trace_id: str, rate: float) -> bool:
    """Returns True for a share of all traces: always the same ones, whichever process asks however often."""
    drawn = hashlib.sha256(evaluation_id.bytes + trace_id.encode()).digest()[:8]
    return int.from_bytes(drawn) < rate * 2**64


def _hits(found: Iterable[FoundTrace], unit: Unit) -> list[Hit]:
    hits: list[Hit] = []
    for one in found:
        datasource = UUID(one.datasource_ids[0])
        if unit is Unit.TRACE:
            hits.append(Hit(datasource, one.hit.trace_id, "", one.hit.start))
        else:
            hits += [Hit(datasource, one.hit.trace_id, span.span_id, span.start) for span in one.hit.spans]
    return hits


def _tenant(evaluation: Evaluation) -> Tenant:
    return Tenant(evaluation.organisation_id, evaluation.project_id)


def _nanos(seconds: float) -> int:
    return int(seconds * NANOS_PER_SECOND)
