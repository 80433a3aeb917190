"""Whole queries: structure against a plain reading of its definition, and laws that pipelines keep."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from arcane.model.span import Span
from arcane.model.spanset import SpanSet
from arcane.model.trace import Trace
from arcane.spi.testing import bare
from arcane.traceql.ast import Literal, LiteralType, Op, SpansetFilter
from arcane.traceql.ast_pipeline import (
    Aggregate,
    AggregateKind,
    Coalesce,
    GroupBy,
    Query,
    ScalarFilter,
    Select,
    SpansetExpr,
    SpansetOp,
    SpansetOperation,
)
from arcane.traceql.check import check
from arcane.traceql.format import format_query
from arcane.traceql.hits import hit_of_sets
from arcane.traceql.parse import parse
from arcane.traceql.query import compile_query, query_fields, reads_own
from arcane.traceql.structure import related
from tests.support.searches import filters, forests, groupings, piped, searches


class Naive:
    """The relations as they are defined, one pair of spans at a time."""

    def __init__(self, trace: Trace) -> None:
        self.spans = trace.spans

    def holds(self, op: SpansetOp, left: Span, right: Span) -> bool:
        """True when `right` is to `left` what the operator says."""
        match str(op).lstrip("!&"):
            case ">":
                return self.parent(right) is left
            case ">>":
                return left in self.ancestors(right)
            case "<":
                return self.parent(left) is right
            case "<<":
                return right in self.ancestors(left)
        above = [self._parent_id(span) for span in (left, right)]
        return left is not right and above[0] == above[1] != ""

    def parent(self, span: Span) -> Span | None:
        """The span that its parent id names; none above the earliest span of a circle."""
        circle = [span]
        at = self._named(span)
        while at is not None and at not in circle:
            circle.append(at)
            at = self._named(at)
        is_cut = at is span and span is min(circle, key=lambda one: (one.start, one.span_id))
        return None if is_cut else self._named(span)

    def ancestors(self, span: Span) -> list[Span]:
        """The way up."""
        above = self.parent(span)
        return [] if above is None else [above, *self.ancestors(above)]

    def _named(self, span: Span) -> Span | None:
        others = (one for one in self.spans if one is not span)
        return next((one for one in others if one.span_id == span.parent_span_id), None)

    def _parent_id(self, span: Span) -> str:
        is_here = any(one.span_id == span.parent_span_id for one in self.spans)
        return "" if is_here and self.parent(span) is None else span.parent_span_id


def _expected(op: SpansetOp, left: list[Span], right: list[Span], trace: Trace) -> list[Span]:
    naive = Naive(trace)
    both = [span for span in trace.spans if span in left or span in right]
    if op is SpansetOp.OR:
        return both
    if op is SpansetOp.AND:
        return both if left and right else []
    found = [one for one in right if any(naive.holds(op, other, one) for other in left)]
    if op.startswith("!"):
        return [one for one in right if one not in found]
    if op.startswith("&"):
        found += [one for one in left if any(naive.holds(op, one, other) for other in right)]
    return [span for span in trace.spans if span in found]


@st.composite
def _sides(draw: st.DrawFn) -> tuple[Trace, list[Span], list[Span]]:
    trace = draw(forests())
    picks = draw(
        st.lists(st.tuples(st.booleans(), st.booleans()), min_size=len(trace.spans), max_size=len(trace.spans))
    )
    left, right = ([span for span, pick in zip(trace.spans, picks, strict=True) if pick[side]] for side in (0, 1))
    return trace, left, right


@given(st.sampled_from(list(SpansetOp)), _sides())
def test_an_operator_finds_what_its_definition_says(op: SpansetOp, sides: tuple[Trace, list[Span], list[Span]]) -> None:
    trace, left, right = sides
    assert related(op, left, right, trace) == _expected(op, left, right, trace)


def _ask(body: SpansetExpr, trace: Trace) -> list[SpanSet]:
    return compile_query(Query(body))(trace)


def _spans(body: SpansetExpr, trace: Trace) -> set[str]:
    return {span.span_id for one in _ask(body, trace) for span in one.spans}


_POSITIVE = [SpansetOp.CHILD, SpansetOp.DESCENDANT, SpansetOp.PARENT, SpansetOp.ANCESTOR, SpansetOp.SIBLING]
_MIRRORED = {
    SpansetOp.CHILD: SpansetOp.PARENT,
    SpansetOp.DESCENDANT: SpansetOp.ANCESTOR,
    SpansetOp.PARENT: SpansetOp.CHILD,
    SpansetOp.ANCESTOR: SpansetOp.DESCENDANT,
    SpansetOp.SIBLING: SpansetOp.SIBLING,
}


@given(st.sampled_from(_POSITIVE), searches(), searches(), forests())
def test_an_operator_and_its_negation_share_the_right_side_between_them(
    op: SpansetOp, left: SpansetExpr, right: SpansetExpr, trace: Trace
) -> None:
    with_it = _spans(SpansetOperation(op, left, right), trace)
    without = _spans(SpansetOperation(SpansetOp(f"!{op}"), left, right), trace)
    assert not with_it & without
    assert with_it | without == _spans(right, trace)


@given(st.sampled_from(_POSITIVE), searches(), searches(), forests())
def test_a_union_is_the_operator_read_from_both_sides(
    op: SpansetOp, left: SpansetExpr, right: SpansetExpr, trace: Trace
) -> None:
    union = _spans(SpansetOperation(SpansetOp(f"&{op}"), left, right), trace)
    forth = _spans(SpansetOperation(op, left, right), trace)
    back = _spans(SpansetOperation(_MIRRORED[op], right, left), trace)
    assert union == forth | back
    assert bool(forth) is bool(back)


@given(searches(), searches(), forests())
def test_children_are_descendants_and_parents_ancestors(left: SpansetExpr, right: SpansetExpr, trace: Trace) -> None:
    for near, far in ((SpansetOp.CHILD, SpansetOp.DESCENDANT), (SpansetOp.PARENT, SpansetOp.ANCESTOR)):
        assert _spans(SpansetOperation(near, left, right), trace) <= _spans(SpansetOperation(far, left, right), trace)


@given(searches(), searches(), forests())
def test_both_sides_are_together_what_either_is(left: SpansetExpr, right: SpansetExpr, trace: Trace) -> None:
    one, other = _spans(left, trace), _spans(right, trace)
    assert _spans(SpansetOperation(SpansetOp.OR, left, right), trace) == one | other
    assert _spans(SpansetOperation(SpansetOp.AND, left, right), trace) == (one | other if one and other else set())


@given(searches(), groupings, forests())
def test_groups_are_a_partition_and_coalesce_undoes_them(search: SpansetExpr, by: GroupBy, trace: Trace) -> None:
    whole = _ask(piped(search, Coalesce()), trace)
    groups = _ask(piped(search, Coalesce(), by), trace)
    assert sum(len(one.spans) for one in groups) == sum(len(one.spans) for one in whole)
    assert all(one.spans for one in groups)
    assert _ask(piped(search, by, Coalesce()), trace) == whole


@given(searches(), groupings, forests())
def test_grouping_twice_by_the_same_changes_nothing(search: SpansetExpr, by: GroupBy, trace: Trace) -> None:
    assert _ask(piped(search, by, by), trace) == _ask(piped(search, by), trace)


@given(searches(), st.integers(0, 4), forests())
def test_a_count_keeps_the_sets_of_that_size(search: SpansetExpr, least: int, trace: Trace) -> None:
    wanted = ScalarFilter(Op.GE, Aggregate(AggregateKind.COUNT), Literal(LiteralType.INT, least))
    kept = _ask(piped(search, wanted), trace)
    assert [one.spans for one in kept] == [one.spans for one in _ask(search, trace) if len(one.spans) >= least]
    assert [one.attributes["count()"] for one in kept] == [len(one.spans) for one in kept]


@given(searches(), filters, forests())
def test_a_later_filter_leaves_what_both_find(search: SpansetExpr, later: SpansetFilter, trace: Trace) -> None:
    assert _spans(piped(search, later), trace) == _spans(search, trace) & _spans(later, trace)
    assert _ask(piped(search, SpansetFilter()), trace) == _ask(search, trace)


@given(searches(), forests())
def test_what_passes_the_check_has_an_answer(search: SpansetExpr, trace: Trace) -> None:
    query = Query(search)
    check(query)
    compiled = compile_query(query)
    for one in compiled(trace):
        assert one.spans
        assert [span for span in trace.spans if span in one.spans] == list(one.spans)
    assert compiled.errors >= 0
    assert compiled.fields == query_fields(query)


@given(searches(), forests())
def test_the_canonical_text_means_the_same(search: SpansetExpr, trace: Trace) -> None:
    query = Query(search)
    assert compile_query(parse(format_query(query)))(trace) == compile_query(query)(trace)


@given(searches(), forests())
def test_select_finds_what_is_found_without_it(search: SpansetExpr, trace: Trace) -> None:
    shown = query_fields(Query(search))
    if shown:
        assert _ask(piped(search, Select(shown)), trace) == _ask(search, trace)


@given(searches(), forests())
def test_a_query_that_reads_nothing_of_their_own_finds_the_same_spans_bare(search: SpansetExpr, trace: Trace) -> None:
    query = Query(search)
    if not reads_own(query):
        compiled = compile_query(query)
        whole, stripped = (
            hit_of_sets(one, sets, compiled.fields, 3) if (sets := compiled(one)) else None
            for one in (trace, Trace(trace.trace_id, map(bare, trace.spans)))
        )
        assert whole == stripped


@given(searches(), searches(), forests(), forests())
def test_a_trace_is_judged_by_itself(one: SpansetExpr, other: SpansetExpr, first: Trace, second: Trace) -> None:
    compiled = compile_query(Query(SpansetOperation(SpansetOp.DESCENDANT, one, other)))
    alone = [compiled(first), compiled(second)]
    assert [compiled(first), compiled(second)] == alone
