"""Questions about traces, asked for an actor: scoped to its project, over its datasources, without what is hidden."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from arcane.access.scope import ProjectScope, TraceFilter
from arcane.catalog.problems import UnknownDatasource
from arcane.conventions import Exchange, Prices, messages_of
from arcane.federation.assemble import Assembled, assemble
from arcane.federation.cursor import decode_cursor, encode_cursor, fingerprint
from arcane.federation.execute import Engine
from arcane.federation.explain import conditions_of, steps_of
from arcane.federation.hints import effects_of
from arcane.federation.plan import SourcePlan
from arcane.federation.question import Found, Question, Resume
from arcane.federation.source import Source
from arcane.kit.actor import Actor
from arcane.kit.clock import Clock
from arcane.kit.pagination import BadCursor, Cursors
from arcane.kit.problems import Problem
from arcane.model.deadline import Deadline
from arcane.model.ids import SpanId, TraceId, parse_span_id, parse_trace_id
from arcane.model.notice import Notice
from arcane.model.outcome import SourceOutcome, SourceStatus
from arcane.model.time import NANOS_PER_MILLISECOND, NANOS_PER_SECOND, TimeRange, nanos_of
from arcane.redaction.visibility import redact_hit, redact_trace
from arcane.settings import LimitSettings
from arcane.traceql.ast import SpansetFilter
from arcane.traceql.evaluate import compile_filter
from arcane.traceql.format import format_expr
from arcane.traces import questions as q
from arcane.traces.arriving import AnswerEnded, AnswerEvent, Arriving, Asked
from arcane.traces.completion import Completion
from arcane.traces.llm import read_llm
from arcane.traces.problems import (
    AllDatasourcesFailed,
    BadTraceId,
    DatasourceFailed,
    LimitTooLarge,
    ReversedTimeRange,
    SpanNotFound,
    TooManyDatasources,
    TraceNotFound,
    TraceUncertain,
)
from arcane.traces.reading import QueryReader, scope_condition
from arcane.traces.sharing import AnswerKey, ReadKey, SharedAnswers

_HOUR = 3_600 * NANOS_PER_SECOND
_SAME_TIME = NANOS_PER_MILLISECOND
"""Links and forms cut times to what they can write; a cursor's own range is exact."""


class Catalog(Protocol):
    """Where sources come from; raises UnknownDatasource."""

    async def sources(self, actor: Actor, ids: Sequence[UUID] | None) -> list[Source]:
        """Returns live sources, all of the organisation's or those of `ids`."""
        ...


class Scopes(Protocol):
    """What an actor may see of its project's traces."""

    async def of(self, actor: Actor) -> ProjectScope:
        """Returns the project's filter and the attributes hidden from the actor, from memory."""
        ...


