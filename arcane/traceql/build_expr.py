"""Makes nodes of what stands between braces."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TypeAlias

from lark import Token

from arcane.traceql import intrinsics
from arcane.traceql.ast import COMPARISONS, Binary, Expr, Field, Literal, LiteralType, Op, Position, Scope, Unary
from arcane.traceql.chain import Join, balanced, group
from arcane.traceql.errors import SyntaxProblem
from arcane.traceql.literals import (
    INT_MAX,
    INT_MIN,
    BadEscape,
    parse_duration,
    parse_float,
    parse_int,
    parse_name,
    unquote,
)
from arcane.traceql.operators import LOGICAL
from arcane.traceql.piece import ExprPiece, Piece, Place, deeper, place_of

WORDS: Mapping[str, tuple[LiteralType, str | int | bool | None]] = MappingProxyType(
    {
        "true": (LiteralType.BOOL, True),
        "false": (LiteralType.BOOL, False),
        "nil": (LiteralType.NIL, None),
        "minInt": (LiteralType.INT, INT_MIN),
        "maxInt": (LiteralType.INT, INT_MAX),
        **{word: (LiteralType.STATUS, word) for word in ("error", "ok", "unset")},
        **{
            word: (LiteralType.KIND, word)
            for word in ("unspecified", "internal", "client", "server", "producer", "consumer")
        },
    }
)
"""Bare words that are constants."""

_NUMBERS: Mapping[str, tuple[LiteralType, Callable[[str], int | float | None]]] = MappingProxyType(
    {
        "INT": (LiteralType.INT, parse_int),
        "FLOAT": (LiteralType.FLOAT, parse_float),
        "DURATION": (LiteralType.DURATION, parse_duration),
    }
)
NUMERIC = frozenset({LiteralType.INT, LiteralType.FLOAT, LiteralType.DURATION})
_COMPARISON_TEXTS = frozenset(str(op) for op in COMPARISONS)
_FOREIGN_WORDS = MappingProxyType({"null": "nil", "none": "nil", "undefined": "nil", "warn": "error"})


@dataclass(frozen=True, slots=True)
class _Unknown:
    """A word that means nothing; what to say about it depends on what stands before it."""

    text: str
    is_scope: bool


@dataclass(frozen=True, slots=True)
class _Run:
    """A chain of one logical operator that may go on."""

    op: Op
    operands: list[ExprPiece]


_Growing: TypeAlias = "Expr | _Run"


def literal(token: Token) -> Piece[Literal]:
    """Returns the constant that a string or number token is."""
    place = place_of(token)
    if token.type in _NUMBERS:
        literal_type, read = _NUMBERS[token.type]
        number = read(token)
        if number is None:
            raise SyntaxProblem(f"`{_short(token)}` is out of range", place.position, "numbers have 64 bits")
        return Piece(Literal(literal_type, number, place.position), place)
    try:
        return Piece(Literal(LiteralType.STRING, unquote(token), place.position), place)
    except BadEscape as bad:
        hint = "write a backslash as \\\\, or the whole text in `backquotes`"
        raise SyntaxProblem(str(bad), _inside(token, place, bad), hint) from None


def word_literal(token: Token) -> Piece[Literal] | None:
    """Returns the constant that a bare word is, or None."""
    if token not in WORDS:
        return None
    place = place_of(token)
    literal_type, value = WORDS[token]
    return Piece(Literal(literal_type, value, place.position), place)


def field(token: Token) -> Piece[Expr | _Unknown]:
    """Returns the field or constant that the token names."""
    place = place_of(token)
    if token.type == "ATTRIBUTE":
        return Piece(_attribute(token, place), place)
    if token.type == "DOTTED":
        return Piece(_Unknown(str(token), is_scope=True), place)
    if token.type == "WORD" and (constant := word_literal(token)):
        return constant.holding(constant.node)
    intrinsic = intrinsics.field_of(token, place.position)
    if intrinsic:
        return Piece(intrinsic, place)
    if token.type == "COLON":
        raise SyntaxProblem(f"unknown intrinsic `{_short(token)}`", place.position, _intrinsic_hint(token))
    return Piece(_Unknown(str(token), is_scope=False), place)


def _attribute(token: Token, place: Place) -> Field:
    scope, _, name = token.partition(".")
    try:
        return Field(Scope(scope), parse_name(name), place.position)
    except BadEscape as bad:
        shifted = BadEscape(str(bad), bad.offset + len(scope) + 1, bad.length)
        hint = 'only \\" and \\\\ are escapes in a quoted attribute name'
        raise SyntaxProblem(str(bad), _inside(token, place, shifted), hint) from None


def _inside(token: Token, place: Place, bad: BadEscape) -> Position:
    before = token[: bad.offset]
    lines = before.count("\n")
    column = len(before) - before.rfind("\n") if lines else place.column + len(before)
    return Position(place.line + lines, column, bad.length)


def expression(items: Sequence[Token | Piece[Expr | _Unknown]]) -> ExprPiece:
    """Returns the expression that a run of operands and operators is."""
    known: list[Token | Piece[_Growing]] = []
    for index, item in enumerate(items):
        if isinstance(item, Token):
            known.append(item)
        elif isinstance(item.node, _Unknown):
            before = items[index - 1] if index else None
            raise _unknown(item.node, item.place, is_value=str(before) in _COMPARISON_TEXTS)
        else:
            known.append(item.holding(item.node))
    return _finished(group(known, Join(_infix, _prefix)))


def _infix(token: Token, left: Piece[_Growing], right: Piece[_Growing]) -> Piece[_Growing]:
    op = Op(token)
    done = _finished(right)
    place = left.place.to(right.place)
    if op not in LOGICAL:
        return _binary(op, _finished(left), done)
    if isinstance(left.node, _Run) and left.node.op is op:
        left.node.operands.append(done)
        return Piece(left.node, place)
    return Piece(_Run(op, [_finished(left), done]), place)


def _finished(piece: Piece[_Growing]) -> ExprPiece:
    run = piece.node
    if not isinstance(run, _Run):
        return piece.holding(run)
    return balanced(run.operands, lambda left, right: _binary(run.op, left, right))


def _binary(op: Op, left: ExprPiece, right: ExprPiece) -> ExprPiece:
    place = left.place.to(right.place)
    return Piece(Binary(op, left.node, right.node, place.position), place, deeper(place, left, right))


def _prefix(token: Token, operand: Piece[_Growing]) -> Piece[_Growing]:
    done = _finished(operand)
    place = place_of(token).to(operand.place)
    negated = negative(done) if token.type == "MINUS" else None
    if negated:
        return Piece(replace(negated, position=place.position), place)
    op = Op.NEG if token.type == "MINUS" else Op.NOT
    return Piece(Unary(op, done.node, place.position), place, deeper(place, done))


def negative(operand: Piece[object]) -> Literal | None:
    """Returns the constant that a sign before a plain number makes, or None where the sign is an operation."""
    node = operand.node
    if not isinstance(node, Literal) or operand.grouped or node.type not in NUMERIC:
        return None
    if not isinstance(node.value, int | float) or node.value < 0:
        return None
    return replace(node, value=-node.value)


def _unknown(word: _Unknown, place: Place, is_value: bool) -> SyntaxProblem:
    text = _short(word.text)
    if is_value and word.text not in _FOREIGN_WORDS:
        close = difflib.get_close_matches(word.text, WORDS, n=1, cutoff=0.75)
        or_else = f"; did you mean `{close[0]}`?" if close else ""
        hint = f'text stands in double quotes: "{text}"{or_else}'
        return SyntaxProblem(f"unknown identifier `{text}`", place.position, hint)
    if word.is_scope:
        return SyntaxProblem(f"unknown scope in `{text}`", place.position, _scope_hint(word.text))
    foreign = _FOREIGN_WORDS.get(word.text.lower())
    close = difflib.get_close_matches(word.text, [*intrinsics.BY_SPELLING, *WORDS], n=1, cutoff=0.75)
    suggestion = foreign or (close[0] if close else None)
    hint = f"did you mean `{suggestion}`?" if suggestion else f"attributes begin with a dot or a scope: `.{text}`"
    return SyntaxProblem(f"unknown identifier `{text}`", place.position, hint)


def _scope_hint(text: str) -> str:
    scope, _, rest = text.partition(".")
    if f"{scope}:{rest}" in intrinsics.BY_SPELLING:
        return f"did you mean `{scope}:{rest}`?"
    scopes = [str(one) for one in Scope if one not in (Scope.NONE, Scope.PARENT, Scope.INTRINSIC)]
    close = difflib.get_close_matches(scope, scopes, n=1, cutoff=0.7)
    if close:
        return f"did you mean `{close[0]}.{_short(rest)}`?"
    return f"scopes are {', '.join(scopes)}; without one: `.{_short(text)}`"


def _intrinsic_hint(token: str) -> str:
    close = difflib.get_close_matches(token, intrinsics.BY_SPELLING, n=1, cutoff=0.75)
    if close:
        return f"did you mean `{close[0]}`?"
    scope = token.partition(":")[0]
    known = [spelling for spelling in intrinsics.BY_SPELLING if spelling.startswith(f"{scope}:")]
    if known:
        return f"there are {', '.join(known)}; an attribute has a dot: `{_short(token.replace(':', '.'))}`"
    return "intrinsics with a colon begin with span, trace, event, link or instrumentation"


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."
