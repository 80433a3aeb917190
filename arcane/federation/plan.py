"""Splits a filter between a datasource and Arcane. Pure; the laws are in docs/explanation/federation.md.

- What is pushed is implied by the filter: a datasource is asked for a superset, never for a subset.
- Pushed AND residual is the filter. A condition that the datasource answers with a superset is in both.
- An `||` is pushed whole or not at all; a `!` only where the datasource means the same by it.
- Conditions that have to hold on one event, or on one link, are evaluated together.
- Conditions on the whole trace are pushed only when one datasource is asked alone: of a trace that
  is split, each datasource knows a part, and would judge by that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from arcane.federation.rewrite import and_of, conjuncts, fields_of, normalised, wider
from arcane.spi.capabilities import Capabilities
from arcane.traceql.ast import Binary, Expr, Op, SpansetFilter, Unary
from arcane.traceql.format import format_filter
from arcane.traceql.intrinsics import Level, level_of


class Reason(StrEnum):
    """Why a condition is evaluated here."""

    UNSUPPORTED = "unsupported"
    SUPERSET = "superset"
    ALTERNATIVE = "alternative"
    NEGATION = "negation"
    SAME_ROW = "same_row"
    WHOLE_TRACE = "whole_trace"


@dataclass(frozen=True, slots=True)
class Kept:
    """A condition that is evaluated here, why, and what the datasource is asked in its place (None: nothing)."""

    condition: Expr
    reason: Reason
    sent: Expr | None = None


@dataclass(frozen=True, slots=True)
class SourcePlan:
    """What one datasource is asked, and what is evaluated here. Without a residual its answer is taken as it is."""

    pushed: SpansetFilter
    residual: SpansetFilter | None = None
    kept: tuple[Kept, ...] = ()
    whole_traces: bool = False
    """The residual is about whole traces: they are put together from all datasources before it is evaluated."""
    pushed_text: str | None = None
    residual_text: str | None = None


def plan(query: SpansetFilter, capabilities: Capabilities, *, alone: bool) -> SourcePlan:
    """Returns the split of `query` for a datasource; `alone` when no other one is asked the same."""
    decided = _decide([normalised(one) for one in conjuncts(query.condition)], capabilities, alone)
    sent = [one for one in (one.sent if isinstance(one, Kept) else one for one in decided) if one is not None]
    kept = tuple(one for one in decided if isinstance(one, Kept))
    pushed = SpansetFilter(and_of(sent))
    residual = SpansetFilter(and_of([one.condition for one in kept])) if kept else None
    return SourcePlan(
        pushed,
        residual,
        kept,
        whole_traces=any(one.reason is Reason.WHOLE_TRACE for one in kept),
        pushed_text=format_filter(pushed) if sent else None,
        residual_text=format_filter(residual) if residual else None,
    )


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


def _comparisons_of(level: Level, expr: Expr) -> int:
    return sum(level_of(field) is level for field in fields_of(expr))