@dataclass(frozen=True, slots=True)
class TraceService:
    """The one way to traces. Every method takes the actor whose project is meant."""

    catalog: Catalog
    scopes: Scopes
    engine: Engine
    cursors: Cursors
    reader: QueryReader
    clock: Clock
    limits: LimitSettings
    prices: Prices | None = None
    shared: SharedAnswers | None = None
    """Where identical questions meet; without it each is asked for itself."""

    async def search(self, actor: Actor, request: q.SearchRequest, deadline: Deadline) -> q.SearchAnswer:
        """Returns a page of traces, newest first.

        Raises the problems of a query that cannot be asked, AllDatasourcesFailed, and DatasourceFailed
        for a request that wants all or nothing.
        """
        asked = await self.ask(actor, request)
        if not asked.sources:
            return q.SearchAnswer((), None, asked.skipped, complete=not asked.skipped)

        async def search() -> q.SearchAnswer:
            found = await self.engine.search(asked.question, asked.sources, asked.resume, deadline)
            _raise_for(found, abort=request.abort)
            following = encode_cursor(self.cursors, asked.mark, found.resume) if found.resume else None
            return _answer(found, asked, following)

        return await search() if self.shared is None else await self.shared.of(_key(asked, request), search)

    async def ask(self, actor: Actor, request: q.SearchRequest) -> Asked:
        """Returns the question ready to be asked; raises the problems of one that cannot be."""
        scope = await self.scopes.of(actor)
        query = self.reader.read(request.text, scope.trace_filter, scope.hidden_attributes)
        limit = self._limit(request)
        chosen = await self._sources(actor, request.datasources)
        mark = _mark(actor, query.canonical, scope.trace_filter, request)
        resume = decode_cursor(self.cursors, request.cursor, mark) if request.cursor else None
        within = self._within(request.within, resume)
        asked, skipped = self._bounded(chosen, resume)
        most = self.limits.stream_rows_max if request.endless else limit
        question = Question(
            query.query, within, most, request.spans_per_trace, request.abort, request.order, request.endless
        )
        return Asked(question, tuple(asked), skipped, resume, mark, scope.hidden_attributes)

    @asynccontextmanager
    async def arriving(self, asked: Asked, deadline: Deadline) -> AsyncGenerator[Arriving, None]:
        """Gives the answer while it is made; leaving the block ends all upstream requests.

        `check_ended` raises for the last event what `search` would have raised.
        """
        async with self.engine.stream(asked.question, asked.sources, asked.resume, deadline) as bunches:
            yield Arriving(asked, self.cursors, bunches, asked.names)

    def time_range(self, start: int | None, end: int | None) -> TimeRange | None:
        """Returns the range that a request names, None where it names none; one end alone gets the other.

        Raises ReversedTimeRange.
        """
        if start is None and end is None:
            return None
        until = nanos_of(self.clock.now()) if end is None else end
        since = max(0, until - _HOUR) if start is None else start
        if since > until:
            raise ReversedTimeRange("the range ends before it starts")
        return TimeRange(since, until)

    async def explain(self, actor: Actor, request: q.SearchRequest, deadline: Deadline) -> q.PlanAnswer:
        """Returns how `request` would be asked; no datasource is."""
        scope = await self.scopes.of(actor)
        query = self.reader.read(request.text, scope.trace_filter, scope.hidden_attributes)
        asked, _ = self._bounded(await self._sources(actor, request.datasources), None)
        condition = scope_condition(scope.trace_filter)
        within, limit = self._within(request.within, None), self._limit(request)
        question = Question(query.query, within, limit, request.spans_per_trace)
        made = self.engine.plans(question.query, [source.adapter.capabilities for source in asked])
        planned = tuple(
            self._planned(source, plan, question, deadline) for source, plan in zip(asked, made, strict=True)
        )
        hints = effects_of(query.query, self.limits.metrics_exemplars_max)
        return q.PlanAnswer(query.canonical, format_expr(condition) if condition else None, hints, planned)

    def check_query(self, text: str) -> q.CheckedQuery:
        """Returns what is wrong with `text`, if anything; asks nobody."""
        error = self.reader.error_in(text)
        if error is not None:
            return q.CheckedQuery((q.QueryError(error.message, error.hint, error.position),), None)
        return q.CheckedQuery((), self.reader.canonical(text))

    async def trace(
        self,
        actor: Actor,
        trace_id: str,
        deadline: Deadline,
        within: TimeRange | None = None,
        datasources: Sequence[str] = (),
    ) -> q.TraceAnswer:
        """Returns the trace from all datasources together, or from those named; `within` may help them look faster.

        Raises BadTraceId, TraceNotFound when every datasource says no (or none of the spans is in the
        project), TraceUncertain when one that did not answer might have it.
        """
        scope = await self.scopes.of(actor)
        wanted = trace_id_of(trace_id)
        asked, _ = self._bounded(await self._sources(actor, datasources), None)
        assembled = await self._assembled(ReadKey(tuple(asked), wanted, within), deadline)
        trace = assembled.trace
        if trace is None:
            raise _not_found(assembled.outcome.sources)
        condition = scope_condition(scope.trace_filter)
        if condition is not None and not compile_filter(SpansetFilter(condition)).matches(trace):
            raise _not_found([one.of_nothing() for one in assembled.outcome.sources])
        return q.TraceAnswer(redact_trace(trace, scope.hidden_attributes), assembled)

    async def _assembled(self, key: ReadKey, deadline: Deadline) -> Assembled:
        """Returns what the datasources have of the trace, for whoever asks for the same at this moment."""

        async def read() -> Assembled:
            return await assemble(self.engine.askings(key.sources, deadline), key.trace_id, key.within)

        return await read() if self.shared is None else await self.shared.reads.share(key, read)

    async def llm(self, answer: q.TraceAnswer) -> q.LlmReading:
        """Returns what the trace says as LLM work; made of what the caller may see."""
        return await read_llm(answer.trace, self.prices)

    async def messages(self, actor: Actor, trace_id: str, span_id: str, deadline: Deadline) -> Exchange:
        """Returns what went into a span and what came out; raises what `trace` does, and SpanNotFound."""
        answer = await self.trace(actor, trace_id, deadline)
        span = answer.trace.by_id.get(_span_id(span_id))
        if span is None:
            raise SpanNotFound("the trace has no such span")
        return messages_of(span)

    async def attribute_names(self, actor: Actor, request: q.AttributeRequest, deadline: Deadline) -> q.NamesAnswer:
        """Returns attribute names for completion, over all datasources."""
        completion = await self._completion(actor, request, deadline)
        return await completion.names(request)

    async def attribute_values(
        self, actor: Actor, name: str, request: q.AttributeRequest, deadline: Deadline
    ) -> q.ValuesAnswer:
        """Returns values of `name` (as a query writes it) for completion; raises BadField, HiddenAttribute."""
        completion = await self._completion(actor, request, deadline)
        return await completion.values(name, request)

    async def _completion(self, actor: Actor, request: q.AttributeRequest, deadline: Deadline) -> Completion:
        scope = await self.scopes.of(actor)
        asked, _ = self._bounded(await self._sources(actor, request.datasources), None)
        within = self._within(request.within, None)
        return Completion(self.engine.askings(asked, deadline), scope, within)

    async def chosen(self, actor: Actor, ids: Sequence[str]) -> tuple[list[Source], tuple[SourceOutcome, ...]]:
        """Returns the datasources to ask, and outcomes for those that are not; raises what naming them wrongly does."""
        return self._bounded(await self._sources(actor, ids), None)

    def within(self, wanted: TimeRange | None) -> TimeRange:
        """Returns the range that is asked for, the last hour where none is."""
        return self._within(wanted, None)

    async def _sources(self, actor: Actor, ids: Sequence[str]) -> list[Source]:
        if not ids:
            return await self.catalog.sources(actor, None)
        most = self.limits.datasources_per_search
        if len(ids) > most:
            raise TooManyDatasources(f"one question asks at most {most} datasources", maximum=most)
        return await self.catalog.sources(actor, [datasource_id(text) for text in ids])

    def _bounded(
        self, sources: Sequence[Source], resume: Resume | None
    ) -> tuple[list[Source], tuple[SourceOutcome, ...]]:
        """Returns the sources to ask, and outcomes for those that are not: they are named as well."""
        most = self.limits.datasources_per_search
        known = [source for source in sources if resume is None or source.id in resume.places]
        late = [source for source in sources if resume is not None and source.id not in resume.places]
        crowded = Notice("One search asks at most %(most)d datasources; choose some.", most=most)
        newer = Notice("Added after the search began; start it again.")
        skipped = [_skipped(one, crowded) for one in known[most:]] + [_skipped(one, newer) for one in late]
        return known[:most], tuple(skipped)

    def _limit(self, request: q.SearchRequest) -> int:
        most, spans_most = self.limits.search_limit_max, self.limits.spans_per_trace_max
        limit = self.limits.search_limit_default if request.limit is None else request.limit
        if limit > most and not request.endless:
            raise LimitTooLarge(f"limit is at most {most}", parameter="limit", maximum=most)
        if request.spans_per_trace > spans_most:
            raise LimitTooLarge(
                f"spans_per_trace is at most {spans_most}", parameter="spans_per_trace", maximum=spans_most
            )
        return limit

    def _within(self, wanted: TimeRange | None, resume: Resume | None) -> TimeRange:
        if resume is not None:
            if wanted is not None and not _same(wanted, resume.within):
                raise BadCursor("the cursor belongs to another time range")
            return resume.within
        if wanted is not None:
            return wanted
        end = nanos_of(self.clock.now())
        return TimeRange(end - _HOUR, end)

    def _planned(self, source: Source, plan: SourcePlan, question: Question, deadline: Deadline) -> q.PlannedSource:
        capabilities = source.adapter.capabilities
        return q.PlannedSource(
            source.id,
            source.name,
            source.kind,
            plan.pushed_text,
            plan.residual_text,
            steps_of(plan, capabilities),
            conditions_of(plan),
            self.engine.describe(question, source, plan, deadline),
        )


