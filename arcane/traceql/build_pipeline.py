"""Makes nodes of what stands outside braces, and refuses what the grammar lets through too freely."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import Enum
from types import MappingProxyType
from typing import TypeAlias

from lark import Token

from arcane.traceql.ast import ARITHMETIC, COMPARISONS, Literal, LiteralType, Op, SpansetFilter
from arcane.traceql.ast_pipeline import (
    Aggregate,
    Coalesce,
    GroupBy,
    Metrics,
    MetricsOperation,
    Pipeline,
    ScalarFilter,
    ScalarOperation,
    Select,
    SeriesFilter,
    SeriesLimit,
    SpansetOp,
    SpansetOperation,
    Stage,
)
from arcane.traceql.build_expr import negative
from arcane.traceql.chain import Join, group
from arcane.traceql.errors import SyntaxProblem
from arcane.traceql.piece import Piece, Place, deeper, place_of

MAX_STAGES = 100
"""Most stages of a pipeline. Each looks at every span of a trace, and nobody else gets to run meanwhile."""

Part: TypeAlias = "Stage | Literal | Pipeline"
PartPiece: TypeAlias = "Piece[Part]"


class Gives(Enum):
    """What a part of a pipeline leaves for the next one."""

    SPANS = "spans"
    SCALAR = "a number"
    CONDITION = "a condition on a number"
    SERIES = "time series"


_GIVES: Mapping[type, Gives] = MappingProxyType(
    dict.fromkeys((SpansetFilter, SpansetOperation, GroupBy, Coalesce, Select), Gives.SPANS)
    | dict.fromkeys((Aggregate, ScalarOperation, Literal), Gives.SCALAR)
    | dict.fromkeys((Metrics, SeriesFilter, SeriesLimit, MetricsOperation), Gives.SERIES)
    | {ScalarFilter: Gives.CONDITION}
)
_SPANSET_OPS: Mapping[str, SpansetOp] = MappingProxyType({str(op): op for op in SpansetOp})


def gives(part: Part) -> Gives:
    """Returns what `part` leaves behind; a pipeline what its last stage does, and spans after a condition."""
    if isinstance(part, Pipeline):
        last = gives(part.stages[-1])
        return Gives.SPANS if last is Gives.CONDITION else last
    return _GIVES[type(part)]


def chain(items: Sequence[Token | PartPiece]) -> PartPiece:
    """Returns what a run of parts and operators is."""
    return group(items, Join(_infix, _prefix))


def _prefix(token: Token, operand: PartPiece) -> PartPiece:
    place = place_of(token).to(operand.place)
    negated = negative(operand)
    if negated is None:
        raise SyntaxProblem("a sign stands before a number here", place.position)
    return Piece(negated, place)


def nested(inner: PartPiece, place: Place) -> PartPiece:
    """Returns what stands in parentheses; a stage that can begin a pipeline is one there."""
    node = inner.node
    if isinstance(node, GroupBy | ScalarFilter):
        node = Pipeline((node,), node.position)
    return replace(inner, node=node, place=place, grouped=True)


def _infix(token: Token, left: PartPiece, right: PartPiece) -> PartPiece:
    place = left.place.to(right.place)
    depth = deeper(place, left, right)
    given = (gives(left.node), gives(right.node))
    if given == (Gives.SPANS, Gives.SPANS):
        node: Part = _spans(token, left, right)
    elif Gives.SERIES in given:
        node = _series(token, left, right, place)
    elif given == (Gives.SCALAR, Gives.SCALAR) and token in _OPS:
        _refuse_nil(left, right)
        op = _OPS[token]
        make = ScalarFilter if op in COMPARISONS else ScalarOperation
        node = make(op, left.node, right.node, place.position)  # type: ignore[arg-type]
    else:
        raise _no_meaning(token, given)
    return Piece(node, place, depth, left.grouped and right.grouped)


def _refuse_nil(*operands: PartPiece) -> None:
    for operand in operands:
        if isinstance(operand.node, Literal) and operand.node.type is LiteralType.NIL:
            hint = "a span set without a value is left out anyway"
            raise SyntaxProblem("an aggregate is never nil", operand.place.position, hint)


_OPS: Mapping[str, Op] = MappingProxyType({str(op): op for op in COMPARISONS | ARITHMETIC})


def _no_meaning(token: Token, given: tuple[Gives, Gives]) -> SyntaxProblem:
    left, right = given
    hint = None
    if Gives.CONDITION in given:
        hint = "put one condition behind the other with `|`: { } | count() > 1 | avg(duration) > 1s"
    elif Gives.SPANS in given:
        hint = "put `|` between the span sets and what is computed from them"
    message = f"`{token}` cannot stand between {left.value} and {right.value}"
    return SyntaxProblem(message, place_of(token).position, hint)


def _spans(token: Token, left: PartPiece, right: PartPiece) -> SpansetOperation:
    op = _SPANSET_OPS.get(token)
    if op is None:
        hint = "between span sets stand && || > >> < << ~, negated as in !>, or as union as in &>"
        raise SyntaxProblem(f"`{token}` cannot stand between span sets", place_of(token).position, hint)
    for one, other in ((left, right), (right, left)):
        _refuse_headless(one)
        if isinstance(one.node, Pipeline) and not other.grouped:
            hint = f"write ({{ ... }} | ...) {op} ({{ ... }})"
            message = "a pipeline can only be combined with something in parentheses"
            raise SyntaxProblem(message, other.place.position, hint)
    return SpansetOperation(op, left.node, right.node, place_of(token).position)  # type: ignore[arg-type]


def _series(token: Token, left: PartPiece, right: PartPiece, place: Place) -> Pipeline | MetricsOperation:
    op = _OPS.get(token)
    if op in COMPARISONS and gives(left.node) is Gives.SERIES and isinstance(right.node, Literal):
        stages = left.node.stages if isinstance(left.node, Pipeline) else (left.node,)
        limit = SeriesFilter(op, right.node, place_of(token).to(right.place).position)
        return Pipeline((*stages, limit), place.position)
    operands = (left, right)
    whole = all(isinstance(one.node, Literal | MetricsOperation) or one.grouped for one in operands)
    if op not in ARITHMETIC or not all(gives(one.node) in (Gives.SERIES, Gives.SCALAR) for one in operands):
        hint = "behind a metrics function stands a comparison with a number: rate() > 5"
        raise SyntaxProblem(f"`{token}` cannot stand beside time series here", place_of(token).position, hint)
    if not whole:
        hint = "put each metrics query in parentheses: ({ } | rate()) / ({ } | count_over_time())"
        raise SyntaxProblem("arithmetic needs whole metrics queries", place.position, hint)
    for operand in operands:
        _refuse_headless(operand)
    return MetricsOperation(op, left.node, right.node, place.position)  # type: ignore[arg-type]


def _refuse_headless(piece: PartPiece) -> None:
    if isinstance(piece.node, Coalesce | Select | SeriesLimit | Metrics):
        raise SyntaxProblem("a pipeline begins with a filter", piece.place.position, "write { } | ... for all spans")


def pipeline(parts: Sequence[PartPiece]) -> PartPiece:
    """Returns the pipeline of `parts`, or the one part itself where it needs no pipeline around it."""
    place = parts[0].place.to(parts[-1].place)
    stages: list[Stage] = []
    for part in parts:
        inner = part.node.stages if isinstance(part.node, Pipeline) else (part.node,)
        if len(parts) > 1:
            _check_order(stages, part)
        stages.extend(inner)  # type: ignore[arg-type]
        if len(stages) > MAX_STAGES:
            hint = "join conditions in one filter, and select fields together"
            raise SyntaxProblem(f"a pipeline has {MAX_STAGES} stages at most", part.place.position, hint)
    if len(parts) == 1:
        return parts[0]
    return Piece(Pipeline(tuple(stages), place.position), place, deeper(place, *parts))


def _check_order(before: Sequence[Stage], part: PartPiece) -> None:
    first = part.node.stages[0] if isinstance(part.node, Pipeline) else part.node
    position = part.place.position
    if isinstance(first, Literal):
        raise SyntaxProblem("a number alone is no stage of a pipeline", position, "compare it: count() > 2")
    if not before:
        _refuse_headless(part)
        return
    last = gives(before[-1])
    if last is Gives.SCALAR:
        raise SyntaxProblem("a number has to be compared before the next stage", position, "as in count() > 2")
    if last is Gives.SERIES and not isinstance(first, SeriesLimit):
        message = "behind a metrics function stand only topk, bottomk and comparisons"
        raise SyntaxProblem(message, position)
    if last is not Gives.SERIES and isinstance(first, SeriesLimit):
        raise SyntaxProblem("topk and bottomk stand behind a metrics function", position, "{ } | rate() | topk(5)")


def whole(piece: PartPiece) -> SpansetFilter | SpansetOperation | Pipeline:
    """Returns the body of a query that is nothing but `piece`."""
    node = piece.node
    last = gives(node)
    if last is Gives.SCALAR:
        hint = "as in { } | count() > 2"
        raise SyntaxProblem("the query ends in a number that is not compared", piece.place.position, hint)
    if isinstance(node, SpansetFilter | SpansetOperation | Pipeline):
        if isinstance(node, Pipeline) and len(node.stages) > 1 and isinstance(node.stages[0], Metrics):
            raise SyntaxProblem("a pipeline begins with a filter", piece.place.position, "write { } | ...")
        return node
    _refuse_headless(piece)
    return Pipeline((node,), piece.place.position)  # type: ignore[arg-type]
