"""Laws that hold for every condition: those of logic, and of comparing."""

from hypothesis import assume, given
from hypothesis import strategies as st

from arcane.model.trace import Trace
from arcane.traceql.ast import Binary, Expr, Field, Literal, LiteralType, Op, Scope, SpansetFilter, Unary
from arcane.traceql.evaluate import compile_filter, levels
from arcane.traceql.format import format_filter
from arcane.traceql.intrinsics import Level
from arcane.traceql.parse import parse
from arcane.traceql.values import MIRRORED
from tests.support.traceql import comparisons, conditions, traces, traces_without_events

Answer = tuple[list[str], int]


def _answer(condition: Expr, trace: Trace) -> Answer:
    compiled = compile_filter(SpansetFilter(condition))
    return [span.span_id for span in compiled(trace)], compiled.errors


def _and(left: Expr, right: Expr) -> Expr:
    return Binary(Op.AND, left, right)


def _or(left: Expr, right: Expr) -> Expr:
    return Binary(Op.OR, left, right)


def _not(operand: Expr) -> Expr:
    return Unary(Op.NOT, operand)


def _decided(condition: Expr) -> Expr:
    """Returns a condition that is true where `condition` is, and false elsewhere, never anything else."""
    return Binary(Op.AND, condition, Literal(LiteralType.BOOL, True))


decided = conditions.map(_decided)


@given(conditions, conditions, traces)
def test_the_order_of_sides_does_not_matter(left: Expr, right: Expr, trace: Trace) -> None:
    assert _answer(_and(left, right), trace) == _answer(_and(right, left), trace)
    assert _answer(_or(left, right), trace) == _answer(_or(right, left), trace)


@given(decided, decided, decided, traces)
def test_chains_may_be_grouped_either_way(one: Expr, two: Expr, three: Expr, trace: Trace) -> None:
    for join in (_and, _or):
        assert _answer(join(join(one, two), three), trace) == _answer(join(one, join(two, three)), trace)


@given(conditions, traces)
def test_a_condition_joined_with_itself_is_itself(condition: Expr, trace: Trace) -> None:
    assert _answer(_and(condition, condition), trace) == _answer(condition, trace)
    assert _answer(_or(condition, condition), trace) == _answer(condition, trace)


@given(conditions, traces)
def test_two_negations_are_none(condition: Expr, trace: Trace) -> None:
    assert _answer(_not(_not(condition)), trace)[0] == _answer(condition, trace)[0]


@given(decided, decided, traces)
def test_de_morgan(left: Expr, right: Expr, trace: Trace) -> None:
    assert _answer(_not(_and(left, right)), trace) == _answer(_or(_not(left), _not(right)), trace)
    assert _answer(_not(_or(left, right)), trace) == _answer(_and(_not(left), _not(right)), trace)


@given(decided, decided, decided, traces)
def test_and_distributes_over_or(one: Expr, two: Expr, three: Expr, trace: Trace) -> None:
    assert _answer(_and(one, _or(two, three)), trace) == _answer(_or(_and(one, two), _and(one, three)), trace)


@given(decided, traces_without_events)
def test_a_negation_finds_exactly_the_others(condition: Expr, trace: Trace) -> None:
    found, errors = _answer(condition, trace)
    others, same_errors = _answer(_not(condition), trace)
    assert errors == same_errors
    assert not set(found) & set(others)
    assert len(found) + len(others) + errors == len(trace.spans)


@given(conditions, conditions, traces)
def test_and_finds_no_more_than_each_side_and_or_no_less(left: Expr, right: Expr, trace: Trace) -> None:
    found = {join: set(_answer(join(left, right), trace)[0]) for join in (_and, _or)}
    assert found[_and] <= set(_answer(left, trace)[0]) & set(_answer(right, trace)[0])
    assert found[_or] <= set(_answer(left, trace)[0]) | set(_answer(right, trace)[0])


@given(conditions, conditions, traces)
def test_conditions_that_share_no_events_or_links_may_be_asked_apart(left: Expr, right: Expr, trace: Trace) -> None:
    assume(not levels(left) & levels(right) & {Level.EVENT, Level.LINK})
    apart = set(_answer(left, trace)[0]) & set(_answer(right, trace)[0])
    assert set(_answer(_and(left, right), trace)[0]) == apart


@given(comparisons, traces)
def test_a_comparison_reads_the_same_from_the_right(comparison: Binary, trace: Trace) -> None:
    mirrored = Binary(MIRRORED[comparison.op], comparison.right, comparison.left)
    assert _answer(mirrored, trace) == _answer(comparison, trace)


@given(st.sampled_from("abc"), st.sampled_from([Scope.NONE, Scope.SPAN, Scope.RESOURCE]), traces)
def test_a_field_is_either_absent_or_present(name: str, scope: Scope, trace: Trace) -> None:
    nil = Literal(LiteralType.NIL, None)
    absent, _ = _answer(Binary(Op.EQ, Field(scope, name), nil), trace)
    present, _ = _answer(Binary(Op.NE, Field(scope, name), nil), trace)
    assert sorted(absent + present) == sorted(span.span_id for span in trace.spans)


@given(conditions, traces)
def test_the_canonical_text_means_the_same(condition: Expr, trace: Trace) -> None:
    reread = parse(format_filter(SpansetFilter(condition))).filter
    assert reread is not None
    assert reread.condition is not None
    assert _answer(reread.condition, trace) == _answer(condition, trace)


@given(conditions, traces, traces)
def test_a_span_is_judged_in_its_own_trace(condition: Expr, one: Trace, other: Trace) -> None:
    compiled = compile_filter(SpansetFilter(condition))
    alone = [compiled(one), compiled(other)]
    assert [compiled(one), compiled(other)] == alone