def _answer(found: Found, asked: Asked, following: str | None) -> q.SearchAnswer:
    names, skipped = asked.names, asked.skipped
    named = {ids: tuple(names[one] for one in ids) for ids in set(found.origins)}
    traces = tuple(
        q.FoundTrace(redact_hit(hit, asked.hidden), ids, named[ids], whole)
        for hit, ids, whole in zip(found.hits, found.origins, found.whole, strict=True)
    )
    return q.SearchAnswer(
        traces, following, found.outcome.sources + skipped, complete=found.outcome.complete and not skipped
    )


def answer_of(ended: AnswerEnded, asked: Asked) -> q.SearchAnswer:
    """Returns the page that a stream with a limit ended with; raises what `search` raises."""
    check_ended(ended, abort=asked.question.abort)
    return _answer(ended.found, asked, ended.next)


def check_ended(event: AnswerEvent, *, abort: bool) -> None:
    """Returns for an answer that is one; raises for the end of one that is none what `search` raises."""
    if isinstance(event, AnswerEnded):
        _raise_for(event.found, abort=abort)


def _key(asked: Asked, request: q.SearchRequest) -> AnswerKey:
    question = asked.question
    return AnswerKey(
        asked.mark,
        asked.sources,
        asked.hidden,
        request.within,
        request.cursor,
        question.limit,
        question.spans_per_trace,
        request.abort,
    )


