"""Hypothesis strategies for whole searches, and for traces with trees worth asking about.

They are put together of few fixed pieces: what conditions can be is drawn in `tests.support.traceql`.
"""

from __future__ import annotations

from hypothesis import strategies as st

from arcane.model.ids import SpanId, TraceId
from arcane.model.span import Resource, Span, SpanEvent, SpanKind, StatusCode
from arcane.model.trace import Trace
from arcane.traceql.ast import SpansetFilter
from arcane.traceql.ast_pipeline import Pipeline, SpansetExpr, SpansetOp, SpansetOperation, Stage
from arcane.traceql.parse import parse
from tests.support.traceql import stages_of

TRACE_ID = TraceId("000000000000000000000000000000aa")


def _stages(*texts: str) -> st.SearchStrategy[Stage]:
    """Returns the last stages of the queries."""
    return st.sampled_from([stages_of(parse(text).body)[-1] for text in texts])


filters = _stages(
    "{}",
    "{ .a }",
    "{ .a = 1 }",
    "{ .a != nil }",
    "{ span.a >= 1 || name = `x` }",
    "{ status = error }",
    "{ kind != client }",
    "{ span:childCount > 0 }",
    "{ event.a = 1 }",
    "{ 1 / .a = 1 }",
    "{ !(.b = 2) }",
    "{ nestedSetParent < 0 }",
    "{ false }",
)
groupings = _stages(
    *(
        f"by({by})"
        for by in (".a", "span.b", "status", "name = `x`", "1 / .a", "event.a", "span:childCount", "duration")
    )
)
"""Stages that split."""
_others = _stages(
    "count() > 1",
    "count() != 2",
    "sum(.a) > 1",
    "avg(duration) < 3ns",
    "max(1 / .a) = 1",
    "min(event.a) >= 0",
    "{} | coalesce()",
    "{} | select(.a, name)",
)


_starts = _stages("by(.a)", "count() > 1")


@st.composite
def searches(draw: st.DrawFn, depth: int = 2) -> SpansetExpr:
    """Returns a span-set expression or a pipeline that `check` lets pass."""
    if depth == 0 or draw(st.booleans()):
        first = draw(st.one_of(filters, filters, _starts))
        return first if isinstance(first, SpansetFilter) else Pipeline((first,))
    first = draw(searches(depth - 1))
    if draw(st.booleans()):
        op = draw(st.sampled_from(list(SpansetOp)))
        return SpansetOperation(op, first, draw(searches(depth - 1)))
    more = draw(st.lists(st.one_of(filters, groupings, _others), min_size=1, max_size=3))
    return Pipeline((*stages_of(first), *more))


def piped(first: SpansetExpr, *more: Stage) -> Pipeline:
    """Returns the pipeline that goes on with `more`."""
    return Pipeline((*stages_of(first), *more))


_ids = [SpanId(f"{number:016x}") for number in range(1, 9)]
_values = st.sampled_from([None, 0, 1, 1.0, 2, True, "x", [1, 2]])
_resources = [Resource({}), Resource({"a": 1}), Resource({"service.name": "x"})]


@st.composite
def forests(draw: st.DrawFn) -> Trace:
    """Returns a trace whose parents are there, missing, the span itself, or lead round in a circle."""
    spans = []
    for span_id in draw(st.lists(st.sampled_from(_ids), min_size=1, max_size=8, unique=True)):
        start = draw(st.integers(0, 5))
        spans.append(
            Span(
                TRACE_ID,
                span_id,
                draw(st.sampled_from(["", *_ids])),
                draw(st.sampled_from("xy")),
                draw(st.sampled_from(list(SpanKind))),
                start,
                start + draw(st.integers(0, 4)),
                draw(st.sampled_from(list(StatusCode))),
                attributes={"a": draw(_values), "b": draw(_values)},
                events=draw(st.sampled_from([(), (SpanEvent("x", 1, {"a": 1}), SpanEvent("y", 2))])),
                resource=draw(st.sampled_from(_resources)),
            )
        )
    return Trace(TRACE_ID, spans)
