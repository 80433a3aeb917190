"""A project's scope: whatever is asked, no span outside of it is found, grouped or counted."""

from __future__ import annotations

import msgspec
from hypothesis import given

from arcane.federation.rewrite import narrowed, without_constants
from arcane.model.trace import Trace
from arcane.traceql.ast import Expr
from arcane.traceql.ast_pipeline import Metrics, MetricsKind, Pipeline, Query, SpansetExpr
from arcane.traceql.evaluate import compile_filter
from arcane.traceql.parse import parse
from arcane.traceql.query import compile_query, search_part
from tests.support.searches import forests, searches
from tests.support.traceql import stages_of

SCOPE = parse("{ resource.a = 1 }").filter


def _condition() -> Expr:
    assert SCOPE is not None
    assert SCOPE.condition is not None
    return SCOPE.condition


def _outside(trace: Trace) -> set[str]:
    assert SCOPE is not None
    return {span.span_id for span in trace.spans} - {span.span_id for span in compile_filter(SCOPE)(trace)}


def _with_other_values(trace: Trace) -> Trace:
    """Returns the trace with everything changed that a query can ask of single spans outside of the scope."""
    outside = _outside(trace)
    return Trace(
        trace.trace_id,
        [
            msgspec.structs.replace(span, attributes={"a": 9}, name="z", events=()) if span.span_id in outside else span
            for span in trace.spans
        ],
    )


@given(searches(), forests())
def test_no_search_finds_a_span_outside_of_the_scope(search: SpansetExpr, trace: Trace) -> None:
    query = narrowed(without_constants(Query(search)), _condition())
    found = compile_query(query)(trace)
    assert not {span.span_id for one in found for span in one.spans} & _outside(trace)


@given(searches(), forests())
def test_what_spans_outside_of_the_scope_hold_changes_no_answer(search: SpansetExpr, trace: Trace) -> None:
    compiled = compile_query(narrowed(without_constants(Query(search)), _condition()))
    assert compiled(_with_other_values(trace)) == compiled(trace)


@given(searches(), forests())
def test_no_metrics_query_measures_a_span_outside_of_the_scope(search: SpansetExpr, trace: Trace) -> None:
    query = Query(Pipeline((*stages_of(search), Metrics(MetricsKind.RATE))))
    found = compile_query(search_part(narrowed(query, _condition())))(trace)
    assert not {span.span_id for one in found for span in one.spans} & _outside(trace)
