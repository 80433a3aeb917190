"""Candidates become rows: Arcane's own evaluation decides wherever the datasource's answer is not the last word."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

import anyio

from arcane.federation.asking import Asking, look_up_all
from arcane.federation.merge import Row
from arcane.federation.question import Question
from arcane.federation.together import each
from arcane.federation.walk import position_of
from arcane.model.hit import TraceHit
from arcane.model.ids import TraceId
from arcane.model.time import TimeRange
from arcane.model.trace import Trace
from arcane.spi.scan import Candidate
from arcane.traceql.hits import hit_of_sets
from arcane.traceql.query import CompiledQuery, compile_query

_REMEMBERED = 10_000
"""Traces whose verdict is remembered; one that is forgotten is read again."""


class Judge:
    """Evaluates one question on whole traces; compiles its query when the first one comes."""

    def __init__(self, question: Question) -> None:
        self._question = question
        self._compiled: CompiledQuery | None = None

    @property
    def errors(self) -> int:
        """How many spans had no value for a condition or an aggregate, such as a division by zero."""
        return self._compiled.errors if self._compiled else 0

    def hit(self, trace: Trace) -> TraceHit | None:
        """Returns the hit for `trace`, None where it does not match or the trace lies outside of the range."""
        if self._compiled is None:
            self._compiled = compile_query(self._question.query)
        if not trace.spans or not self._question.within.overlaps(trace.start, trace.end):
            return None
        sets = self._compiled(trace)
        return hit_of_sets(trace, sets, self._compiled.fields, self._question.spans_per_trace) if sets else None


@dataclass(slots=True)
class AsAnswered:
    """The datasource's answer is ours: hits are taken as they are."""

    question: Question
    judge: Judge

    async def rows(self, candidates: Sequence[Candidate]) -> list[Row]:
        """Returns the rows of the candidates that lie in the range; windows of a backend may be wider."""
        return self.rows_at_once(candidates)

    def rows_at_once(self, candidates: Sequence[Candidate]) -> list[Row]:
        """Returns the same: nobody has to be asked."""
        within = self.question.within
        rows = []
        for candidate in candidates:
            hit = candidate.hit
            if hit is None:
                hit = self.judge.hit(candidate.trace) if candidate.trace else None
            elif not within.overlaps(hit.start, hit.start + hit.duration):
                continue
            if hit is not None:
                rows.append(Row(position_of(candidate), hit))
        return rows


@dataclass(slots=True)
class OnOwnTraces:
    """Conditions on spans: each datasource's traces are evaluated as that datasource has them."""

    judge: Judge
    asking: Asking
    vanished: int = 0
    """Traces that were found, and gone when they were read."""

    async def rows(self, candidates: Sequence[Candidate]) -> list[Row]:
        """Returns the rows of the candidates that match, in their order; raises DatasourceError."""
        hits: dict[TraceId, TraceHit | None] = {}
        missing = []
        for candidate in candidates:
            if candidate.trace is None:
                missing.append(candidate)
            else:
                hits[candidate.trace_id] = self.judge.hit(candidate.trace)

        async def read(candidate: Candidate) -> None:
            trace = await self.asking.get_trace(candidate.trace_id, extent_of(candidate))
            self.vanished += trace is None
            hits[candidate.trace_id] = self.judge.hit(trace) if trace else None

        await each(read, missing)
        return _rows(candidates, hits)


@dataclass(slots=True)
class OnWholeTraces:
    """Conditions on traces: each is put together from all datasources, once, and evaluated whole.

    The latest ones are remembered: a trace that several datasources have comes up in each of them.
    """

    judge: Judge
    askings: Sequence[Asking]
    _judged: OrderedDict[TraceId, TraceHit | None] = field(default_factory=OrderedDict)
    _under_way: dict[TraceId, anyio.Event] = field(default_factory=dict)

    def of(self, asking: Asking) -> OwnOfWholeTraces:
        """Returns the same for the candidates of one datasource."""
        return OwnOfWholeTraces(self, asking)

    async def hit(self, candidate: Candidate, own: Asking) -> TraceHit | None:
        """Returns the hit of the whole trace; raises DatasourceError when `own` fails.

        Where another datasource fails, its part is missing, and its outcome says so.
        """
        trace_id = candidate.trace_id
        while trace_id in self._under_way:
            await self._under_way[trace_id].wait()
        if trace_id in self._judged:
            return self._judged[trace_id]
        judged = self._under_way[trace_id] = anyio.Event()
        try:
            part = candidate.trace or await own.get_trace(trace_id, extent_of(candidate))
            others = await look_up_all([asking for asking in self.askings if asking is not own], trace_id)
            whole = joined(trace_id, [part, *others] if part is not None else others)
            return self._remember(trace_id, self.judge.hit(whole))
        finally:
            del self._under_way[trace_id]
            judged.set()

    def _remember(self, trace_id: TraceId, hit: TraceHit | None) -> TraceHit | None:
        self._judged[trace_id] = hit
        if len(self._judged) > _REMEMBERED:
            self._judged.popitem(last=False)
        return hit


@dataclass(slots=True)
class OwnOfWholeTraces:
    """Evaluates one datasource's candidates as whole traces."""

    whole: OnWholeTraces
    asking: Asking

    async def rows(self, candidates: Sequence[Candidate]) -> list[Row]:
        """Returns the rows of the candidates that match, in their order; raises DatasourceError."""
        hits: dict[TraceId, TraceHit | None] = {}

        async def judge(candidate: Candidate) -> None:
            hits[candidate.trace_id] = await self.whole.hit(candidate, self.asking)

        await each(judge, candidates)
        return _rows(candidates, hits)


def joined(trace_id: TraceId, parts: Sequence[Trace]) -> Trace:
    """Returns the trace that the parts make; where two have the same span, the first part's is kept."""
    if len(parts) == 1:
        return parts[0]
    warnings = dict.fromkeys(warning for part in parts for warning in part.warnings)
    return Trace(trace_id, (span for part in parts for span in part.spans), tuple(warnings))


def extent_of(candidate: Candidate) -> TimeRange | None:
    """Returns when the trace took place, as far as the datasource said."""
    hit = candidate.hit
    return TimeRange(hit.start, hit.start + hit.duration) if hit else None


def _rows(candidates: Sequence[Candidate], hits: dict[TraceId, TraceHit | None]) -> list[Row]:
    found = ((candidate, hits[candidate.trace_id]) for candidate in candidates)
    return [Row(position_of(candidate), hit) for candidate, hit in found if hit is not None]
