"""A finished part of a query while it is being read: its node, and where in the text it stands."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Generic, TypeAlias, TypeVar

from lark import Token

from arcane.traceql.ast import Expr, Position
from arcane.traceql.errors import SyntaxProblem

N_co = TypeVar("N_co", covariant=True)
M = TypeVar("M")

MAX_DEPTH = 100
"""Deepest nesting a query may have. What walks a query may use Python's stack, because of this."""


@dataclass(frozen=True, slots=True)
class Place:
    """A stretch of the text: where it begins, in lines and in characters, and where it ends."""

    line: int
    column: int
    start: int
    end: int

    @property
    def position(self) -> Position:
        """The stretch as errors and nodes give it."""
        return Position(self.line, self.column, max(1, self.end - self.start))

    def to(self, last: Place) -> Place:
        """Returns the stretch from the beginning of this one to the end of `last`."""
        return replace(self, end=last.end)


@dataclass(frozen=True, slots=True)
class Piece(Generic[N_co]):
    """A node with its place. `grouped` says it stands in parentheses, `depth` how deep its tree is."""

    node: N_co
    place: Place
    depth: int = 1
    grouped: bool = False

    def holding(self, node: M) -> Piece[M]:
        """Returns a piece with another node in the same place."""
        return Piece(node, self.place, self.depth, self.grouped)


ExprPiece: TypeAlias = "Piece[Expr]"


def place_of(token: Token) -> Place:
    """Returns where the token stands."""
    start = token.start_pos or 0
    return Place(token.line or 1, token.column or 1, start, start + len(token))


def deeper(place: Place, *parts: Piece[object]) -> int:
    """Returns the depth of a node above `parts`; raises SyntaxProblem when that is too deep."""
    depth = 1 + max(part.depth for part in parts)
    if depth > MAX_DEPTH:
        raise SyntaxProblem(
            f"the query is nested more than {MAX_DEPTH} levels deep",
            place.position,
            'write many values of one attribute as a regular expression: .a =~ "x|y|z"',
        )
    return depth
