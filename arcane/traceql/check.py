"""Refuses queries that read well and cannot mean anything, and what Arcane does not answer yet."""

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
from arcane.traceql.ast_pipeline import (
    Coalesce,
    GroupBy,
    Metrics,
    MetricsOperation,
    Pipeline,
    Query,
    Select,
    SpansetOp,
    SpansetOperation,
    Stage,
)
from arcane.traceql.errors import TypeProblem, UnsupportedConstruct
from arcane.traceql.format import format_expr
from arcane.traceql.operators import LOGICAL
from arcane.traceql.patterns import BadPattern, compile_pattern

NUMERIC = frozenset({LiteralType.INT, LiteralType.FLOAT, LiteralType.DURATION})
_WITHOUT_ORDER = frozenset({LiteralType.BOOL, LiteralType.STATUS, LiteralType.KIND})
_EQUALITY = frozenset({Op.EQ, Op.NE})
_MATCHES = frozenset({Op.MATCH, Op.NOT_MATCH})
_NEVER_NIL = Field(Scope.RESOURCE, "service.name")
_ONE_FILTER = "what can be asked is one filter in braces, such as { status = error && duration > 1s }"

Type = LiteralType | None
"""None: an attribute, which may have any type."""


def check(query: Query) -> None:
    """Returns if the query can be answered; raises TypeProblem or UnsupportedConstruct with the place."""
    if query.filter is None:
        raise _unsupported(query)
    check_filter(query.filter)


def check_filter(spanset: SpansetFilter) -> None:
    """Returns if the filter makes sense; raises TypeProblem or UnsupportedConstruct with the place."""
    condition = spanset.condition
    if condition is None:
        return
    if _type(condition) not in (LiteralType.BOOL, None):
        message = f"`{_shown(condition)}` is not a condition"
        raise TypeProblem(message, _place(condition), 'compare it with something, as in name = "x"')


def _unsupported(query: Query) -> UnsupportedConstruct:
    body = query.body
    if isinstance(body, Pipeline):
        later = body.stages[1] if isinstance(body.stages[0], SpansetFilter) and len(body.stages) > 1 else body.stages[0]
        return UnsupportedConstruct(f"{_noun(later)} not supported yet", _position(later.position), _ONE_FILTER)
    if isinstance(body, SpansetOperation):
        hint = _ONE_FILTER
        if body.op in (SpansetOp.AND, SpansetOp.OR):
            hint = f"for conditions on one span write {body.op} inside the braces: {{ .a = 1 {body.op} .b = 2 }}"
        return UnsupportedConstruct(f"{_noun(body)} not supported yet", _position(body.position), hint)
    place = _position(query.hints[0].position)
    return UnsupportedConstruct("hints are not supported yet", place, "leave with(...) out")


def _noun(stage: Stage) -> str:
    match stage:
        case SpansetOperation() if isinstance(stage.left, Pipeline) or isinstance(stage.right, Pipeline):
            return "combinations of pipelines are"
        case SpansetOperation() if stage.op in (SpansetOp.AND, SpansetOp.OR):
            return f"`{stage.op}` between span sets is"
        case SpansetOperation():
            return f"the structural operator `{stage.op}` is"
        case SpansetFilter():
            return "a second filter behind `|` is"
        case GroupBy():
            return "by() is"
        case Coalesce():
            return "coalesce() is"
        case Select():
            return "select() is"
        case Metrics() | MetricsOperation():
            return "metrics queries are"
    return "conditions on aggregates such as count() are"


def _type(expr: Expr) -> Type:
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
    if _type(expr.operand) not in (LiteralType.BOOL, None):
        message = f"`!` needs a condition, and `{_shown(expr.operand)}` is none"
        raise TypeProblem(message, _place(expr), "negate a comparison in parentheses: !(.a = 1)")
    return LiteralType.BOOL


def _sign(expr: Unary) -> Type:
    operand = _type(expr.operand)
    if operand is not None and operand not in NUMERIC:
        raise TypeProblem(f"`-` needs a number, and `{_shown(expr.operand)}` is {_a(operand)}", _place(expr))
    return operand


