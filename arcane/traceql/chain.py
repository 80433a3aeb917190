"""Groups a flat run of operands and operators by how tightly the operators bind.

The shunting-yard algorithm: no recursion, so the length of a run and its number of signs are
bounded by nothing but the depth of the tree that results.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Generic, TypeVar

from lark import Token

from arcane.traceql.ast import Binary, Expr, Op
from arcane.traceql.ast_pipeline import SpansetOp
from arcane.traceql.operators import RUN, groups_right, infix_level, prefix_level
from arcane.traceql.piece import Piece

N = TypeVar("N")

AnyOp = Op | SpansetOp

_OPS: Mapping[str, Op] = MappingProxyType({str(op): op for op in Op})


@dataclass(frozen=True, slots=True)
class Join(Generic[N]):
    """How operands become one: `infix` for `left op right`, `prefix` for `op operand`."""

    infix: Callable[[Token, Piece[N], Piece[N]], Piece[N]]
    prefix: Callable[[Token, Piece[N]], Piece[N]]


@dataclass(frozen=True, slots=True)
class _Waiting:
    token: Token
    level: int
    is_prefix: bool


def operator_of(token: Token) -> AnyOp:
    """Returns the operator that the token is; one that means two things is the one inside braces."""
    return _OPS.get(token) or SpansetOp(token)


def group(items: Sequence[Token | Piece[N]], join: Join[N]) -> Piece[N]:
    """Returns the one piece that the run is; the grammar has made sure that operands and operators alternate."""
    operands: list[Piece[N]] = []
    waiting: list[_Waiting] = []
    operand_next = True
    for item in items:
        if isinstance(item, Piece):
            operands.append(item)
            operand_next = False
        elif operand_next:
            level = prefix_level(Op.NOT if item == "!" else Op.NEG)
            waiting.append(_Waiting(item, level, is_prefix=True))
        else:
            operator = operator_of(item)
            level = infix_level(operator)
            least = level + 1 if groups_right(operator) else level
            while waiting and waiting[-1].level >= least:
                _reduce(operands, waiting.pop(), join)
            waiting.append(_Waiting(item, level, is_prefix=False))
            operand_next = True
    while waiting:
        _reduce(operands, waiting.pop(), join)
    return operands.pop()


def _reduce(operands: list[Piece[N]], operator: _Waiting, join: Join[N]) -> None:
    right = operands.pop()
    if operator.is_prefix:
        operands.append(join.prefix(operator.token, right))
    else:
        operands.append(join.infix(operator.token, operands.pop(), right))


def balanced(operands: Sequence[N], join: Callable[[N, N], N]) -> N:
    """Returns the tree for a run of one logical operator.

    Short runs lean left, as they are written. Long ones, such as an alternative for each of a
    thousand ids, become a balanced tree: the meaning is the same, and the depth stays small.
    """
    if len(operands) > RUN:
        middle = len(operands) // 2
        return join(balanced(operands[:middle], join), balanced(operands[middle:], join))
    result = operands[0]
    for operand in operands[1:]:
        result = join(result, operand)
    return result


def run_of(op: Op, expr: Expr) -> list[Expr]:
    """Returns the operands of all nested `op` from left to right; just `expr` where it is something else."""
    found: list[Expr] = []
    left = [expr]
    while left:
        node = left.pop()
        if isinstance(node, Binary) and node.op is op:
            left += (node.right, node.left)
        else:
            found.append(node)
    return found
