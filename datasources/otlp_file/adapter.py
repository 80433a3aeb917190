"""Answers from files that are read as they grow."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import anyio
from anyio import to_thread

from arcane.spi import (
    COMPARISONS,
    NANOS_PER_SECOND,
    Adapter,
    AttributeName,
    AttributeQuery,
    AttributeValueCount,
    Candidate,
    Capabilities,
    CompiledFilter,
    Deadline,
    Field,
    Health,
    LiteralType,
    Notice,
    Order,
    PushRule,
    ScanPage,
    ScanRequest,
    Scope,
    SentRequest,
    Span,
    TimedOut,
    TimeRange,
    Trace,
    TraceId,
    compile_filter,
    hit_of,
    mentioned_fields,
    names_in,
    values_in,
)
from datasources.otlp_file.index import Entry, TraceIndex
from datasources.otlp_file.prefilter import prefilter_of
from datasources.otlp_file.reader import Reader

CAPABILITIES = Capabilities(
    push=(PushRule(frozenset(Scope), COMPARISONS, frozenset(LiteralType)),),
    push_or=True,
    push_not=True,
    order=Order.NEWEST_FIRST,
    whole_traces=True,
    max_limit=10_000,
    native_attributes=True,
)
_SLICE_SPANS = 5_000
"""Spans that are evaluated in one go; the loop and other requests get their turn after it."""
_INLINE_SPANS = 1_000
"""Fewer are evaluated where we are: a thread costs more."""
_SAMPLED_SPANS = 50_000
"""Spans that completion looks at, the newest."""
_LAST_WORDS_S = 0.5
"""What is left of a deadline when reading stops, so that an answer can still be given; at most a fifth of it."""
RELOOK_S = 0.5
"""How old a look at the files may be."""


_SHOWN_PROBLEMS = 5


@dataclass(frozen=True, slots=True)
class _Question:
    """A scan's filter, compiled, and what a hit of it shows."""

    filter: CompiledFilter
    fields: tuple[Field, ...]
    spans_per_trace: int

    @classmethod
    def of(cls, request: ScanRequest) -> _Question:
        fields = (*mentioned_fields(request.filter), *request.select)
        return cls(compile_filter(request.filter), fields, request.spans_per_trace)

    def ask(self, entries: Sequence[Entry], room: int) -> tuple[list[Candidate], int]:
        """Returns the first `room` traces that match, and how many were looked at for them."""
        found: list[Candidate] = []
        for looked, entry in enumerate(entries, start=1):
            trace = entry.trace
            matched = self.filter.matches(trace)
            if matched:
                hit = hit_of(trace, matched, self.fields, self.spans_per_trace)
                found.append(Candidate(trace.trace_id, trace.start, hit, trace))
                if len(found) == room:
                    return found, looked
        return found, len(entries)


