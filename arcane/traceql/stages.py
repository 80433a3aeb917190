"""Stages of a pipeline behind the filters: what splits span sets, joins them, and measures them.

A stage takes the span sets that the one before left, and leaves span sets; none of them is ever empty.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TypeAlias

from arcane.model.spanset import SpanSet
from arcane.model.values import AttributeValue
from arcane.traceql.ast import Literal, LiteralType
from arcane.traceql.ast_pipeline import Aggregate, AggregateKind, GroupBy, ScalarFilter
from arcane.traceql.evaluate import CompiledValue, compile_value
from arcane.traceql.fields import Row
from arcane.traceql.format import format_stage
from arcane.traceql.literals import spell_duration
from arcane.traceql.structure import united
from arcane.traceql.values import HOLDS, Number, Value, fit

Sets: TypeAlias = Sequence[SpanSet]
RunStage: TypeAlias = Callable[[Sets, Row], Sets]


def grouping(stage: GroupBy, by: CompiledValue) -> RunStage:
    """Returns the stage that splits each set by the value of `by`, in the order values are first met."""
    label = format_stage(stage)

    def run(sets: Sets, row: Row) -> Sets:
        return [part for one in sets for part in _split(one, by, label, row)]

    return run


def _split(whole: SpanSet, by: CompiledValue, label: str, row: Row) -> Iterable[SpanSet]:
    groups: dict[Hashable, tuple[Value, list[Value]]] = {}
    for span in whole.spans:
        value = by(span, row)
        groups.setdefault(_key(value), (value, []))[1].append(span)
    return [
        SpanSet(tuple(spans), {**whole.attributes, label: _shown(value, by.type)}) for value, spans in groups.values()
    ]


def coalesce(sets: Sets, row: Row) -> Sets:
    """Returns one set of all spans; what was said of the parts is gone."""
    if len(sets) < 2:
        return [SpanSet(one.spans) for one in sets]
    spans = united([span for one in sets for span in one.spans], ())
    return [SpanSet(tuple(spans))]


def keeping(stage: ScalarFilter, of: CompiledValue | None) -> RunStage:
    """Returns the stage that keeps the sets for which the comparison holds, and notes what was compared.

    `of` is what the aggregate measures, None for `count()`. A set in which nothing can be measured is dropped.
    """
    aggregate, literal = stage.left, stage.right
    assert isinstance(aggregate, Aggregate)  # noqa: S101 - `check` lets nothing else pass
    assert isinstance(literal, Literal)  # noqa: S101
    holds, wanted, label = HOLDS[stage.op], literal.value, format_stage(aggregate)
    measure = _MEASURES[aggregate.kind]

    def run(sets: Sets, row: Row) -> Sets:
        kept = []
        for one in sets:
            result = measure(_numbers(one, of, row)) if of else len(one.spans)
            if result is not None and holds(result, wanted):
                shown = _shown(result, of.type if of else None)
                kept.append(SpanSet(one.spans, {**one.attributes, label: shown}))
        return kept

    return run


def measured(stage: ScalarFilter) -> CompiledValue | None:
    """Returns what the aggregate of `stage` measures, None for `count()`."""
    of = stage.left.of if isinstance(stage.left, Aggregate) else None
    return compile_value(of) if of else None


def _numbers(one: SpanSet, of: CompiledValue, row: Row) -> list[Number]:
    values = [of(span, row) for span in one.spans]
    return [value for value in values if value.__class__ is int or (value.__class__ is float and value == value)]


def _sum(numbers: Sequence[Number]) -> Number | None:
    return _known(fit(sum(numbers))) if numbers else None


def _average(numbers: Sequence[Number]) -> Number | None:
    return _known(sum(numbers) / len(numbers)) if numbers else None


def _known(number: Number) -> Number | None:
    return number if number == number else None  # of infinities on both sides there is no sum


_MEASURES: Mapping[AggregateKind, Callable[[Sequence[Number]], Number | None]] = MappingProxyType(
    {
        AggregateKind.COUNT: len,
        AggregateKind.SUM: _sum,
        AggregateKind.AVG: _average,
        AggregateKind.MIN: lambda numbers: min(numbers, default=None),
        AggregateKind.MAX: lambda numbers: max(numbers, default=None),
    }
)


def _shown(value: Value, kind: LiteralType | None) -> AttributeValue:
    if kind is LiteralType.DURATION and value.__class__ in (int, float) and math.isfinite(value):
        return spell_duration(int(value))
    word: AttributeValue = getattr(value, "word", value)
    return word


def _key(value: Value) -> Hashable:
    """Returns what is the same for values that are one group: numbers by value, the rest by type and value."""
    if value.__class__ is list:
        return (list, tuple(_key(one) for one in value))
    if value.__class__ is dict:
        return (dict, frozenset((name, _key(one)) for name, one in value.items()))
    if value.__class__ is int or value.__class__ is float:
        return value if value == value else float
    return (value.__class__, value)
