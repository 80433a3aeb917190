"""Splits a query between a datasource and Arcane. Pure; the laws are in docs/explanation/federation.md.

- What is pushed is implied by the filter: a datasource is asked for a superset, never for a subset.
- Pushed AND residual is the filter. A condition that the datasource answers with a superset is in both.
- An `||` is pushed whole or not at all; a `!` only where the datasource means the same by it.
- Conditions that have to hold on one event, or on one link, are evaluated together.
- Conditions on the whole trace are pushed only when one datasource is asked alone: of a trace that
  is split, each datasource knows a part, and would judge by that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from arcane.federation.required import beside, required_of, spanwise
from arcane.federation.rewrite import and_of, conjuncts, fields_of, normalised, wider
from arcane.spi.capabilities import Capabilities
from arcane.traceql.ast import Binary, Expr, Field, Literal, LiteralType, Op, SpansetFilter, Unary
from arcane.traceql.ast_pipeline import Pipeline, Query, Select, SpansetExpr, SpansetOperation, Stage
from arcane.traceql.format import format_filter, format_query
from arcane.traceql.hits import listed_fields
from arcane.traceql.intrinsics import Level, level_of


class Reason(StrEnum):
    """Why a condition is evaluated here."""

    UNSUPPORTED = "unsupported"
    SUPERSET = "superset"
    ALTERNATIVE = "alternative"
    NEGATION = "negation"
    SAME_ROW = "same_row"
    WHOLE_TRACE = "whole_trace"
    STRUCTURE = "structure"
    PIPELINE = "pipeline"
    ORDER = "order"


Part: TypeAlias = "Expr | Stage"
"""A condition of a filter, or a stage of a query."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A part of a query that is evaluated here, why, and what the datasource is asked in its place (None: nothing)."""

    condition: Part
    reason: Reason
    sent: Expr | None = None


@dataclass(frozen=True, slots=True)
class SourcePlan:
    """What one datasource is asked, and what is evaluated here. Without a residual its answer is taken as it is."""

    pushed: SpansetFilter
    residual: Query | None = None
    kept: tuple[Kept, ...] = ()
    whole_traces: bool = False
    """The residual is about whole traces: they are put together from all datasources before it is evaluated."""
    pushed_text: str | None = None
    residual_text: str | None = None
    select: tuple[Field, ...] = ()
    """What matched spans show beside what the filter mentions."""

    @property
    def takes_everything(self) -> bool:
        """True when every span that the datasource has is asked for, and taken."""
        return self.pushed.condition is None and self.residual is None


def plan(query: Query, capabilities: Capabilities, *, alone: bool) -> SourcePlan:
    """Returns the split of `query` for a datasource; `alone` when no other one is asked the same."""
    return plans(query, (capabilities,), alone=alone)[0]


def plans(query: Query, asked: Sequence[Capabilities], *, alone: bool) -> tuple[SourcePlan, ...]:
    """Returns the split of `query` for each of the datasources that are asked together.

    What is asked of them in place of a query about several spans is one condition for all: a trace
    may have one of the spans here and another one there, and has to be found by the same one.
    """
    spans = spanwise(query)
    shown = None if spans is None else beside(query, spans)
    if spans is not None and shown is not None and not _are_of_traces(shown):
        return tuple(_of_spans(spans, shown, can, alone) for can in asked)
    through = max(required_of(query), key=lambda one: _worth_for_all(one, asked, alone))
    return tuple(_of_sets(query, through, can, alone) for can in asked)


def _of_spans(spans: SpansetFilter, shown: tuple[Field, ...], capabilities: Capabilities, alone: bool) -> SourcePlan:
    """The query asks each span by itself: what is exact need not be asked again."""
    pushed, kept, left = _split(spans, capabilities, alone)
    residual = None if left is None else Query(SpansetFilter(left))
    return _made(pushed, residual, kept, shown, is_whole=any(one.reason is Reason.WHOLE_TRACE for one in kept))


def _of_sets(query: Query, through: SpansetFilter, capabilities: Capabilities, alone: bool) -> SourcePlan:
    """The query is about several spans of a trace: the datasource finds traces, and all of it is evaluated here."""
    pushed, kept, _ = _split(through, capabilities, alone)
    parts = tuple(_parts(query.body)) or tuple(_ordered(query.body))
    return _made(pushed, query, (*kept, *parts), (), is_whole=not alone)


def _made(
    pushed: SpansetFilter, residual: Query | None, kept: tuple[Kept, ...], select: tuple[Field, ...], *, is_whole: bool
) -> SourcePlan:
    asked = format_filter(pushed) if pushed.condition is not None else None
    return SourcePlan(pushed, residual, kept, is_whole, asked, format_query(residual) if residual else None, select)