def _raise_for(found: Found, *, abort: bool) -> None:
    sources = found.outcome.sources
    if found.all_failed:
        raise AllDatasourcesFailed("every datasource that was asked failed", sources=sources)
    broken = [source.name for source in sources if source.error is not None] if abort else []
    if broken:
        raise DatasourceFailed(f"{', '.join(broken)} did not answer in full", sources=sources)


def _not_found(sources: Sequence[SourceOutcome]) -> Problem:
    failed = [source for source in sources if source.status is SourceStatus.FAILED]
    if not failed:
        return TraceNotFound("no datasource of this project has this trace")
    if len(failed) == len(sources):
        return AllDatasourcesFailed("every datasource failed", sources=sources)
    names = ", ".join(source.name for source in failed)
    return TraceUncertain(f"no datasource that answered has this trace, and {names} did not answer", sources=sources)


def trace_id_of(text: str) -> TraceId:
    """Returns the id that `text` is; raises BadTraceId."""
    try:
        return parse_trace_id(text)
    except ValueError as exc:
        raise BadTraceId(str(exc)) from exc


def _span_id(text: str) -> SpanId:
    try:
        return parse_span_id(text)
    except ValueError:
        raise SpanNotFound("the trace has no such span") from None


def datasource_id(text: str) -> UUID:
    """Returns the id that `text` is; raises UnknownDatasource."""
    try:
        return UUID(text)
    except ValueError:
        raise UnknownDatasource("there is no such datasource", datasource_id=text) from None


def _mark(actor: Actor, canonical: str, scope: TraceFilter | None, request: q.SearchRequest) -> bytes:
    """Returns what a cursor is bound to: everything that decides the list but the page and its size."""
    condition = (scope.attribute_name, scope.attribute_value) if scope else ()
    return fingerprint(str(actor.project_id), canonical, condition, sorted(request.datasources))


def _same(one: TimeRange, other: TimeRange) -> bool:
    return abs(one.start - other.start) < _SAME_TIME and abs(one.end - other.end) < _SAME_TIME


def _skipped(source: Source, why: str) -> SourceOutcome:
    return SourceOutcome(source.id, source.name, source.kind, SourceStatus.SKIPPED, 0, 0.0, warnings=(why,))
