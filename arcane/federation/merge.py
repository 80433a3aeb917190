"""Rows of several datasources become one page: newest first, each trace once. Pure.

A trace that is split over datasources stands where its newest part stands. The order is then known
without waiting for the other parts, and the same whether one page is asked for or ten.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import msgspec

from arcane.model.hit import SPAN_SETS_SHOWN, MatchedSet, MatchedSpan, ServiceStats, TraceHit

Position: TypeAlias = tuple[int, str]
"""Start and trace id. Descending, it is the order of every list of traces; as a bound it is exclusive."""


class Row(msgspec.Struct, frozen=True, gc=False):
    """A hit of one datasource, and where it stands in that datasource's order."""

    position: Position
    hit: TraceHit


@dataclass(frozen=True, slots=True)
class Stream:
    """What one datasource gave for this page: rows newest first, all below `begin`.

    `frontier` is where it goes on after its last row, None where nothing is left.
    """

    rows: Sequence[Row]
    begin: Position
    frontier: Position | None


@dataclass(frozen=True, slots=True)
class Page:
    """Hits in order, the indexes of the streams each came from, and where each stream goes on (None: at its end)."""

    hits: list[TraceHit]
    origins: list[set[int]]
    resume: list[Position | None]
    looked_up: set[int] = field(default_factory=set)
    """Places of hits whose traces every other datasource was asked for."""


def merge(streams: Sequence[Stream], limit: int, spans_per_trace: int) -> Page:
    """Returns the first `limit` traces of all streams, and what to ask each for next.

    Every stream has `limit` rows, or all that there are, or was cut short by a fault or a bound; one
    that was cut short does not hold up the others, and its own later rows come with a later page.
    """
    if len(streams) == 1:
        return _page_of_one(streams[0], limit)
    numbered = [(row.position, index, row) for index, stream in enumerate(streams) for row in stream.rows]
    numbered.sort(key=lambda item: item[0], reverse=True)
    found: dict[str, TraceHit] = {}
    origins: dict[str, set[int]] = {}
    taken = [0] * len(streams)
    full = False
    for _, index, row in numbered:
        trace_id = row.hit.trace_id
        known = found.get(trace_id)
        if known is not None:
            found[trace_id] = merge_hits(known, row.hit, spans_per_trace)
            origins[trace_id].add(index)
        elif len(found) < limit and not full:
            found[trace_id] = row.hit
            origins[trace_id] = {index}
        else:
            full = True  # later rows belong to the next page, except parts of traces that are on this one
        taken[index] += not full
    resume = [_resume(stream, count) for stream, count in zip(streams, taken, strict=True)]
    return Page(list(found.values()), list(origins.values()), resume)


def _page_of_one(stream: Stream, limit: int) -> Page:
    hits = [row.hit for row in stream.rows[:limit]]
    return Page(hits, [{0} for _ in hits], [_resume(stream, len(hits))])


def _resume(stream: Stream, taken: int) -> Position | None:
    if taken == len(stream.rows):
        return stream.frontier
    return stream.rows[taken - 1].position if taken else stream.begin


def merge_hits(one: TraceHit, other: TraceHit, spans_per_trace: int) -> TraceHit:
    """Returns what both say about a trace.

    Two datasources may hold different parts of it or copies of the same spans. A matched span that
    both show, or the same root at the same time, tells copies; their counts are not added up.
    """
    shown: dict[str, MatchedSpan] = {span.span_id: span for span in (*other.spans, *one.spans)}
    copies = len(shown) < len(one.spans) + len(other.spans) or _same_root(one, other)
    rooted = _with_root(one, other)
    sets = _span_sets(one, other, copies, spans_per_trace)
    start = min(one.start, other.start)
    return TraceHit(
        trace_id=one.trace_id,
        start=start,
        duration=max(one.start + one.duration, other.start + other.duration) - start,
        root_service=rooted.root_service,
        root_name=rooted.root_name,
        matched=max(one.matched, other.matched, len(shown)) if copies else one.matched + other.matched,
        spans=_first(shown, spans_per_trace),
        span_count=_count(one.span_count, other.span_count, copies),
        error_count=_count(one.error_count, other.error_count, copies),
        services=_services(one.services, other.services, copies),
        span_sets=sets[:SPAN_SETS_SHOWN],
        span_set_count=max(one.span_set_count, other.span_set_count, len(sets)),
    )


def _first(spans: Mapping[str, MatchedSpan], most: int) -> tuple[MatchedSpan, ...]:
    return tuple(sorted(spans.values(), key=lambda span: (span.start, span.span_id))[:most])


def _span_sets(one: TraceHit, other: TraceHit, copies: bool, spans_per_set: int) -> tuple[MatchedSet, ...]:
    """Returns the sets of both; two of which the query says the same are one. Counts and averages are not redone."""
    merged: dict[bytes, MatchedSet] = {}
    for found in (*one.span_sets, *other.span_sets):
        key = msgspec.json.encode(found.attributes, order="sorted")
        known = merged.get(key)
        if known is None:
            merged[key] = found
            continue
        shown: dict[str, MatchedSpan] = {span.span_id: span for span in (*found.spans, *known.spans)}
        matched = max(known.matched, found.matched, len(shown)) if copies else known.matched + found.matched
        merged[key] = MatchedSet(known.attributes, matched, _first(shown, spans_per_set))
    return tuple(merged.values())


def _with_root(one: TraceHit, other: TraceHit) -> TraceHit:
    rooted = [hit for hit in (one, other) if hit.root_name is not None]
    return min(rooted, key=lambda hit: hit.start, default=one)


def _same_root(one: TraceHit, other: TraceHit) -> bool:
    return one.root_name is not None and (one.start, one.root_name) == (other.start, other.root_name)


def _count(one: int | None, other: int | None, copies: bool) -> int | None:
    if one is None or other is None:
        return (other if one is None else one) if copies else None
    return max(one, other) if copies else one + other


def _services(
    one: Mapping[str, ServiceStats], other: Mapping[str, ServiceStats], copies: bool
) -> dict[str, ServiceStats]:
    merged = dict(one)
    for name, stats in other.items():
        known = merged.get(name)
        if known is None:
            merged[name] = stats
        elif copies:
            merged[name] = ServiceStats(
                max(known.span_count, stats.span_count), max(known.error_count, stats.error_count)
            )
        else:
            merged[name] = ServiceStats(known.span_count + stats.span_count, known.error_count + stats.error_count)
    return merged
