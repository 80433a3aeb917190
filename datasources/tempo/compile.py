"""Arcane's questions in Tempo's words. Pure.

Tempo takes the same language and means other things by it in places (all of them seen on
running servers; docs/reference/datasources/tempo.md lists them). Every comparison that `PUSH`
covers is written so that Tempo's answer is Arcane's, or, where the rule is not exact, more:

- the type of a number selects the column Tempo reads, so a number is asked for as both
- `!=` and `!~` hold for a list when one element differs, unless the attribute is also asked to
  exist; of events and links they stay a superset, there the list is that of the events
- an attribute without a scope is found on the resource although the span has another value,
  unless it is also asked to exist
- negation, literals on the left and unpadded ids never go out
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import Decimal

from arcane.spi import (
    NANOS_PER_SECOND,
    Binary,
    Expr,
    Field,
    Literal,
    LiteralType,
    Op,
    PushRule,
    Scope,
    SpansetFilter,
    TimeRange,
    Unsupported,
    format_expr,
)

MAX_SPANS_PER_SET = 100
_INT_MIN, _INT_MAX = -(2**63), 2**63 - 1

_ORDERING = frozenset({Op.LT, Op.LE, Op.GT, Op.GE})
_NUMERIC = _ORDERING | {Op.EQ, Op.NE}
_TEXT = _NUMERIC | {Op.MATCH, Op.NOT_MATCH}
_EQUAL = frozenset({Op.EQ, Op.NE})
_UNEQUAL = frozenset({Op.NE, Op.NOT_MATCH})
_NUMBERS = frozenset({LiteralType.INT, LiteralType.FLOAT, LiteralType.DURATION})
_STRING = frozenset({LiteralType.STRING})
_OWN = frozenset({Scope.NONE, Scope.SPAN, Scope.RESOURCE, Scope.INSTRUMENTATION})
_CHILDREN = frozenset({Scope.EVENT, Scope.LINK})
_INTRINSIC = frozenset({Scope.INTRINSIC})


def _intrinsics(names: str, ops: frozenset[Op], literals: frozenset[LiteralType], exact: bool = True) -> PushRule:
    return PushRule(_INTRINSIC, ops, literals, frozenset(names.split()), exact)


PUSH: tuple[PushRule, ...] = (
    PushRule(_OWN, _TEXT, _STRING),
    PushRule(_OWN, _NUMERIC, _NUMBERS),
    PushRule(_OWN, _EQUAL, frozenset({LiteralType.BOOL})),
    PushRule(_OWN, frozenset({Op.NE}), frozenset({LiteralType.NIL})),
    _intrinsics("name statusMessage rootName rootServiceName", _TEXT, _STRING),
    _intrinsics("instrumentation:name instrumentation:version", _TEXT, _STRING),
    _intrinsics("duration traceDuration", _NUMERIC, _NUMBERS),
    _intrinsics("status", _EQUAL, frozenset({LiteralType.STATUS})),
    _intrinsics("kind", _EQUAL, frozenset({LiteralType.KIND})),
    # Right for one comparison with an event or a link. Several have to hold of one event, and Tempo asks
    # one only where nothing in the filter is joined by `||`: the planner evaluates those again.
    PushRule(_CHILDREN, _TEXT - _UNEQUAL, _STRING),
    PushRule(_CHILDREN, _NUMERIC - _UNEQUAL, _NUMBERS),
    PushRule(_CHILDREN, frozenset({Op.EQ}), frozenset({LiteralType.BOOL})),
    PushRule(_CHILDREN, frozenset({Op.NE}), frozenset({LiteralType.NIL})),
    PushRule(_CHILDREN, _UNEQUAL, _STRING, exact=False),
    PushRule(_CHILDREN, frozenset({Op.NE}), _NUMBERS | {LiteralType.BOOL}, exact=False),
    _intrinsics("event:name", _TEXT, _STRING),
    _intrinsics("event:timeSinceStart", _NUMERIC, _NUMBERS),
    # Ids lose leading zeros in Tempo, each in its own way; few spans match, so a superset costs nothing.
    _intrinsics("trace:id span:id span:parentID link:traceID link:spanID", frozenset({Op.EQ}), _STRING, exact=False),
    # Numbered by Tempo for the part of the trace that one block holds.
    _intrinsics("nestedSetParent", frozenset({Op.EQ, Op.LT}), frozenset({LiteralType.INT}), exact=False),
)

PUSH_ABSENCE: tuple[PushRule, ...] = (
    # Not for resources: Tempo refuses to ask where `service.name` is absent.
    PushRule(frozenset({Scope.SPAN, Scope.INSTRUMENTATION}), frozenset({Op.EQ}), frozenset({LiteralType.NIL})),
)
"""What Tempo 3 answers beside `PUSH`: older ones take `= nil` and find nothing."""


def compile_window(within: TimeRange) -> tuple[int, int]:
    """Returns the window in whole seconds, rounded outwards, at least one second long: Tempo refuses an empty one."""
    start = within.start // NANOS_PER_SECOND
    end = -(-within.end // NANOS_PER_SECOND)
    return start, max(end, start + 1)


def compile_query(filter: SpansetFilter, select: tuple[Field, ...], *, most_recent: bool) -> str:
    """Returns the query text: the filter, what to return of each span, and the hint for the newest traces."""
    condition = compile_condition(filter.condition)
    text = f"{{ {condition} }}" if condition else "{}"
    if select:
        text += f" | select({', '.join(format_expr(field) for field in select)})"
    return f"{text} with (most_recent=true)" if most_recent else text


def compile_condition(expr: Expr | None) -> str:
    """Returns a condition in Tempo's words, "" for none; raises Unsupported for what `PUSH` does not cover."""
    match expr:
        case None:
            return ""
        case Binary(Op.AND | Op.OR as op, left, right):
            return f"{_operand(left, op)} {op.value} {_operand(right, op)}"
        case Binary(op, Field() as field, Literal() as literal):
            return _comparison(field, op, literal)
    raise Unsupported("Tempo cannot be asked this.")


