"""The engine: asks every datasource at once, each within its own bounds, and makes one answer of what they say."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager

from arcane.federation.asking import Asking, Gates
from arcane.federation.events import Event
from arcane.federation.merge import Position
from arcane.federation.plan import SourcePlan, plans
from arcane.federation.question import Found, Question, Resume
from arcane.federation.required import matches_nothing
from arcane.federation.run import SourceRun, Verifier
from arcane.federation.running import Running
from arcane.federation.source import Source
from arcane.federation.stream import streamed
from arcane.federation.verify import AsAnswered, Judge, OnOwnTraces, OnWholeTraces
from arcane.federation.walk import Bounds, Walk
from arcane.model.deadline import Deadline
from arcane.settings import LimitSettings
from arcane.spi.capabilities import Capabilities
from arcane.spi.described import SentRequest
from arcane.traceql.ast_pipeline import Query
from arcane.traceql.query import reads_own

_PLANS_KEPT = 512


class Engine:
    """Answers questions over datasources. Holds no trace: only gates, and plans it has made before."""

    def __init__(self, limits: LimitSettings) -> None:
        self.limits = limits
        self.gates = Gates(limits.concurrent_requests)
        self._plans: OrderedDict[tuple[Query, tuple[Capabilities, ...], bool], tuple[SourcePlan, ...]] = OrderedDict()

    def plans(
        self, query: Query, asked: Sequence[Capabilities], *, alone: bool | None = None
    ) -> tuple[SourcePlan, ...]:
        """Returns a plan for each of the datasources that are asked together; the latest ones are remembered.

        `alone` says whether no other one is asked, where `asked` are not all of them.
        """
        is_alone = len(asked) == 1 if alone is None else alone
        key = (query, tuple(asked), is_alone)
        known = self._plans.get(key)
        if known is not None:
            self._plans.move_to_end(key)
            return known
        made = self._plans[key] = plans(query, asked, alone=is_alone)
        if len(self._plans) > _PLANS_KEPT:
            self._plans.popitem(last=False)
        return made

    def askings(self, sources: Sequence[Source], deadline: Deadline) -> list[Asking]:
        """Returns the sources ready to be asked, each with its own share of the deadline."""
        patience = self.limits.source_timeout_s
        own = deadline.within(patience)
        return [Asking(source, own, self.gates, overall=deadline, patience_s=patience) for source in sources]

    async def search(
        self, question: Question, sources: Sequence[Source], resume: Resume | None, deadline: Deadline
    ) -> Found:
        """Returns a page. A datasource that fails costs its own rows only, and is named; nothing is raised for it.

        Cancelling the call ends all upstream requests.
        """
        running = self._running(question, sources, resume, deadline)
        await running.each_run(lambda _, run: run.collect())
        return running.found(await running.page())

    @asynccontextmanager
    async def stream(
        self, question: Question, sources: Sequence[Source], resume: Resume | None, deadline: Deadline
    ) -> AsyncGenerator[AsyncIterator[Sequence[Event]], None]:
        """Gives what happens as it happens, several events at a time; the last one is Ended.

        It is the same search: with a limit, the last event has the page that `search` returns. Leaving
        the block ends all upstream requests. A reader who does not come back for more slows them down.
        """
        running = self._running(question, sources, resume, deadline)
        async with streamed(running, deadline, self.limits) as events:
            yield events

    def _running(
        self, question: Question, sources: Sequence[Source], resume: Resume | None, deadline: Deadline
    ) -> Running:
        if matches_nothing(question.query):
            resume = Resume(question.within, {})
        askings = self.askings(sources, deadline)
        made = self.plans(question.query, [source.adapter.capabilities for source in sources])
        whole = OnWholeTraces(Judge(question), askings)
        runs = [
            None
            if resume is not None and resume.places.get(asking.source.id) is None
            else self._run(asking, plan, question, resume, whole)
            for asking, plan in zip(askings, made, strict=True)
        ]
        return Running(question, askings, runs, resume, self.limits.lookups_max)

    def _run(
        self, asking: Asking, made: SourcePlan, question: Question, resume: Resume | None, whole: OnWholeTraces
    ) -> SourceRun:
        judge = whole.judge if made.whole_traces else Judge(question)
        verifier: Verifier
        if made.whole_traces:
            verifier = whole.of(asking)
        elif made.residual is None:
            verifier = AsAnswered(question, judge)
        else:
            verifier = OnOwnTraces(judge, asking)
        begin = _begin(asking.source, question, resume)
        walk, batch = self._walk(asking, made, question, begin)
        seen = frozenset(resume.seen) if resume else frozenset()
        return SourceRun(asking, made, question, walk, verifier, judge, begin, batch, seen)

    def _walk(self, asking: Asking, made: SourcePlan, question: Question, begin: Position | None) -> tuple[Walk, int]:
        """Returns the walk, and how many candidates it is asked for at once at most."""
        capabilities, spans, limits = asking.source.adapter.capabilities, question.spans_per_trace, self.limits
        bounds, batch = Bounds(limits.candidates_max, limits.scans_max), capabilities.max_limit
        if question.endless:
            bounds, batch = Bounds(limits.stream_candidates_max, limits.stream_scans_max), limits.stream_batch
        asked = (made.pushed, question.within, bounds, begin, spans, made.select, made.residual is not None)
        return Walk(asking.scan, capabilities, *asked, bare=not reads_own(question.query)), batch

    def describe(
        self, question: Question, source: Source, made: SourcePlan, deadline: Deadline
    ) -> tuple[SentRequest, ...]:
        """Returns what `source` would be sent at first for its plan; nothing is sent."""
        begin = None if matches_nothing(question.query) else _begin(source, question, None)
        walk, _ = self._walk(Asking(source, deadline, self.gates), made, question, begin)
        opening = walk.opening(question.limit)
        whole = made.whole_traces or (made.residual is not None and not walk.capabilities.whole_traces)
        return source.adapter.describe(opening, whole=whole) if opening else ()


def _begin(source: Source, question: Question, resume: Resume | None) -> Position:
    place = resume.places.get(source.id) if resume else None
    return place or (question.within.end + 1, "")
