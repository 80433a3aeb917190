"""Queries as the planner likes them: conditions in a row, the field on the left, constants gone. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from arcane.model.ids import SpanId, TraceId
from arcane.model.span import Span, SpanKind
from arcane.model.trace import Trace
from arcane.traceql.ast import COMPARISONS, Binary, Expr, Field, Literal, LiteralType, Op, Scope, SpansetFilter, Unary
from arcane.traceql.ast_pipeline import MetricsOperation, Pipeline, Query, SpansetOperation
from arcane.traceql.chain import balanced, run_of
from arcane.traceql.evaluate import compile_filter

T = TypeVar("T")
_FLIPPED = {Op.EQ: Op.EQ, Op.NE: Op.NE, Op.LT: Op.GT, Op.LE: Op.GE, Op.GT: Op.LT, Op.GE: Op.LE}
TRUE = Literal(LiteralType.BOOL, True)
FALSE = Literal(LiteralType.BOOL, False)
_ANY_TRACE = Trace(TraceId("1" * 32), [Span(TraceId("1" * 32), SpanId("1" * 16), "", "", SpanKind.INTERNAL, 0, 0)])


def conjuncts(condition: Expr | None) -> list[Expr]:
    """Returns the conditions that all have to hold; none for `{}`."""
    return [] if condition is None else run_of(Op.AND, condition)


def and_of(conditions: Sequence[Expr]) -> Expr | None:
    """Returns the condition that all of `conditions` hold; None where there are none."""
    return balanced(conditions, lambda left, right: Binary(Op.AND, left, right)) if conditions else None


def narrowed(query: Query, scope: Expr | None) -> Query:
    """Returns `query` over the spans for which `scope` holds: every filter in it is ANDed with it."""
    if scope is None:
        return query

    def narrow(spanset: SpansetFilter) -> SpansetFilter:
        return SpansetFilter(scope if spanset.condition is None else Binary(Op.AND, spanset.condition, scope))

    return replace(query, body=_with_filters(_begun(query.body), narrow))


def without_constants(query: Query) -> Query:
    """Returns the same query without conditions that hold always; `{ false }` where one of a filter never does.

    People write `{ true }` for `{}`, and a condition without a field cannot be pushed.
    """
    return replace(query, body=_with_filters(query.body, _without_constants))


def _without_constants(spanset: SpansetFilter) -> SpansetFilter:
    kept = []
    for condition in conjuncts(spanset.condition):
        if any(True for _ in fields_of(condition)):
            kept.append(condition)
        elif not compile_filter(SpansetFilter(condition)).matches(_ANY_TRACE):
            return SpansetFilter(FALSE)
    return SpansetFilter(and_of(kept))


def _with_filters(node: T, change: Callable[[SpansetFilter], SpansetFilter]) -> T:
    """Returns `node` with every filter in it changed, however deep it stands."""
    match node:
        case SpansetFilter():
            return change(node)  # type: ignore[return-value]
        case SpansetOperation() | MetricsOperation():
            left, right = (_with_filters(_begun(side), change) for side in (node.left, node.right))
            return replace(node, left=left, right=right)  # type: ignore[arg-type]
        case Pipeline():
            return replace(node, stages=tuple(_with_filters(_begun(one), change) for one in node.stages))
    return node


def _begun(node: T) -> T:
    """Returns a pipeline with a filter at its beginning: `count() > 2` alone is about all spans."""
    if not isinstance(node, Pipeline):
        return node
    if isinstance(node.stages[0], SpansetFilter | SpansetOperation | MetricsOperation | Pipeline):
        return node
    return replace(node, stages=(SpansetFilter(), *node.stages))


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
            return Binary(Op.EQ, expr, TRUE)
        case Binary(op, Field(Scope.NONE, name), Literal() as constant) if op in COMPARISONS:
            on_span = Binary(op, Field(Scope.SPAN, name), constant)
            return Binary(Op.OR, on_span, Binary(op, Field(Scope.RESOURCE, name), constant))
    return None
