"""Makes the closures for comparisons: a quick one for `field op constant`, a general one for the rest."""

from __future__ import annotations

from dataclasses import dataclass

from arcane.model.ids import SPAN_ID_LENGTH, TRACE_ID_LENGTH
from arcane.model.span import Span, SpanKind, StatusCode
from arcane.traceql import intrinsics
from arcane.traceql.ast import Binary, Expr, Field, Literal, LiteralType, Op
from arcane.traceql.fields import Get, Row
from arcane.traceql.intrinsics import Level
from arcane.traceql.patterns import compile_pattern
from arcane.traceql.values import HOLDS, MIRRORED, Value, compare

KEYWORDS = frozenset({LiteralType.STATUS, LiteralType.KIND})
_NUMERIC = frozenset({LiteralType.INT, LiteralType.FLOAT, LiteralType.DURATION})
_TRACE_IDS = frozenset({"trace:id", "link:traceID"})


@dataclass(frozen=True, slots=True)
class Code:
    """A compiled expression.

    `is_test`: it gives nothing but True and False. `can_fail`: it may raise EvaluationError.
    `type` is what it always gives, None where that depends on attributes.
    """

    run: Get
    type: LiteralType | None = None
    is_test: bool = False
    can_fail: bool = False
    levels: frozenset[Level] = frozenset()


def constant(literal: Literal) -> Code:
    """Returns the code that gives the literal's value; keywords become the members that spans hold."""
    value: Value = literal.value
    if literal.type is LiteralType.STATUS:
        value = StatusCode[str(value).upper()]
    elif literal.type is LiteralType.KIND:
        value = SpanKind[str(value).upper()]
    return Code(lambda span, row: value, literal.type, literal.type is LiteralType.BOOL)


def comparison(expr: Binary, left: Code, right: Code) -> Get:
    """Returns the test that `expr` is; `left` and `right` are its compiled sides."""
    types = {left.type, right.type}
    if LiteralType.NIL in types:
        return _nil(expr.op, left, right)
    if types & KEYWORDS:
        return _keyword(expr.op, left, right)
    if expr.op in (Op.MATCH, Op.NOT_MATCH):
        return _match(expr, left)
    if _is_id(expr.left) or _is_id(expr.right):
        return _ids(expr, left, right)
    if isinstance(expr.right, Literal):
        return _with_constant(expr.op, left.run, expr.right)
    if isinstance(expr.left, Literal):
        return _with_constant(MIRRORED[expr.op], right.run, expr.left)
    op, one, other = expr.op, left.run, right.run
    return lambda span, row: compare(op, one(span, row), other(span, row))


def _never(span: Span, row: Row) -> Value:
    return False


def _nil(op: Op, left: Code, right: Code) -> Get:
    if left.type is right.type:
        return _never
    side = left if right.type is LiteralType.NIL else right
    get = side.run
    if op is Op.NE:
        return lambda span, row: get(span, row) is not None
    wants_event, wants_link = Level.EVENT in side.levels, Level.LINK in side.levels

    def is_absent(span: Span, row: Row) -> Value:
        if (wants_event and row.event is None) or (wants_link and row.link is None):
            return False  # absent from an event means that there is an event
        return get(span, row) is None

    return is_absent


def _keyword(op: Op, left: Code, right: Code) -> Get:
    if left.type is not right.type:
        return _never  # an attribute never holds a status or a kind
    one, other, holds = left.run, right.run, HOLDS[op]
    return lambda span, row: holds(one(span, row), other(span, row))


def _with_constant(op: Op, get: Get, literal: Literal) -> Get:
    if literal.type in _NUMERIC:
        return _number(op, get, literal.value)
    return _same_class(op, get, literal.value)


def _number(op: Op, get: Get, wanted: Value) -> Get:
    holds = HOLDS[op]

    def test(span: Span, row: Row) -> Value:
        value = get(span, row)
        kind = value.__class__
        if kind is int or kind is float:
            return holds(value, wanted)
        return kind is list and compare(op, value, wanted)

    return test


def _same_class(op: Op, get: Get, wanted: Value) -> Get:
    holds, wanted_class = HOLDS[op], wanted.__class__

    def test(span: Span, row: Row) -> Value:
        value = get(span, row)
        kind = value.__class__
        if kind is wanted_class:
            return holds(value, wanted)
        return kind is list and compare(op, value, wanted)

    return test


def _match(expr: Binary, left: Code) -> Get:
    pattern = str(expr.right.value) if isinstance(expr.right, Literal) else ""
    is_id = _is_id(expr.left)
    matches = compile_pattern(pattern, ignore_case=is_id)
    get, wanted = left.run, expr.op is Op.MATCH

    def test(span: Span, row: Row) -> Value:
        value = get(span, row)
        if value.__class__ is str:
            return matches(value) is wanted
        if value.__class__ is not list:
            return False
        texts = [one for one in value if one.__class__ is str]
        if wanted:
            return any(matches(one) for one in texts)
        return (not value or bool(texts)) and not any(matches(one) for one in texts)

    def test_id(span: Span, row: Row) -> Value:
        value = get(span, row)
        return value is not None and (matches(value) or matches(value.lstrip("0"))) is wanted

    return test_id if is_id else test


def _is_id(expr: Expr) -> bool:
    return isinstance(expr, Field) and intrinsics.is_id(expr)


def id_key(text: str, width: int = TRACE_ID_LENGTH) -> str:
    """Returns the one spelling of an id: lower case, zeros in front up to `width`; "" for no id at all."""
    digits = text.lower().lstrip("0")
    return digits.rjust(width, "0") if digits else ""


def _ids(expr: Binary, left: Code, right: Code) -> Get:
    if isinstance(expr.left, Literal):
        return _id_constant(MIRRORED[expr.op], right.run, str(expr.left.value), expr.right)
    if isinstance(expr.right, Literal):
        return _id_constant(expr.op, left.run, str(expr.right.value), expr.left)
    op, one, other = expr.op, left.run, right.run

    def test(span: Span, row: Row) -> Value:
        return compare(op, _keyed(one(span, row)), _keyed(other(span, row)))

    return test


def _id_constant(op: Op, get: Get, text: str, field: Expr) -> Get:
    width = TRACE_ID_LENGTH if isinstance(field, Field) and field.name in _TRACE_IDS else SPAN_ID_LENGTH
    return _same_class(op, get, id_key(text, width))  # spans hold ids in that spelling already


def _keyed(value: Value) -> Value:
    if value.__class__ is list:
        return [_keyed(one) for one in value]
    return id_key(value) if value.__class__ is str else value
