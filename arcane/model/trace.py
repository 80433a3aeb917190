"""A trace: all spans of one trace id that are known, and the tree they form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from operator import attrgetter

from arcane.model.hit import ServiceStats
from arcane.model.ids import TraceId
from arcane.model.notice import Notice
from arcane.model.span import Span, StatusCode

LEFT_OUT = Notice("Spans that have the id of another span of this trace are left out.")
"""Said where they are no copies: both ends of a call may share one id, as Zipkin's do."""
_ORDER = attrgetter("start", "span_id")
_ERROR = StatusCode.ERROR  # reading a member of an enum takes a call in Python 3.11


class Trace:
    """The spans of one trace, in order of start time, each span id once.

    `warnings` says what is known to be missing or changed (a size cut in the backend, a
    clock that ran backwards); an empty tuple means nothing is known to be missing.
    """

    def __init__(self, trace_id: TraceId, spans: Iterable[Span], warnings: tuple[str, ...] = ()) -> None:
        self.trace_id = trace_id
        given = list(spans)
        unique = {span.span_id: span for span in given}
        if len(unique) < len(given):
            unique = {span.span_id: span for span in reversed(given)}  # of two with one id the first counts
            if any(_differ(unique[span.span_id], span) for span in given) and LEFT_OUT not in warnings:
                warnings = (*warnings, LEFT_OUT)
        self.spans: tuple[Span, ...] = tuple(sorted(unique.values(), key=_ORDER))
        self.warnings = warnings

    def with_spans(self, spans: Iterable[Span]) -> Trace:
        """Returns the trace with `spans` in it; the same one where they say nothing new."""
        made = Trace(self.trace_id, (*self.spans, *spans), self.warnings)
        return self if (len(made.spans), made.warnings) == (len(self.spans), self.warnings) else made

    def __repr__(self) -> str:
        return f"Trace({self.trace_id}, {len(self.spans)} spans)"

    @cached_property
    def by_id(self) -> dict[str, Span]:
        """Span id -> span."""
        return {span.span_id: span for span in self.spans}

    @cached_property
    def parents(self) -> dict[str, Span]:
        """Span id -> its parent, where that is in the trace and another span.

        Parents that lead round in a circle are cut above the earliest span of it, so that this is a forest.
        """
        known = self.by_id
        found: dict[str, Span] = {}
        may_circle = False
        for span in self.spans:
            parent = known.get(span.parent_span_id)
            if parent is not None and parent is not span:
                found[span.span_id] = parent
                may_circle = may_circle or parent.start >= span.start
        return _without_circles(self.spans, found) if may_circle else found

    @cached_property
    def children(self) -> dict[str, tuple[Span, ...]]:
        """Span id -> its children in order of start; spans without children have no entry."""
        found: dict[str, list[Span]] = {}
        parents = self.parents
        for span in self.spans:
            parent = parents.get(span.span_id)
            if parent is not None:
                found.setdefault(parent.span_id, []).append(span)
        return {span_id: tuple(spans) for span_id, spans in found.items()}

    @cached_property
    def roots(self) -> tuple[Span, ...]:
        """Spans that say they have no parent."""
        return tuple(span for span in self.spans if not span.parent_span_id)

    @cached_property
    def orphans(self) -> tuple[Span, ...]:
        """Spans whose parent is not in the trace (not received, not sampled, or in another store)."""
        known = self.by_id
        return tuple(span for span in self.spans if span.parent_span_id and span.parent_span_id not in known)

    @cached_property
    def root(self) -> Span | None:
        """The earliest root, or None where no root was received."""
        for span in self.spans:  # mostly the first one: a generator would cost more
            if not span.parent_span_id:
                return span
        return None

    @cached_property
    def start(self) -> int:
        """Start of the earliest span; 0 for an empty trace."""
        return self.spans[0].start if self.spans else 0

    @cached_property
    def end(self) -> int:
        """End of the span that ends last; 0 for an empty trace.

        A span without an end, or with one before its start, ends where it starts, as its duration says.
        """
        return max(self.spans[-1].start, *[span.end for span in self.spans]) if self.spans else 0

    @property
    def duration(self) -> int:
        """Nanoseconds from the first start to the last end."""
        return self.end - self.start

    @cached_property
    def error_count(self) -> int:
        """How many spans have the status error."""
        return sum([one.error_count for one in self.services.values()])

    @cached_property
    def services(self) -> dict[str, ServiceStats]:
        """How many spans, and how many with an error, each service of the trace has; not to be changed."""
        counts: dict[str, list[int]] = {}
        resource, count = None, [0, 0]
        for span in self.spans:
            if span.resource is not resource:  # neighbours share it: most are counted where the one before was
                resource = span.resource
                count = counts.setdefault(resource.service_name, [0, 0])
            count[0] += 1
            if span.status is _ERROR:
                count[1] += 1
        return {service: ServiceStats(spans, errors) for service, (spans, errors) in counts.items()}

    def walk(self) -> Iterator[tuple[Span, int]]:
        """Yields every span once with its depth, depth first: those without a parent by start, children by start."""
        for top in self.spans:
            if top.span_id in self.parents:
                continue
            stack = [(top, 0)]
            while stack:
                span, depth = stack.pop()
                yield span, depth
                stack.extend((child, depth + 1) for child in reversed(self.children.get(span.span_id, ())))


def _differ(one: Span, other: Span) -> bool:
    if one is other:
        return False
    return (one.name, one.kind, one.start, one.end) != (other.name, other.kind, other.start, other.end)


def _without_circles(spans: Iterable[Span], parents: dict[str, Span]) -> dict[str, Span]:
    walks: dict[str, int] = {}
    for walk, span in enumerate(spans):
        at: Span | None = span
        while at is not None and at.span_id not in walks:
            walks[at.span_id] = walk
            at = parents.get(at.span_id)
        if at is not None and walks[at.span_id] == walk:
            del parents[min(_circle(at, parents), key=_ORDER).span_id]
    return parents


def _circle(begin: Span, parents: dict[str, Span]) -> Iterator[Span]:
    yield begin
    at = parents[begin.span_id]
    while at is not begin:
        yield at
        at = parents[at.span_id]
