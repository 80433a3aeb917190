"""TraceQL as a tree. Pure data: `parse` makes it, `check` judges it, `evaluate` gives it meaning, `format` spells it.

Nodes compare by value without their position, so two spellings of one query are equal.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Position:
    """Where a node stands in the query text; `line` and `column` count from 1, `length` in characters."""

    line: int
    column: int
    length: int = 1


class Scope(StrEnum):
    """Where a field is looked up."""

    NONE = ""  # span, then resource
    SPAN = "span"
    RESOURCE = "resource"
    EVENT = "event"
    LINK = "link"
    INSTRUMENTATION = "instrumentation"
    PARENT = "parent"  # parses, is refused by check
    INTRINSIC = "intrinsic"


class Op(StrEnum):
    """Operators inside braces."""

    EQ = "="
    NE = "!="
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="
    MATCH = "=~"
    NOT_MATCH = "!~"
    AND = "&&"
    OR = "||"
    ADD = "+"
    SUB = "-"
    MUL = "*"
    DIV = "/"
    MOD = "%"
    POW = "^"
    NOT = "!"
    NEG = "neg"  # unary minus


COMPARISONS = frozenset({Op.EQ, Op.NE, Op.LT, Op.LE, Op.GT, Op.GE, Op.MATCH, Op.NOT_MATCH})
ARITHMETIC = frozenset({Op.ADD, Op.SUB, Op.MUL, Op.DIV, Op.MOD, Op.POW})


class LiteralType(StrEnum):
    """Types a literal can have. A duration's value is an int in nanoseconds; status and kind hold their keyword."""

    STRING = "string"
    INT = "int"
    FLOAT = "float"
    BOOL = "bool"
    DURATION = "duration"
    STATUS = "status"
    KIND = "kind"
    NIL = "nil"


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant."""

    type: LiteralType
    value: str | int | float | bool | None
    position: Position | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Field:
    """An attribute (`span.http.method`, `.a`) or an intrinsic (`status`, `trace:rootName`).

    For an intrinsic, `scope` is INTRINSIC and `name` is the canonical name (see
    `traceql.intrinsics`): `span:status` and `status` are the same field.
    """

    scope: Scope
    name: str
    position: Position | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Unary:
    """`!x` or `-x`."""

    op: Op
    operand: Expr
    position: Position | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Binary:
    """`left op right`."""

    op: Op
    left: Expr
    right: Expr
    position: Position | None = field(default=None, compare=False, repr=False)


Expr: TypeAlias = "Literal | Field | Unary | Binary"


@dataclass(frozen=True, slots=True)
class SpansetFilter:
    """`{ condition }`; `{}` has no condition and matches every span."""

    condition: Expr | None = None
    position: Position | None = field(default=None, compare=False, repr=False)