def _split(
    spans: SpansetFilter, capabilities: Capabilities, alone: bool
) -> tuple[SpansetFilter, tuple[Kept, ...], Expr | None]:
    """Returns what is pushed, what is kept and why, and the condition that is left to be evaluated here."""
    conditions = [normalised(one) for one in conjuncts(spans.condition)]
    decided = _decide(conditions, capabilities, alone)
    sent = [one for one in (one.sent if isinstance(one, Kept) else one for one in decided) if one is not None]
    kept = [(one, condition) for one, condition in zip(decided, conditions, strict=True) if isinstance(one, Kept)]
    return SpansetFilter(and_of(sent)), tuple(one for one, _ in kept), and_of([condition for _, condition in kept])


def _parts(body: SpansetExpr) -> Iterator[Kept]:
    """Yields the stages that are about several spans."""
    for stage in body.stages if isinstance(body, Pipeline) else (body,):
        if isinstance(stage, SpansetOperation):
            yield Kept(stage, Reason.STRUCTURE)
        elif not isinstance(stage, SpansetFilter | Select):
            yield Kept(stage, Reason.PIPELINE)


def _ordered(body: SpansetExpr) -> Iterator[Kept]:
    """Yields the stages that show what no datasource shows as the query says: see `plans` and `beside`."""
    for stage in body.stages if isinstance(body, Pipeline) else ():
        if isinstance(stage, Select):
            yield Kept(stage, Reason.WHOLE_TRACE if _are_of_traces(stage.fields) else Reason.ORDER)


def _worth_for_all(spans: SpansetFilter, asked: Sequence[Capabilities], alone: bool) -> tuple[int, int]:
    """Returns how much less the datasources have to give when asked for `spans`: the least of them, and the sum."""
    worths = [_worth(_split(spans, can, alone)[0].condition) for can in asked]
    return min(worths), sum(worths)


def _worth(pushed: Expr | None) -> int:
    """Returns how selective a condition looks: nothing is known of the data, so its shape has to do."""
    match pushed:
        case None:
            return 0
        case Binary(Op.AND, left, right):
            return _worth(left) + _worth(right)
        case Binary(Op.OR, left, right):
            return min(_worth(left), _worth(right))
        case Binary(op, _, Literal(kind)):
            if kind is LiteralType.NIL or op in (Op.NE, Op.NOT_MATCH):
                return 1
            return {Op.EQ: 6, Op.MATCH: 4}.get(op, 3)
    return 1


def _decide(conditions: Sequence[Expr], capabilities: Capabilities, alone: bool) -> list[Expr | Kept]:
    """Returns for each condition: itself where the datasource's answer is enough, or what is kept of it."""
    crowded = [row for row in (Level.EVENT, Level.LINK) if sum(_comparisons_of(row, one) for one in conditions) > 1]
    decided: list[Expr | Kept] = []
    for condition in conditions:
        sent = condition if _pushable(condition, capabilities) else None
        if not alone and _mentions(Level.TRACE, condition):
            decided.append(Kept(condition, Reason.WHOLE_TRACE))
        elif any(_mentions(row, condition) for row in crowded):
            # Capabilities speak of one comparison at a time: whether two hold on the same event is ours to see.
            decided.append(Kept(condition, Reason.SAME_ROW, sent))
        elif sent is None:
            decided.append(_unpushable(condition, capabilities))
        else:
            decided.append(condition if capabilities.exact(condition) else Kept(condition, Reason.SUPERSET, sent))
    return decided


def _pushable(condition: Expr, capabilities: Capabilities) -> bool:
    return capabilities.covers(condition) and not _negates_row(condition)


def _negates_row(expr: Expr) -> bool:
    """True where `expr` negates something about events or links.

    For Arcane `!(event.a = 1)` holds on a span with one event that is different; backends that
    negate mean all events, which would leave spans out.
    """
    match expr:
        case Unary(Op.NOT, operand):
            return _mentions(Level.EVENT, operand) or _mentions(Level.LINK, operand)
        case Binary(Op.AND | Op.OR, left, right):
            return _negates_row(left) or _negates_row(right)
    return False


def _unpushable(condition: Expr, capabilities: Capabilities) -> Kept:
    instead = wider(condition)
    if instead is not None and _pushable(instead, capabilities):
        return Kept(condition, Reason.SUPERSET, instead)
    match condition:
        case Binary(Op.OR):
            return Kept(condition, Reason.ALTERNATIVE)
        case Unary(Op.NOT):
            return Kept(condition, Reason.NEGATION)
    return Kept(condition, Reason.UNSUPPORTED)


def _mentions(level: Level, expr: Expr) -> bool:
    return any(level_of(field) is level for field in fields_of(expr))


def _are_of_traces(shown: Sequence[Field]) -> bool:
    """True where a span is shown with something that only its whole trace tells, such as how many children it has."""
    return any(level_of(field) is Level.TRACE for field in listed_fields(shown))


def _comparisons_of(level: Level, expr: Expr) -> int:
    return sum(level_of(field) is level for field in fields_of(expr))