class OtlpFileAdapter(Adapter):
    """Holds an index of what was read. A request reads what is new first; one reads, the others wait for it."""

    def __init__(self, pattern: str, roots: tuple[Path, ...], max_index_bytes: int, relook_s: float = RELOOK_S) -> None:
        self.capabilities = CAPABILITIES
        self._reader = Reader(pattern, roots)
        self._index = TraceIndex(max_index_bytes)
        self._relook_s = relook_s
        self._looked = float("-inf")
        self._reading = anyio.Lock()
        self._threads = anyio.CapacityLimiter(2)

    async def scan(self, request: ScanRequest, deadline: Deadline) -> AsyncGenerator[ScanPage, None]:
        await self._catch_up(deadline)
        warnings = (*self._missing(request.within), *self._bad_content())
        question = _Question.of(request)
        entries = filter(prefilter_of(request.filter.condition), self._index.overlapping(request.within))
        ahead, room, size = next(entries, None), request.limit, _INLINE_SPANS
        found: list[Candidate] = []
        while ahead is not None and room > 0:
            if found:
                yield ScanPage(tuple(found), warnings=warnings)
            if deadline.expired:
                raise TimedOut
            batch, ahead = _batch(ahead, entries, size)
            found, looked = await self._ask(question, batch, room)
            room -= len(found)
            size = _SLICE_SPANS
            if looked < len(batch):
                ahead = batch[looked]
        yield ScanPage(tuple(found), complete=ahead is None, warnings=warnings)

    async def get_trace(self, trace_id: TraceId, within: TimeRange | None, deadline: Deadline) -> Trace | None:
        await self._catch_up(deadline)
        return self._index.get(trace_id)

    async def check(self, deadline: Deadline) -> Health:
        began = time.perf_counter()
        await self._catch_up(deadline)
        latency_ms = (time.perf_counter() - began) * 1_000
        return Health(None, round(latency_ms, 1), self._index.newest(), tuple(self._findings()))

    def describe(self, request: ScanRequest, *, whole: bool) -> tuple[SentRequest, ...]:
        return (SentRequest.of_read("index of the files", request),)

    async def attribute_names(self, query: AttributeQuery, deadline: Deadline) -> list[AttributeName]:
        samples = await self._samples(query, deadline)
        return await to_thread.run_sync(names_in, samples, query, limiter=self._threads)

    async def attribute_values(
        self, field: Field, query: AttributeQuery, deadline: Deadline
    ) -> list[AttributeValueCount]:
        samples = await self._samples(query, deadline)
        return await to_thread.run_sync(values_in, samples, field, query, limiter=self._threads)

    async def aclose(self) -> None:
        await to_thread.run_sync(self._reader.close)

    async def _ask(self, question: _Question, batch: list[Entry], room: int) -> tuple[list[Candidate], int]:
        if sum(len(entry.trace.spans) for entry in batch) <= _INLINE_SPANS:
            return question.ask(batch, room)
        return await to_thread.run_sync(question.ask, batch, room, limiter=self._threads)

    async def _catch_up(self, deadline: Deadline) -> None:
        """Has read what the files hold, or as much of it as there was time for."""
        if time.monotonic() - self._looked < self._relook_s and not self._reader.is_behind:
            return
        left = deadline.remaining()
        with anyio.move_on_after(left - min(_LAST_WORDS_S, left / 5)):
            async with self._reading:
                if time.monotonic() - self._looked >= self._relook_s:
                    self._index.forget(await to_thread.run_sync(self._reader.look))
                    self._looked = time.monotonic()
                more = True
                while more:
                    more = await to_thread.run_sync(self._reader.read_slice)
                    for piece in self._reader.taken():
                        self._index.add(piece)
        if self._looked < 0:
            raise TimedOut("There was no time to look at the files.")

    async def _samples(self, query: AttributeQuery, deadline: Deadline) -> Iterator[tuple[Trace, list[Span]]]:
        await self._catch_up(deadline)
        compiled = compile_filter(query.filter)
        entries = filter(prefilter_of(query.filter.condition), self._index.overlapping(query.within))
        first = next(entries, None)
        newest = [] if first is None else _batch(first, entries, _SAMPLED_SPANS)[0]
        return ((entry.trace, compiled.matches(entry.trace)) for entry in newest)

    def _missing(self, within: TimeRange) -> list[str]:
        """What says that traces of the window may be missing."""
        found: list[str] = []
        if self._reader.is_behind:
            total = sum(file.place.size for file in self._reader.files)
            read = sum(file.read_bytes for file in self._reader.files)
            found.append(
                Notice(
                    "The files are still being read: %(read).0f of %(total).0f MB are searched.",
                    read=read / 1e6,
                    total=total / 1e6,
                )
            )
        if self._index.dropped and within.start <= self._index.dropped_until:
            moment = datetime.fromtimestamp(self._index.dropped_until / NANOS_PER_SECOND, UTC)
            found.append(
                Notice(
                    "The index is full: traces before %(moment)s UTC are not all in it.",
                    moment=f"{moment:%Y-%m-%d %H:%M:%S}",
                )
            )
        return found

    def _bad_content(self) -> list[str]:
        """What of the files could not be read, by name of the file."""
        found: list[str] = []
        for file in self._reader.files:
            name = file.place.path.name
            if file.bad_lines:
                found.append(_bad_lines(name, file.bad_lines, file.first_bad_line))
            if file.problem:
                found.append(Notice("%(file)s: %(problem)s", file=name, problem=file.problem))
        return found[:_SHOWN_PROBLEMS]

    def _findings(self) -> list[str]:
        files = self._reader.files
        if not files:
            return [Notice("No file matches the path yet.")]
        size = sum(file.place.size for file in files)
        what = Notice(
            "%(traces)d traces with %(spans)d spans in %(files)d files of %(size).1f MB.",
            traces=len(self._index),
            spans=self._index.spans,
            files=len(files),
            size=size / 1e6,
        )
        return [what, *self._missing(TimeRange(0, time.time_ns())), *self._bad_content()]


def _bad_lines(file: str, count: int, first: int | None) -> Notice:
    if count == 1:
        return Notice("1 line is not OTLP JSON in %(file)s, the first is line %(first)s.", file=file, first=first)
    return Notice(
        "%(count)d lines are not OTLP JSON in %(file)s, the first is line %(first)s.",
        count=count,
        file=file,
        first=first,
    )


def _batch(first: Entry, rest: Iterator[Entry], spans: int) -> tuple[list[Entry], Entry | None]:
    """Returns entries of about so many spans together, and the one after them."""
    batch, left, ahead = [first], spans - len(first.trace.spans), next(rest, None)
    while ahead is not None and len(ahead.trace.spans) <= left:
        batch.append(ahead)
        left -= len(ahead.trace.spans)
        ahead = next(rest, None)
    return batch, ahead
