"""Refuses expressions that read well and cannot mean anything."""

from __future__ import annotations

from arcane.traceql import intrinsics
from arcane.traceql.ast import (
    ARITHMETIC,
    Binary,
    Expr,
    Field,
    Literal,
    LiteralType,
    Op,
    Position,
    Scope,
    SpansetFilter,
    Unary,
)
from arcane.traceql.errors import TypeProblem, UnsupportedConstruct
from arcane.traceql.evaluate import fields_of
from arcane.traceql.format import format_expr
from arcane.traceql.operators import LOGICAL
from arcane.traceql.patterns import BadPattern, compile_pattern

NUMERIC = frozenset({LiteralType.INT, LiteralType.FLOAT, LiteralType.DURATION})
_WITHOUT_ORDER = frozenset({LiteralType.BOOL, LiteralType.STATUS, LiteralType.KIND})
_EQUALITY = frozenset({Op.EQ, Op.NE})
_MATCHES = frozenset({Op.MATCH, Op.NOT_MATCH})
_NEVER_NIL = Field(Scope.RESOURCE, "service.name")

Type = LiteralType | None
"""None: an attribute, which may have any type."""


def check_filter(spanset: SpansetFilter) -> None:
    """Returns if the filter makes sense; raises TypeProblem or UnsupportedConstruct with the place."""
    condition = spanset.condition
    if condition is None:
        return
    if type_of(condition) not in (LiteralType.BOOL, None):
        message = f"`{shown(condition)}` is not a condition"
        raise TypeProblem(message, place_of(condition), 'compare it with something, as in name = "x"')


def check_value(expr: Expr, what: str) -> Type:
    """Returns the type of an expression that is computed for each span; raises TypeProblem or UnsupportedConstruct.

    `what` names the function that takes it.
    """
    found = type_of(expr)
    if not any(True for _ in fields_of(expr)):
        message = f"`{what}` needs something that differs between spans, and `{shown(expr)}` does not"
        raise TypeProblem(message, place_of(expr), "name an attribute or an intrinsic, as in resource.service.name")
    return found


def type_of(expr: Expr) -> Type:
    """Returns the type that `expr` always has; raises TypeProblem or UnsupportedConstruct where it can have none."""
    match expr:
        case Literal():
            return expr.type
        case Field():
            return _field(expr)
        case Unary(op=Op.NOT):
            return _not(expr)
        case Unary():
            return _sign(expr)
        case Binary() if expr.op in LOGICAL:
            return _logical(expr)
        case Binary() if expr.op in ARITHMETIC:
            return _arithmetic(expr)
    return _match(expr) if expr.op in _MATCHES else _comparison(expr)


def _field(field: Field) -> Type:
    if field.scope is Scope.PARENT or field == Field(Scope.INTRINSIC, intrinsics.PARENT):
        message = "`parent` is reserved by TraceQL and not supported"
        raise UnsupportedConstruct(message, _position(field.position), "ask for the span itself")
    return intrinsics.type_of(field)


def _not(expr: Unary) -> Type:
    if type_of(expr.operand) not in (LiteralType.BOOL, None):
        message = f"`!` needs a condition, and `{shown(expr.operand)}` is none"
        raise TypeProblem(message, place_of(expr), "negate a comparison in parentheses: !(.a = 1)")
    return LiteralType.BOOL


def _sign(expr: Unary) -> Type:
    operand = type_of(expr.operand)
    if operand is not None and operand not in NUMERIC:
        raise TypeProblem(f"`-` needs a number, and `{shown(expr.operand)}` is {with_article(operand)}", place_of(expr))
    return operand


def _logical(expr: Binary) -> Type:
    for side in (expr.left, expr.right):
        if type_of(side) not in (LiteralType.BOOL, None):
            message = f"`{expr.op}` joins conditions, and `{shown(side)}` is none"
            raise TypeProblem(message, place_of(side), "compare it with something, as in .a = 5")
    return LiteralType.BOOL


