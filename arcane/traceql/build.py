"""Lark's callbacks: each makes one node of the parts below it, while the text is being read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from lark import Token, Transformer

from arcane.traceql import build_expr, build_pipeline
from arcane.traceql.ast import Expr, Field, Literal, LiteralType, SpansetFilter
from arcane.traceql.ast_pipeline import (
    Aggregate,
    AggregateKind,
    Coalesce,
    GroupBy,
    Hint,
    Metrics,
    MetricsKind,
    Pipeline,
    Query,
    Select,
    SeriesLimit,
)
from arcane.traceql.build_pipeline import PartPiece
from arcane.traceql.errors import SyntaxProblem
from arcane.traceql.piece import ExprPiece, Piece, Place, deeper, place_of
from arcane.traceql.stage_names import meant

Parts = Sequence[Any]
"""What Lark hands over: tokens, and what the callbacks returned."""


@dataclass(frozen=True, slots=True)
class _Arguments:
    """What a metrics function takes: a field, a filter or nothing, and how many constants behind it."""

    form: str
    of: type | None = None
    least: int = 0
    most: int = 0


_ARGUMENTS: Mapping[MetricsKind, _Arguments] = MappingProxyType(
    {
        MetricsKind.RATE: _Arguments("rate()"),
        MetricsKind.COUNT: _Arguments("count_over_time()"),
        MetricsKind.QUANTILE: _Arguments("quantile_over_time(duration, .5, .99)", Field, 1, 64),
        MetricsKind.COMPARE: _Arguments("compare({ status = error }, 10)", SpansetFilter, 0, 3),
    }
)


class Build(Transformer[Token, Query]):
    """Holds no state: one instance serves every query."""

    def start(self, parts: Parts) -> Query:
        return Query(build_pipeline.whole(parts[0]), tuple(parts[1]) if len(parts) > 1 else ())

    def pipeline(self, parts: Parts) -> PartPiece:
        return build_pipeline.pipeline([part for part in parts if isinstance(part, Piece)])

    def chain(self, parts: Parts) -> PartPiece:
        return build_pipeline.chain(parts)

    def nested(self, parts: Parts) -> PartPiece:
        return build_pipeline.nested(parts[1], _extent(parts))

    def filter(self, parts: Parts) -> Piece[SpansetFilter]:
        place = _extent(parts)
        if len(parts) == 2:
            return Piece(SpansetFilter(None, place.position), place)
        condition: ExprPiece = parts[1]
        return Piece(SpansetFilter(condition.node, place.position), place, deeper(place, condition))

    def expression(self, parts: Parts) -> ExprPiece:
        return build_expr.expression(parts)

    def group(self, parts: Parts) -> ExprPiece:
        inner: ExprPiece = parts[1]
        return replace(inner, place=_extent(parts), grouped=True)

    def literal(self, parts: Parts) -> Piece[Literal]:
        return build_expr.literal(parts[0])

    def field(self, parts: Parts) -> Piece[Any]:
        return build_expr.field(parts[0])

    def word(self, parts: Parts) -> Piece[Literal]:
        token: Token = parts[0]
        constant = build_expr.word_literal(token)
        if constant is None:
            close = meant(token)
            hint = f"did you mean `{close}()`?" if close else f"conditions stand in braces: {{ {token} ... }}"
            raise SyntaxProblem(f"`{token}` cannot stand here", place_of(token).position, hint)
        return constant

    def aggregate(self, parts: Parts) -> Piece[Aggregate]:
        place = _extent(parts)
        kind = AggregateKind(parts[0])
        of: ExprPiece | None = parts[2] if len(parts) == 4 else None
        if (kind is AggregateKind.COUNT) is not (of is None):
            form = "count()" if kind is AggregateKind.COUNT else f"{kind}(duration)"
            raise SyntaxProblem(f"{kind} does not take that", place.position, f"write {form}")
        depth = deeper(place, of) if of else 1
        return Piece(Aggregate(kind, of.node if of else None, place.position), place, depth)

    def metrics(self, parts: Parts) -> Piece[Metrics]:
        place = _extent(parts)
        kind = MetricsKind(parts[0])
        arguments = [part for part in parts if isinstance(part, Piece)]
        by: tuple[Field, ...] = parts[-1].node if isinstance(parts[-1], _Grouping) else ()
        expected = _ARGUMENTS.get(kind, _Arguments(f"{kind}(duration)", Field))
        of = arguments.pop(0) if expected.of and arguments else None
        numbers = tuple(one.node for one in arguments if _is_number(one.node))
        if (
            (expected.of and (of is None or not isinstance(of.node, expected.of)))
            or len(numbers) != len(arguments)
            or not expected.least <= len(numbers) <= expected.most
            or (by and kind is MetricsKind.COMPARE)
        ):
            raise SyntaxProblem(f"{kind} does not take that", place.position, f"write {expected.form}")
        return Piece(Metrics(kind, of.node if of else None, numbers, by, place.position), place)

    def grouping(self, parts: Parts) -> _Grouping:
        return _Grouping(_fields(parts), _extent(parts))

    def by(self, parts: Parts) -> Piece[GroupBy]:
        place = _extent(parts)
        of: ExprPiece = parts[2]
        return Piece(GroupBy(of.node, place.position), place, deeper(place, of))

    def coalesce(self, parts: Parts) -> Piece[Coalesce]:
        place = _extent(parts)
        return Piece(Coalesce(place.position), place)

    def select(self, parts: Parts) -> Piece[Select]:
        place = _extent(parts)
        return Piece(Select(_fields(parts), place.position), place)

    def limit(self, parts: Parts) -> Piece[SeriesLimit]:
        place = _extent(parts)
        count = build_expr.literal(parts[2]).node.value
        return Piece(SeriesLimit(int(count or 0), parts[0] == "topk", place.position), place)

    def hints(self, parts: Parts) -> list[Hint]:
        return [part for part in parts if isinstance(part, Hint)]

    def hint(self, parts: Parts) -> Hint:
        value: Piece[Literal] = parts[-1]
        node = value.node
        place = place_of(parts[0]).to(value.place)
        if len(parts) == 4:
            negated = build_expr.negative(value)
            if negated is None:
                raise SyntaxProblem("a sign stands before a number", place.position)
            node = negated
        return Hint(str(parts[0]), node, place.position)


@dataclass(frozen=True, slots=True)
class _Grouping:
    """The `by(...)` of a metrics function."""

    node: tuple[Field, ...]
    place: Place


def _extent(parts: Parts) -> Place:
    first, last = parts[0], parts[-1]
    start = place_of(first) if isinstance(first, Token) else first.place
    return start.to(place_of(last) if isinstance(last, Token) else last.place)


def _fields(parts: Parts) -> tuple[Field, ...]:
    found: list[Field] = []
    for part in parts:
        if isinstance(part, Piece):
            if not isinstance(part.node, Field):
                raise SyntaxProblem("only fields can stand here", part.place.position, "as in span.a or name")
            found.append(part.node)
    return tuple(found)


def _is_number(node: Expr | SpansetFilter | Pipeline) -> bool:
    return isinstance(node, Literal) and node.type in (LiteralType.INT, LiteralType.FLOAT)
