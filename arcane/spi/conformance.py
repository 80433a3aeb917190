"""Holds a live datasource against what it says of itself, with the traces that it has.

`AdapterContract` needs a corpus of its own and pytest; this needs neither, so whoever writes a server or an adapter can
run it anywhere: `arcane check-datasource KIND --conformance`. Every rule of the capabilities is tried with values that
stand on the traces, and each answer is compared with Arcane's own evaluation of them. Nothing is written.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from arcane.model.deadline import Deadline
from arcane.model.ids import TraceId
from arcane.model.notice import Notice
from arcane.model.time import NANOS_PER_SECOND, TimeRange
from arcane.model.trace import Trace
from arcane.spi.adapter import Adapter
from arcane.spi.capabilities import Order
from arcane.spi.conformance_questions import questions
from arcane.spi.errors import DatasourceError
from arcane.spi.sampling import names_in
from arcane.spi.scan import AttributeQuery, Candidate, ScanPage, ScanRequest
from arcane.traceql.ast import SpansetFilter
from arcane.traceql.evaluate import compile_filter
from arcane.traceql.format import format_filter

MOST_TRACES = 100
"""Traces that are looked at, at most."""

_UNKNOWN = TraceId("00000000000000000000000000dead00")
_HOUR_NS = 3_600 * NANOS_PER_SECOND
_WIDTHS = (_HOUR_NS, 24 * _HOUR_NS, 7 * 24 * _HOUR_NS, 60 * 24 * _HOUR_NS, 366 * 24 * _HOUR_NS)
_UNTIL_NS = 60 * NANOS_PER_SECOND  # what is newer may still be arriving
_MOST_NARROWINGS = 40
_MOST_STEPS_BACK = 400
_FEW = 5


@dataclass(frozen=True, slots=True)
class Requirement:
    """Something the engine relies on. `passed` is None where these traces cannot show it, `advice` what to change."""

    sentence: str
    passed: bool | None
    advice: str = ""


class Broken(Exception):
    """A requirement is not kept; the message says what to change."""


class NotShown(Exception):
    """These traces cannot show whether a requirement is kept; the message says what they lack."""


async def conformance(adapter: Adapter, now_ns: int, deadline: Deadline) -> AsyncGenerator[Requirement, None]:
    """Yields each requirement as it is tried; the rest needs the first ones, so it ends where those fail."""
    health = await _tried(Notice("It says what it is and what it can do."), lambda: adapter.check(deadline))
    yield health
    sample = Sample(adapter, deadline)
    found = await _tried(Notice("It has traces, and a search of a time range finds them."), lambda: sample.find(now_ns))
    yield found
    if not (health.passed and found.passed):
        return
    whole = await _tried(Notice("Every trace that a search finds can be read by its id, whole."), sample.read)
    yield whole
    if not whole.passed:
        return
    for sentence, check in (
        (Notice("A limit is kept, and an answer that is cut by it does not say that it is complete."), sample.limit),
        (Notice("Newest first means the newest, and in order."), sample.order),
        (Notice("A range has the traces that overlap it, and no others."), sample.range),
        (Notice("A range without traces is answered in full, with nothing."), sample.nothing),
        (Notice("A trace id that nobody has is no error."), sample.unknown),
        (Notice("Attribute names are those on the spans."), sample.names),
    ):
        yield await _tried(sentence, check)
    async with aclosing(sample.rules()) as rules:
        async for requirement in rules:
            yield requirement


async def _tried(sentence: str, check: Callable[[], Awaitable[object]]) -> Requirement:
    try:
        await check()
    except NotShown as exc:
        return Requirement(sentence, None, str(exc))
    except (Broken, DatasourceError) as exc:
        return Requirement(sentence, False, str(exc))
    return Requirement(sentence, True)


class Sample:
    """A range of time with all its traces, at least one and at most MOST_TRACES, and what is asked about them."""

    def __init__(self, adapter: Adapter, deadline: Deadline) -> None:
        self.adapter = adapter
        self.deadline = deadline
        self.within = TimeRange(0, 0)
        self.candidates: tuple[Candidate, ...] = ()
        self.traces: list[Trace] = []

    async def find(self, now_ns: int) -> None:
        """`within` and `candidates` are the newest of the datasource that one search answers in full."""
        for within in _ranges(now_ns - _UNTIL_NS, self.adapter.capabilities.max_range_ns):
            page = await self._asked(within, limit=1)
            if page.candidates:
                return await self._narrowed(within)
        raise Broken(Notice("No trace of the last year was found: load some, and check the clock of what sent them."))

    async def read(self) -> None:
        """`traces` are the candidates as they are read by id."""
        for candidate in self.candidates:
            trace = await self.adapter.get_trace(candidate.trace_id, None, self.deadline)
            if trace is None:
                raise Broken(Notice("Trace %(id)s was found and cannot be read.", id=candidate.trace_id))
            if trace.start != candidate.start:
                raise Broken(Notice("Trace %(id)s begins at another time than the search says.", id=trace.trace_id))
            if candidate.trace is not None and candidate.trace.spans != trace.spans:
                raise Broken(Notice("The search and the id give other spans for trace %(id)s.", id=trace.trace_id))
            self.traces.append(trace)

    async def limit(self) -> None:
        """A limit of 1 gives one trace, and says that there are more."""
        self._needs(2)
        page = await self._asked(self.within, limit=1)
        if len(page.candidates) > 1:
            raise Broken(Notice("With a limit of 1, %(count)d traces came.", count=len(page.candidates)))
        if page.complete:
            raise Broken(Notice("With a limit of 1, one of several traces came as if it were all."))

    async def order(self) -> None:
        """The first few are the newest, where the capabilities say so."""
        if self.adapter.capabilities.order is not Order.NEWEST_FIRST:
            raise NotShown(Notice("It does not say that it answers newest first; searches take more requests then."))
        self._needs(2)
        newest = sorted(((one.start, one.trace_id) for one in self.traces), reverse=True)[:_FEW]
        page = await self._asked(self.within, limit=_FEW)
        if [(one.start, one.trace_id) for one in page.candidates] != newest:
            raise Broken(Notice("Sort by start, then by trace id, both descending, before the limit cuts."))

    async def range(self) -> None:
        """A part of the range has its part of the traces."""
        grain = self.adapter.capabilities.time_resolution_ns - 1
        for trace in (self.traces[0], self.traces[-1]):
            within = TimeRange(trace.start, trace.end)
            wider = TimeRange(max(0, within.start - grain), within.end + grain)
            found = {one.trace_id for one in (await self._asked(within)).candidates}
            for one in self.traces:
                if within.overlaps(one.start, one.end) and one.trace_id not in found:
                    raise Broken(Notice("Trace %(id)s overlaps a range and was not found in it.", id=one.trace_id))
                if one.trace_id in found and not wider.overlaps(one.start, one.end):
                    raise Broken(Notice("Trace %(id)s was found in a range that it is not in.", id=one.trace_id))

    async def nothing(self) -> None:
        """The first minutes of 1970 are empty."""
        longest = self.adapter.capabilities.max_range_ns or _HOUR_NS
        page = await self._asked(TimeRange(0, min(_HOUR_NS, longest)))
        if page.candidates or not page.complete:
            raise Broken(Notice("The first minutes of 1970 are not answered with nothing, in full."))

    async def unknown(self) -> None:
        """An id that nobody has gives None."""
        if await self.adapter.get_trace(_UNKNOWN, None, self.deadline) is not None:
            raise Broken(Notice("Trace %(id)s is invented, and something came for it.", id=_UNKNOWN))

    async def names(self) -> None:
        """An index of names has those of the spans, whatever the scope it tells."""
        if not self.adapter.capabilities.native_attributes:
            raise NotShown(Notice("It does not list attributes; Arcane looks at recent traces for completion."))
        query = AttributeQuery(self.within, limit=10_000)
        listed = {one.field.name for one in await self.adapter.attribute_names(query, self.deadline)}
        there = {one.field.name for one in names_in([(trace, trace.spans) for trace in self.traces], query)}
        for name in sorted(there - listed):
            raise Broken(Notice("The attribute %(name)s is on a span, and is not listed.", name=name))

    async def rules(self) -> AsyncGenerator[Requirement, None]:
        """Yields a requirement for each rule, and for alternatives and negations."""
        for sentence, filters in questions(self.adapter.capabilities, self.traces):

            async def check(filters: Sequence[SpansetFilter] = filters) -> None:
                if not filters:
                    raise NotShown(Notice("None of the traces has a value to ask for."))
                for spanset in filters:
                    await self._finds(spanset)

            yield await _tried(sentence, check)

    async def _finds(self, spanset: SpansetFilter) -> None:
        """A filter finds what Arcane's evaluation finds, or more where a rule is not exact."""
        text = format_filter(spanset)
        compiled = compile_filter(spanset)
        wanted = {trace.trace_id for trace in self.traces if compiled.matches(trace)}
        try:
            page = await self._asked(self.within, spanset=spanset)
        except DatasourceError as exc:
            raise Broken(Notice("%(query)s: %(fault)s", query=text, fault=exc.message)) from exc
        found = {one.trace_id for one in page.candidates}
        known = {trace.trace_id for trace in self.traces}
        for trace_id in sorted(wanted - found):
            raise Broken(
                Notice("%(query)s does not find trace %(id)s: find it, or take out the rule.", query=text, id=trace_id)
            )
        if self.adapter.capabilities.exact(spanset.condition):
            for trace_id in sorted(found & known - wanted):
                raise Broken(
                    Notice(
                        "%(query)s finds trace %(id)s, which does not match: leave it out, or say exact: false.",
                        query=text,
                        id=trace_id,
                    )
                )

    async def _narrowed(self, within: TimeRange) -> None:
        """Halves the range, staying where traces are, until one search answers it in full."""
        for _ in range(_MOST_NARROWINGS):
            page = await self._asked(within)
            if page.complete and page.candidates:
                self.within, self.candidates = within, page.candidates
                return
            middle = (within.start + within.end) // 2
            newer = TimeRange(middle, within.end)
            has_newer = not page.complete and bool((await self._asked(newer, limit=1)).candidates)
            within = newer if has_newer else TimeRange(within.start, middle)
        raise Broken(Notice("However short the range, its answer is never complete: say so when nothing is left."))

    async def _asked(
        self, within: TimeRange, limit: int = MOST_TRACES, spanset: SpansetFilter | None = None
    ) -> ScanPage:
        """Returns all pages of a scan as one."""
        candidates: list[Candidate] = []
        complete = False
        limit = min(limit, self.adapter.capabilities.max_limit)
        request = ScanRequest(within, limit, spanset or SpansetFilter(), spans_per_trace=50)
        async with aclosing(self.adapter.scan(request, self.deadline)) as pages:
            async for page in pages:
                candidates += page.candidates
                complete = page.complete
        return ScanPage(tuple(candidates), complete)

    def _needs(self, count: int) -> None:
        if len(self.traces) < count:
            raise NotShown(Notice("There are too few traces to see it."))


def _ranges(end: int, longest: int | None) -> Iterator[TimeRange]:
    """Yields where traces are looked for: wider and wider, and where a range may be only so long, further back."""
    if longest is None:
        yield from (TimeRange(max(0, end - width), end) for width in _WIDTHS)
        return
    for _ in range(_MOST_STEPS_BACK):
        yield TimeRange(max(0, end - longest), end)
        end = max(0, end - longest)
