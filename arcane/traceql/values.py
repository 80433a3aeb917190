"""What operators do with values: comparing, computing, negating. Nothing here knows spans.

None is nil: a missing attribute. Comparing with nil is false whatever the operator, computing
with it gives nil. Values of types that do not go together compare false, `!=` included.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

from arcane.traceql.ast import Op
from arcane.traceql.literals import INT_MAX, INT_MIN

Value: TypeAlias = Any
"""An attribute's value; the closures that are made of a query do not narrow it further."""
Number: TypeAlias = "int | float"


class EvaluationError(Exception):
    """An expression has no value for a span: it divides by zero, or negates what is no condition."""


HOLDS: Mapping[Op, Callable[[Value, Value], bool]] = MappingProxyType(
    {
        Op.EQ: operator.eq,
        Op.NE: operator.ne,
        Op.LT: operator.lt,
        Op.LE: operator.le,
        Op.GT: operator.gt,
        Op.GE: operator.ge,
    }
)
MIRRORED: Mapping[Op, Op] = MappingProxyType(
    {Op.LT: Op.GT, Op.LE: Op.GE, Op.GT: Op.LT, Op.GE: Op.LE, Op.EQ: Op.EQ, Op.NE: Op.NE}
)


def compare(op: Op, left: Value, right: Value) -> bool:
    """True when the comparison holds; of an array any element is enough, for `!=` all have to differ."""
    if left.__class__ is list:
        return right.__class__ is not list and any_or_all(op, left, lambda one: _alike(one, right), right)
    if right.__class__ is list:
        return any_or_all(MIRRORED[op], right, lambda one: _alike(one, left), left)
    return _alike(left, right) and HOLDS[op](left, right)


def any_or_all(op: Op, array: list[Value], alike: Callable[[Value], bool], other: Value) -> bool:
    """True when `op` holds between `array` and `other`, judged by the elements of other's type.

    `!=` is true of an empty array: no element is equal.
    """
    if other is None:
        return False
    elements = [one for one in array if alike(one)]
    if op is Op.NE:
        return (not array or bool(elements)) and all(one != other for one in elements)
    holds = HOLDS[op]
    return any(holds(one, other) for one in elements)


def _alike(left: Value, right: Value) -> bool:
    one, other = left.__class__, right.__class__
    if one is int or one is float:
        return other is int or other is float
    return one is other and (one is str or one is bool)


def compute(op: Op, left: Value, right: Value, is_duration: bool) -> Value:
    """Returns what the arithmetic gives, nil where a side is no number; raises EvaluationError.

    Integers stay integers: division cuts towards zero, as `%` does. What does not fit into 64
    bits goes on as a float. With a duration on either side `/` and `%` are those of floats.
    """
    if left.__class__ is list or right.__class__ is list:
        raise EvaluationError("arithmetic on an array")
    if not _is_number(left) or not _is_number(right):
        return None
    whole = left.__class__ is int and right.__class__ is int
    return _COMPUTE[op](left, right, whole and not is_duration)


def negate(value: Value) -> Value:
    """Returns `-value`, nil of nil; raises EvaluationError for what is no number."""
    if value is None:
        return None
    if not _is_number(value):
        raise EvaluationError("the sign of what is no number")
    return fit(-value)


def invert(value: Value) -> bool | None:
    """Returns `!value`, nil of nil; raises EvaluationError for what is no condition."""
    if value is None:
        return None
    if value.__class__ is not bool:
        raise EvaluationError("the opposite of what is no condition")
    return not value


def _is_number(value: Value) -> bool:
    return value.__class__ is int or value.__class__ is float


def fit(value: Number) -> Number:
    """Returns `value`, as a float where it is an int of more than 64 bits."""
    return float(value) if value.__class__ is int and not INT_MIN <= value <= INT_MAX else value


def _divide(left: Number, right: Number, whole: bool) -> Number:
    if whole:
        if right == 0:
            raise EvaluationError("division by zero")
        quotient = abs(left) // abs(right)
        return fit(quotient if (left < 0) == (right < 0) else -quotient)
    if right == 0:
        if left == 0 or left != left:
            return math.nan
        return math.copysign(math.inf, left) * math.copysign(1.0, right)
    return left / right


def _modulo(left: Number, right: Number, whole: bool) -> Number:
    if whole:
        if right == 0:
            raise EvaluationError("modulo by zero")
        rest = abs(left) % abs(right)
        return -rest if left < 0 else rest
    try:
        return math.fmod(left, right)
    except ValueError:  # x % 0, inf % x
        return math.nan


def _power(base: Number, exponent: Number, whole: bool) -> Number:
    if whole and exponent >= 0 and (abs(base) <= 1 or exponent <= 64):
        return fit(base**exponent)
    try:
        return math.pow(base, exponent)
    except OverflowError:
        odd = math.fmod(exponent, 2) in (1, -1)
        return -math.inf if base < 0 and odd else math.inf
    except ValueError:  # zero to a negative power, a negative number to a fraction
        return math.inf if base == 0 else math.nan


_COMPUTE: Mapping[Op, Callable[[Value, Value, bool], Number]] = MappingProxyType(
    {
        Op.ADD: lambda left, right, _: fit(left + right),
        Op.SUB: lambda left, right, _: fit(left - right),
        Op.MUL: lambda left, right, _: fit(left * right),
        Op.DIV: _divide,
        Op.MOD: _modulo,
        Op.POW: _power,
    }
)