def _operand(expr: Expr, parent: Op) -> str:
    """`&&` and `||` bind alike in TraceQL, so a mixed operand stands in parentheses."""
    text = compile_condition(expr)
    mixed = isinstance(expr, Binary) and expr.op in (Op.AND, Op.OR) and expr.op is not parent
    return f"({text})" if mixed else text


def _comparison(field: Field, op: Op, literal: Literal) -> str:
    if field.scope is Scope.INTRINSIC:
        return _intrinsic(field, op, literal)
    name = format_expr(field)
    text = _attribute(field, op, literal)
    if literal.type is LiteralType.NIL:
        return text
    if field.scope is Scope.NONE or (op in _UNEQUAL and field.scope not in _CHILDREN):
        return f"({text} && {name} != nil)"
    return text


def _attribute(field: Field, op: Op, literal: Literal) -> str:
    name = format_expr(field)
    if literal.type not in _NUMBERS:
        return f"{name} {op.value} {format_expr(literal)}"
    value = _number(literal)
    alternatives = [*_as_integer(name, op, value, _spell_integer), *_as_double(name, op, value)]
    if op is Op.NE and field.scope in _CHILDREN and len(alternatives) < 2:
        return f"{name} != nil"  # every value of the type that has no such number differs
    return _either(alternatives)


def _either(alternatives: list[str], nothing: str = "false") -> str:
    text = " || ".join(alternatives) or nothing
    return f"({text})" if len(alternatives) > 1 else text


def _number(literal: Literal) -> int | float:
    value = literal.value
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise Unsupported("Tempo cannot be asked this.")
    return value


def _as_integer(name: str, op: Op, value: int | float, spell: Callable[[int], str]) -> list[str]:
    """Returns the comparison for stored integers as alternatives: none where no integer can match.

    Tempo may hold it against a double too, so it has to imply what was asked: `> 4.5` is
    `>= 5`, because 4.2 is `> 4`.
    """
    if value != math.floor(value):
        if op in _EQUAL:
            return []
        op, value = (Op.GE, math.ceil(value)) if op in (Op.GT, Op.GE) else (Op.LE, math.floor(value))
    bound = int(value)
    if not _INT_MIN <= bound <= _INT_MAX:
        if op in _EQUAL or (bound > 0) != (op in (Op.LT, Op.LE)):
            return []
        op, bound = (Op.LE, _INT_MAX) if bound > 0 else (Op.GE, _INT_MIN)
    return [f"{name} {op.value} {spell(bound)}"]


def _spell_integer(value: int) -> str:
    return format_expr(Literal(LiteralType.INT, value))


def _spell_duration(value: int) -> str:
    # The smallest one has no spelling: its sign is an operator, and without it it is too large.
    return format_expr(Literal(LiteralType.DURATION, max(value, -_INT_MAX)))


def _as_double(name: str, op: Op, value: int | float) -> list[str]:
    """Returns the comparison for stored doubles as alternatives: none where no double can match.

    Where no double equals the value, the next one on the asked side is the bound; it implies
    what was asked of integers too.
    """
    double = float(value)
    if double != value:
        if op in _EQUAL:
            return []
        upwards = op in (Op.GT, Op.GE)
        if upwards != (double > value):
            double = math.nextafter(double, math.inf if upwards else -math.inf)
        op = Op.GE if upwards else Op.LE
    digits = format(Decimal(repr(double)), "f")
    return [f"{name} {op.value} {digits if '.' in digits else digits + '.0'}"]


def _intrinsic(field: Field, op: Op, literal: Literal) -> str:
    name = format_expr(field)
    if literal.type in _NUMBERS and field.name != "nestedSetParent":
        return _either(
            _as_integer(name, op, _number(literal), _spell_duration), nothing="true" if op is Op.NE else "false"
        )
    if isinstance(literal.value, str) and ":" in name and name.lower().endswith("id"):
        return _id(name, literal.value.lower())
    if field.name == "nestedSetParent":
        # Only what is a root is the same number everywhere.
        roots = (op is Op.EQ and literal.value == -1) or (op is Op.LT and literal.value == 0)
        return "nestedSetParent < 0" if roots else "true"
    return f"{name} {op.value} {format_expr(literal)}"


def _id(name: str, value: str) -> str:
    """Tempo keeps ids of 16 bytes without leading zeros, and finds none of 8 bytes that begins with a zero byte."""
    if not value:
        return "true"  # a root's parent: Tempo finds none
    bare = value.lstrip("0")
    if name == "link:traceID":
        return f"{name} = {_quoted(bare)}"
    padded = value.rjust(16, "0")
    if name == "trace:id" or not padded.startswith("00"):
        return f"{name} = {_quoted(value if name == 'trace:id' else padded)}"
    # The zeros make it more than hex digits: Tempo fails on a pattern of hex digits alone.
    return f"{name} =~ {_quoted('0*' + re.escape(bare))}"


def _quoted(text: str) -> str:
    return format_expr(Literal(LiteralType.STRING, text))
