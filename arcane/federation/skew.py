"""Clocks that disagree: spans that lie where they cannot have been, seen from their parent. Noted, never mended."""

from __future__ import annotations

from arcane.model.notice import Notice
from arcane.model.span import Span, SpanKind
from arcane.model.time import NANOS_PER_MILLISECOND
from arcane.model.trace import Trace

TOLERATED = NANOS_PER_MILLISECOND
"""How much later than the call it answers a server span may end: time stamps are taken one after the other."""


def skew_of(trace: Trace) -> tuple[str, ...]:
    """Returns a warning where clocks disagree: spans that begin before their parent, answers that outlast their call.

    A child that ends after its parent says nothing by itself, work goes on in the background. A
    server span within a client span is one call seen from both ends: the caller has to see the end last.
    """
    early: list[int] = []
    late: list[int] = []
    known = trace.by_id
    for span in trace.spans:
        parent = known.get(span.parent_span_id)
        if parent is None or span.resource is parent.resource:
            continue
        if span.start < parent.start:
            early.append(parent.start - span.start)
        elif outlasts(span, parent):
            late.append(span.end - parent.end)
    found = []
    if early:
        found.append(
            Notice(
                "%(count)d spans begin before their parent, by up to %(most).3f ms: "
                "timed by another clock, shown as recorded.",
                count=len(early),
                most=max(early) / NANOS_PER_MILLISECOND,
            )
        )
    if late:
        found.append(
            Notice(
                "%(count)d spans end after the calls they answer, by up to %(most).3f ms: "
                "timed by another clock, shown as recorded.",
                count=len(late),
                most=max(late) / NANOS_PER_MILLISECOND,
            )
        )
    return tuple(found)


def outlasts(span: Span, parent: Span) -> bool:
    """True where a call's answer ends after the call."""
    is_call = span.kind is SpanKind.SERVER and parent.kind is SpanKind.CLIENT
    return is_call and span.end - parent.end > TOLERATED
