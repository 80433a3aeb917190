"""How tightly operators bind. The parser groups by this table, and `format` sets parentheses by it.

From loose to tight (all group to the left but `^`); note that `&&` and `||` share one level, so
`a || b && c` is `(a || b) && c`:

2  `&&` `||`                         between conditions, and between span sets
3  `= != < <= > >= =~ !~`            and all structural operators
4  `+ -` and the sign `-`
5  `!`
6  `* / %`
7  `^`                               groups to the right
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from arcane.traceql.ast import ARITHMETIC, COMPARISONS, Op
from arcane.traceql.ast_pipeline import SpansetOp

LOGICAL = frozenset({Op.AND, Op.OR})
LOGICAL_LEVEL, COMPARISON_LEVEL, SIGN_LEVEL, NOT_LEVEL, PRODUCT_LEVEL, POWER_LEVEL, ATOM_LEVEL = range(2, 9)

_INFIX: Mapping[Op, int] = MappingProxyType(
    dict.fromkeys(LOGICAL, LOGICAL_LEVEL)
    | dict.fromkeys(COMPARISONS, COMPARISON_LEVEL)
    | dict.fromkeys(ARITHMETIC, PRODUCT_LEVEL)
    | dict.fromkeys((Op.ADD, Op.SUB), SIGN_LEVEL)
    | {Op.POW: POWER_LEVEL}
)


def infix_level(op: Op | SpansetOp) -> int:
    """Returns how tightly the infix operator binds; more is tighter."""
    if isinstance(op, SpansetOp):
        return LOGICAL_LEVEL if op in (SpansetOp.AND, SpansetOp.OR) else COMPARISON_LEVEL
    return _INFIX[op]


def prefix_level(op: Op) -> int:
    """Returns how tightly the prefix operator binds."""
    return NOT_LEVEL if op is Op.NOT else SIGN_LEVEL


def groups_right(op: Op | SpansetOp) -> bool:
    """True for the operator whose chain `a op b op c` is `a op (b op c)`."""
    return op is Op.POW


RUN = 32
"""Chains of one logical operator up to this many operands stand as written; see `balanced`."""