def _arithmetic(expr: Binary) -> Type:
    types = []
    for side in (expr.left, expr.right):
        found = type_of(side)
        if found is not None and found not in NUMERIC:
            message = f"`{expr.op}` computes with numbers, and `{shown(side)}` is {with_article(found)}"
            raise TypeProblem(message, place_of(side))
        types.append(found)
    if LiteralType.DURATION in types:
        return LiteralType.DURATION
    return types[0] or types[1]


def _match(expr: Binary) -> Type:
    pattern = expr.right
    if not isinstance(pattern, Literal) or not isinstance(pattern.value, str) or pattern.type is not LiteralType.STRING:
        message = f"on the right of `{expr.op}` stands a regular expression in quotes"
        raise TypeProblem(message, place_of(pattern), f'as in {shown(expr.left)} {expr.op} "prefix.*"')
    left = type_of(expr.left)
    if left not in (LiteralType.STRING, None):
        message = f"`{expr.op}` matches text, and `{shown(expr.left)}` is {with_article(left)}"
        raise TypeProblem(message, place_of(expr.left))
    try:
        compile_pattern(pattern.value)
    except BadPattern as bad:
        hint = "it is RE2 syntax, without look-around and back references; a backslash in quotes is written \\\\"
        raise TypeProblem(f"the regular expression does not compile: {bad}", place_of(pattern), hint) from None
    return LiteralType.BOOL


def _comparison(expr: Binary) -> Type:
    left, right = type_of(expr.left), type_of(expr.right)
    if LiteralType.NIL in (left, right):
        return _nil(expr)
    if left != right and None not in (left, right) and not {left, right} <= NUMERIC:
        message = f"`{shown(expr.left)}` is {with_article(left)} and `{shown(expr.right)}` is {with_article(right)}"
        raise TypeProblem(f"{message}: they cannot be compared", place_of(expr), _comparable(expr, left, right))
    if expr.op not in _EQUALITY:
        for side, found in ((expr.left, left), (expr.right, right)):
            if found in _WITHOUT_ORDER:
                message = f"`{shown(side)}` is {with_article(found)}, and those have no order"
                raise TypeProblem(message, place_of(expr), "use = or !=")
    return LiteralType.BOOL


def _comparable(expr: Binary, left: Type, right: Type) -> str | None:
    for one, side, other in ((left, expr.right, right), (right, expr.left, left)):
        is_quoted = other is LiteralType.STRING and isinstance(side, Literal)
        if one in (LiteralType.STATUS, LiteralType.KIND) and is_quoted:
            return f"{one} names stand without quotes: {format_expr(side)[1:-1]}"
    return None


def _nil(expr: Binary) -> Type:
    if expr.op not in _EQUALITY:
        raise TypeProblem(f"nil has no order, `{expr.op}` cannot be asked of it", place_of(expr), "use = or !=")
    if expr.op is Op.EQ:
        for side in (expr.left, expr.right):
            if side == _NEVER_NIL or (isinstance(side, Field) and side.scope is Scope.INTRINSIC):
                message = f"`{shown(side)}` cannot be nil"
                raise TypeProblem(message, place_of(expr), _instead_of_nil(side))
    return LiteralType.BOOL


def _instead_of_nil(side: Field) -> str | None:
    if intrinsics.level_of(side) in (intrinsics.Level.EVENT, intrinsics.Level.LINK):
        return f"for spans without any write !({side.name} != nil)"
    if side.scope is Scope.RESOURCE:
        return "for spans without it write !(resource.service.name != nil)"
    return f'a text that is missing is empty: {side.name} = ""' if _field(side) is LiteralType.STRING else None


def with_article(found: LiteralType | None) -> str:
    """Returns the type as a sentence names it."""
    return "an int" if found is LiteralType.INT else f"a {found}"


def shown(expr: Expr) -> str:
    """Returns the text of `expr` as a message quotes it, cut where it is long."""
    text = format_expr(expr)
    return text if len(text) <= 60 else f"{text[:57]}..."


def place_of(expr: Expr) -> Position:
    """Returns where `expr` stands."""
    return _position(expr.position)


def _position(position: Position | None) -> Position:
    return position or Position(1, 1)
