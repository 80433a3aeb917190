"""The engine: asks every datasource at once, each within its own bounds, and makes one page of what they say."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Sequence

import anyio

from arcane.federation.asking import Asking, Gates
from arcane.federation.complete import complete
from arcane.federation.merge import Page, Position, Stream, merge
from arcane.federation.plan import SourcePlan, plan
from arcane.federation.question import SEEN_MAX, Found, Question, Resume, mark_of
from arcane.federation.rewrite import matches_nothing
from arcane.federation.run import SourceRun, Verifier
from arcane.federation.source import Source
from arcane.federation.verify import AsAnswered, Judge, OnOwnTraces, OnWholeTraces
from arcane.federation.walk import Bounds, Walk
from arcane.model.deadline import Deadline
from arcane.model.outcome import QueryOutcome, SourceOutcome, SourceStatus
from arcane.settings import LimitSettings
from arcane.spi.capabilities import Capabilities
from arcane.spi.described import SentRequest
from arcane.traceql.ast import SpansetFilter

_PLANS_KEPT = 512
_NOTHING_LEFT = Stream((), (0, ""), None)


class Engine:
    """Answers questions over datasources. Holds no trace: only gates, and plans it has made before."""

    def __init__(self, limits: LimitSettings) -> None:
        self.limits = limits
        self.gates = Gates(limits.concurrent_requests)
        self._plans: OrderedDict[tuple[SpansetFilter, Capabilities, bool], SourcePlan] = OrderedDict()

    def plan(self, query: SpansetFilter, capabilities: Capabilities, *, alone: bool) -> SourcePlan:
        """Returns the plan for one datasource; the latest ones are remembered."""
        key = (query, capabilities, alone)
        known = self._plans.get(key)
        if known is not None:
            self._plans.move_to_end(key)
            return known
        made = self._plans[key] = plan(query, capabilities, alone=alone)
        if len(self._plans) > _PLANS_KEPT:
            self._plans.popitem(last=False)
        return made

    def askings(self, sources: Sequence[Source], deadline: Deadline) -> list[Asking]:
        """Returns the sources ready to be asked, each with its own share of the deadline."""
        own = deadline.within(self.limits.source_timeout_s)
        return [Asking(source, own, self.gates) for source in sources]

    async def search(
        self, question: Question, sources: Sequence[Source], resume: Resume | None, deadline: Deadline
    ) -> Found:
        """Returns a page. A datasource that fails costs its own rows only, and is named; nothing is raised for it.

        Cancelling the call ends all upstream requests.
        """
        if matches_nothing(question.filter):
            resume = Resume(question.within, {})
        askings = self.askings(sources, deadline)
        whole = OnWholeTraces(Judge(question), askings)
        runs = [
            None
            if resume is not None and resume.places.get(asking.source.id) is None
            else self._run(asking, question, resume, whole)
            for asking in askings
        ]
        await _collect([run for run in runs if run is not None], abort=question.abort)
        page = merge([run.stream if run else _NOTHING_LEFT for run in runs], question.limit, question.spans_per_trace)
        if len(askings) > 1 and not any(run.plan.whole_traces for run in runs if run):
            await complete(page, question, askings, self.limits.lookups_max)
        return _found(page, list(zip(sources, runs, strict=True)), resume, question)

    def _run(self, asking: Asking, question: Question, resume: Resume | None, whole: OnWholeTraces) -> SourceRun:
        capabilities = asking.source.adapter.capabilities
        made = self.plan(question.filter, capabilities, alone=len(whole.askings) == 1)
        judge = whole.judge if made.whole_traces else Judge(question)
        verifier: Verifier
        if made.whole_traces:
            verifier = whole.of(asking)
        elif made.residual is None:
            verifier = AsAnswered(question, judge)
        else:
            verifier = OnOwnTraces(judge, asking)
        begin = _begin(asking.source, question, resume)
        walk = self._walk(asking, made, question, begin)
        seen = frozenset(resume.seen) if resume else frozenset()
        return SourceRun(asking, made, question, walk, verifier, judge, begin, seen)

    def _walk(self, asking: Asking, made: SourcePlan, question: Question, begin: Position | None) -> Walk:
        bounds = Bounds(self.limits.candidates_max, self.limits.scans_max)
        capabilities, spans = asking.source.adapter.capabilities, question.spans_per_trace
        return Walk(asking.scan, capabilities, made.pushed, question.within, bounds, begin, spans)

    def describe(
        self, question: Question, source: Source, made: SourcePlan, deadline: Deadline
    ) -> tuple[SentRequest, ...]:
        """Returns what `source` would be sent at first for its plan; nothing is sent."""
        begin = None if matches_nothing(question.filter) else _begin(source, question, None)
        walk = self._walk(Asking(source, deadline, self.gates), made, question, begin)
        opening = walk.opening(question.limit)
        whole = made.whole_traces or (made.residual is not None and not walk.capabilities.whole_traces)
        return source.adapter.describe(opening, whole=whole) if opening else ()


async def _collect(runs: Sequence[SourceRun], *, abort: bool) -> None:
    if len(runs) == 1:
        await runs[0].collect()
        return
    async with anyio.create_task_group() as group:

        async def collect(run: SourceRun) -> None:
            await run.collect()
            if abort and run.error is not None:
                group.cancel_scope.cancel()

        for run in runs:
            group.start_soon(collect, run)


def _begin(source: Source, question: Question, resume: Resume | None) -> Position:
    place = resume.places.get(source.id) if resume else None
    return place or (question.within.end + 1, "")


def _found(
    page: Page, asked: Sequence[tuple[Source, SourceRun | None]], resume: Resume | None, question: Question
) -> Found:
    counts = Counter(index for origin in page.origins for index in origin)
    outcomes = tuple(
        run.outcome(counts[index]) if run else _exhausted(source, counts[index])
        for index, (source, run) in enumerate(asked)
    )
    ids = [source.id for source, _ in asked]
    known: dict[tuple[int, ...], tuple[str, ...]] = {(index,): (source_id,) for index, source_id in enumerate(ids)}
    origins = tuple(_names(tuple(origin), ids, known) for origin in page.origins)
    following = None
    if any(place is not None for place in page.resume):
        seen = _seen(page, resume) if len(asked) > 1 else ()
        following = Resume(question.within, dict(zip(ids, page.resume, strict=True)), seen)
    runs = [run for _, run in asked if run is not None]
    all_failed = bool(runs) and all(run.failed for run in runs)
    return Found(tuple(page.hits), origins, QueryOutcome(outcomes), following, all_failed)


def _names(
    origin: tuple[int, ...], ids: Sequence[str], known: dict[tuple[int, ...], tuple[str, ...]]
) -> tuple[str, ...]:
    """Returns the ids for indexes; most hits come from few combinations of datasources."""
    names = known.get(origin)
    if names is None:
        names = known[origin] = tuple(ids[index] for index in sorted(origin))
    return names


def _exhausted(source: Source, rows: int) -> SourceOutcome:
    """Everything this datasource has was on earlier pages."""
    return SourceOutcome(source.id, source.name, source.kind, SourceStatus.OK, rows, 0.0)


def _seen(page: Page, resume: Resume | None) -> tuple[bytes, ...]:
    before = resume.seen if resume else ()
    return (*before, *(mark_of(hit.trace_id) for hit in page.hits))[-SEEN_MAX:]
