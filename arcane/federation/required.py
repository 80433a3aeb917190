"""What a trace must have for a whole query to match it: conditions on single spans. Pure.

A datasource can be asked for spans, not for how they stand to each other. Of `{ A } > { B }` every
matching trace has a span that matches A and one that matches B, so it is among the traces with
either of them. Each filter returned here is implied by the query in that sense, alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from arcane.federation.rewrite import FALSE, TRUE, conjuncts, fields_of
from arcane.traceql.ast import COMPARISONS, Binary, Expr, Field, Literal, LiteralType, Op, Scope, SpansetFilter, Unary
from arcane.traceql.ast_pipeline import (
    Aggregate,
    AggregateKind,
    Pipeline,
    Query,
    ScalarFilter,
    Select,
    SpansetExpr,
    SpansetOp,
    SpansetOperation,
    Stage,
)
from arcane.traceql.evaluate import mentioned_fields
from arcane.traceql.hits import attribute_key
from arcane.traceql.intrinsics import Level, level_of
from arcane.traceql.query import query_fields

_NEGATED = frozenset(
    {
        SpansetOp.NOT_CHILD,
        SpansetOp.NOT_DESCENDANT,
        SpansetOp.NOT_PARENT,
        SpansetOp.NOT_ANCESTOR,
        SpansetOp.NOT_SIBLING,
    }
)
_EXTREMES = frozenset({AggregateKind.MIN, AggregateKind.MAX})
_ORDERED = frozenset({Op.LT, Op.LE, Op.GT, Op.GE, Op.EQ})
_EXACT_AS_FLOAT = 1 << 53
_MOST = 16
"""Most alternatives that are looked at: unions of unions multiply."""


def spanwise(query: Query) -> SpansetFilter | None:
    """Returns the one filter that says for each span by itself whether `query` finds it; None where there is none.

    `{ A } || { B }` is `{ A || B }`, `{ A } | { B }` is `{ A && B }`, and `select()` changes no match. What it
    shows of the spans it finds may be more: see `beside`.
    """
    return _flat(query.body)


def beside(query: Query, spans: SpansetFilter) -> tuple[Field, ...] | None:
    """Returns the fields that `query` shows and `spans` does not mention, as after `select()`, or where `||` met `{}`.

    None where showing them behind those of `spans` would show something else: of two fields
    with one name, such as `span.a` and `resource.a`, the first in the text is shown.
    """
    shown, mentioned = query_fields(query), mentioned_fields(spans)
    others = tuple(field for field in shown if field not in mentioned)
    together = (*mentioned, *others)
    names = {attribute_key(field) for field in shown}
    return others if together == shown or len(names) == len(shown) else None


def required_of(query: Query) -> tuple[SpansetFilter, ...]:
    """Returns filters, at least one; each matches some span of every trace that `query` matches."""
    return tuple(dict.fromkeys(_required(query.body))) or (SpansetFilter(),)


def matches_nothing(query: Query) -> bool:
    """True when something that the query needs is `false`."""
    return any(FALSE in conjuncts(one.condition) for one in required_of(query))


def _flat(body: SpansetExpr | Stage) -> SpansetFilter | None:
    match body:
        case SpansetFilter():
            return body
        case SpansetOperation(SpansetOp.OR, left, right):
            return _either(_flat(left), _flat(right))
        case Pipeline():
            found: SpansetFilter | None = SpansetFilter()
            for stage in body.stages:
                if not isinstance(stage, Select):
                    found = _both(found, _flat(stage))
            return found
    return None


def _required(body: SpansetExpr | Stage) -> list[SpansetFilter]:
    flat = _flat(body)
    if flat is not None:
        return [flat]
    match body:
        case SpansetOperation(SpansetOp.OR, left, right):
            joined = (_either(one, other) for one in _required(left) for other in _required(right))
            return [one or SpansetFilter() for one in joined][:_MOST]
        case SpansetOperation(op, left, right):
            return _required(right) if op in _NEGATED else [*_required(left), *_required(right)][:_MOST]
        case Pipeline():
            return _of_stages(body.stages)
    return []


def _of_stages(stages: Sequence[Stage]) -> list[SpansetFilter]:
    """Follows what holds for all spans that are left (`current`): what later stages need holds beside it."""
    current: SpansetFilter | None = SpansetFilter()
    found: list[SpansetFilter] = []
    for stage in stages:
        if isinstance(stage, SpansetFilter):
            narrower = _both(current, stage)
            found.append(narrower or stage)
            current = narrower
        elif isinstance(stage, SpansetOperation | Pipeline):
            found += _required(stage)
            current = _flat(stage)
        elif isinstance(stage, ScalarFilter):
            measured = _both(current, _of_aggregate(stage))
            if measured is not None:
                found.append(measured)
    return found


def _of_aggregate(stage: ScalarFilter) -> SpansetFilter | None:
    """Returns what some span of a set has for which the comparison holds: where the largest is over 5, one is."""
    match stage:
        case ScalarFilter(op, Aggregate(kind, Field() as field), Literal() as literal) if op in _ORDERED:
            if kind in _EXTREMES or (kind is AggregateKind.AVG and _is_whole(field, literal) and op is not Op.EQ):
                return SpansetFilter(Binary(op, field, literal))
    return None


def _is_whole(field: Field, literal: Literal) -> bool:
    """True where an average cannot lie beyond all its values because it was rounded."""
    is_duration = field == Field(Scope.INTRINSIC, "duration") and literal.type is LiteralType.DURATION
    return is_duration and isinstance(literal.value, int) and abs(literal.value) <= _EXACT_AS_FLOAT


def _both(one: SpansetFilter | None, other: SpansetFilter | None) -> SpansetFilter | None:
    """Returns the filter for spans that match both; None where two conditions on events would become one."""
    if one is None or other is None:
        return None
    if one.condition is None or other.condition is None:
        return other if one.condition is None else one
    if _rows(one.condition) & _rows(other.condition):
        return None
    return SpansetFilter(Binary(Op.AND, one.condition, other.condition))


def _either(one: SpansetFilter | None, other: SpansetFilter | None) -> SpansetFilter | None:
    """Returns the filter for spans that match one of them."""
    if one is None or other is None:
        return None
    if one.condition is None or other.condition is None:
        return SpansetFilter()
    left, right = _as_test(one.condition), _as_test(other.condition)
    if left is None or right is None:
        return None
    return SpansetFilter(left if left == right else Binary(Op.OR, left, right))


def _as_test(expr: Expr) -> Expr | None:
    """Returns a condition that is true or false and nothing else: `||` takes nothing else for an answer."""
    match expr:
        case Field():
            return Binary(Op.EQ, expr, TRUE)
        case Literal(LiteralType.BOOL):
            return expr
        case Binary(op) if op in COMPARISONS or op in (Op.AND, Op.OR):
            return expr
        case Unary(Op.NOT):
            return expr
    return None


def _rows(expr: Expr) -> frozenset[Level]:
    return frozenset({level_of(field) for field in fields_of(expr)} & {Level.EVENT, Level.LINK})
