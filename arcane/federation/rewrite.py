"""Filters as the planner likes them: conditions in a row, the field on the left, constants gone. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from arcane.model.ids import SpanId, TraceId
from arcane.model.span import Span, SpanKind
from arcane.model.trace import Trace
from arcane.traceql.ast import COMPARISONS, Binary, Expr, Field, Literal, LiteralType, Op, Scope, SpansetFilter, Unary
from arcane.traceql.chain import balanced, run_of
from arcane.traceql.evaluate import compile_filter

_FLIPPED = {Op.EQ: Op.EQ, Op.NE: Op.NE, Op.LT: Op.GT, Op.LE: Op.GE, Op.GT: Op.LT, Op.GE: Op.LE}
_TRUE = Literal(LiteralType.BOOL, True)
_FALSE = Literal(LiteralType.BOOL, False)
_ANY_TRACE = Trace(TraceId("1" * 32), [Span(TraceId("1" * 32), SpanId("1" * 16), "", "", SpanKind.INTERNAL, 0, 0)])


def conjuncts(condition: Expr | None) -> list[Expr]:
    """Returns the conditions that all have to hold; none for `{}`."""
    return [] if condition is None else run_of(Op.AND, condition)


def and_of(conditions: Sequence[Expr]) -> Expr | None:
    """Returns the condition that all of `conditions` hold; None where there are none."""
    return balanced(conditions, lambda left, right: Binary(Op.AND, left, right)) if conditions else None


def narrowed(query: SpansetFilter, scope: Expr | None) -> SpansetFilter:
    """Returns `query` AND `scope`."""
    if scope is None:
        return query
    return SpansetFilter(scope if query.condition is None else Binary(Op.AND, query.condition, scope))


def without_constants(query: SpansetFilter) -> SpansetFilter:
    """Returns the same filter without conditions that hold always; `{ false }` where one never does.

    People write `{ true }` for `{}`, and a condition without a field cannot be pushed.
    """
    kept = []
    for condition in conjuncts(query.condition):
        if any(True for _ in fields_of(condition)):
            kept.append(condition)
        elif not compile_filter(SpansetFilter(condition)).matches(_ANY_TRACE):
            return SpansetFilter(_FALSE)
    return SpansetFilter(and_of(kept))


def matches_nothing(query: SpansetFilter) -> bool:
    """True when one of the conditions is `false`."""
    return _FALSE in conjuncts(query.condition)


def fields_of(expr: Expr | None) -> Iterator[Field]:
    """Yields every field in `expr`, left to right."""
    left = [] if expr is None else [expr]
    while left:
        match left.pop():
            case Field() as field:
                yield field
            case Unary(_, operand):
                left.append(operand)
            case Binary(_, first, second):
                left += (second, first)


def normalised(expr: Expr) -> Expr:
    """Returns `expr` with every comparison of a constant and a field written field first; it means the same."""
    match expr:
        case Binary(op, Literal() as constant, Field() as field) if op in _FLIPPED:
            return Binary(_FLIPPED[op], field, constant)
        case Binary(op, left, right) if op not in COMPARISONS:
            return Binary(op, normalised(left), normalised(right))
        case Unary(op, operand):
            return Unary(op, normalised(operand))
    return expr


def wider(expr: Expr) -> Expr | None:
    """Returns a condition that `expr` implies and that more datasources understand, or None.

    A bare field is true only where it equals true. A field without scope is looked up on the span
    and then on the resource, so whatever it equals stands on one of the two.
    """
    match expr:
        case Field():
            return Binary(Op.EQ, expr, _TRUE)
        case Binary(op, Field(Scope.NONE, name), Literal() as constant) if op in COMPARISONS:
            on_span = Binary(op, Field(Scope.SPAN, name), constant)
            return Binary(Op.OR, on_span, Binary(op, Field(Scope.RESOURCE, name), constant))
    return None