def _logical(expr: Binary) -> Type:
    for side in (expr.left, expr.right):
        if _type(side) not in (LiteralType.BOOL, None):
            message = f"`{expr.op}` joins conditions, and `{_shown(side)}` is none"
            raise TypeProblem(message, _place(side), "compare it with something, as in .a = 5")
    return LiteralType.BOOL


def _arithmetic(expr: Binary) -> Type:
    types = []
    for side in (expr.left, expr.right):
        found = _type(side)
        if found is not None and found not in NUMERIC:
            message = f"`{expr.op}` computes with numbers, and `{_shown(side)}` is {_a(found)}"
            raise TypeProblem(message, _place(side))
        types.append(found)
    if LiteralType.DURATION in types:
        return LiteralType.DURATION
    return types[0] or types[1]


def _match(expr: Binary) -> Type:
    pattern = expr.right
    if not isinstance(pattern, Literal) or not isinstance(pattern.value, str) or pattern.type is not LiteralType.STRING:
        message = f"on the right of `{expr.op}` stands a regular expression in quotes"
        raise TypeProblem(message, _place(pattern), f'as in {_shown(expr.left)} {expr.op} "prefix.*"')
    left = _type(expr.left)
    if left not in (LiteralType.STRING, None):
        message = f"`{expr.op}` matches text, and `{_shown(expr.left)}` is {_a(left)}"
        raise TypeProblem(message, _place(expr.left))
    try:
        compile_pattern(pattern.value)
    except BadPattern as bad:
        hint = "it is RE2 syntax, without look-around and back references; a backslash in quotes is written \\\\"
        raise TypeProblem(f"the regular expression does not compile: {bad}", _place(pattern), hint) from None
    return LiteralType.BOOL


def _comparison(expr: Binary) -> Type:
    left, right = _type(expr.left), _type(expr.right)
    if LiteralType.NIL in (left, right):
        return _nil(expr)
    if left != right and None not in (left, right) and not {left, right} <= NUMERIC:
        message = f"`{_shown(expr.left)}` is {_a(left)} and `{_shown(expr.right)}` is {_a(right)}"
        raise TypeProblem(f"{message}: they cannot be compared", _place(expr), _comparable(expr, left, right))
    if expr.op not in _EQUALITY:
        for side, found in ((expr.left, left), (expr.right, right)):
            if found in _WITHOUT_ORDER:
                message = f"`{_shown(side)}` is {_a(found)}, and those have no order"
                raise TypeProblem(message, _place(expr), "use = or !=")
    return LiteralType.BOOL


def _comparable(expr: Binary, left: Type, right: Type) -> str | None:
    for one, side, other in ((left, expr.right, right), (right, expr.left, left)):
        is_quoted = other is LiteralType.STRING and isinstance(side, Literal)
        if one in (LiteralType.STATUS, LiteralType.KIND) and is_quoted:
            return f"{one} names stand without quotes: {format_expr(side)[1:-1]}"
    return None


def _nil(expr: Binary) -> Type:
    if expr.op not in _EQUALITY:
        raise TypeProblem(f"nil has no order, `{expr.op}` cannot be asked of it", _place(expr), "use = or !=")
    if expr.op is Op.EQ:
        for side in (expr.left, expr.right):
            if side == _NEVER_NIL or (isinstance(side, Field) and side.scope is Scope.INTRINSIC):
                message = f"`{_shown(side)}` cannot be nil"
                raise TypeProblem(message, _place(expr), _instead_of_nil(side))
    return LiteralType.BOOL


def _instead_of_nil(side: Field) -> str | None:
    if intrinsics.level_of(side) in (intrinsics.Level.EVENT, intrinsics.Level.LINK):
        return f"for spans without any write !({side.name} != nil)"
    if side.scope is Scope.RESOURCE:
        return "for spans without it write !(resource.service.name != nil)"
    return f'a text that is missing is empty: {side.name} = ""' if _field(side) is LiteralType.STRING else None


def _a(found: LiteralType | None) -> str:
    return "an int" if found is LiteralType.INT else f"a {found}"


def _shown(expr: Expr) -> str:
    text = format_expr(expr)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _place(expr: Expr) -> Position:
    return _position(expr.position)


def _position(position: Position | None) -> Position:
    return position or Position(1, 1)
