"""What stands behind a metrics function: comparisons, topk, bottomk, and arithmetic between series."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TypeAlias

import msgspec

from arcane.model.series import Exemplar, Label, Series, Steps
from arcane.model.time import NANOS_PER_SECOND
from arcane.traceql.ast import Literal, LiteralType, Op
from arcane.traceql.ast_pipeline import SeriesFilter, SeriesLimit
from arcane.traceql.metrics_finish import NAME, sort_key
from arcane.traceql.values import HOLDS

Operand: TypeAlias = "list[Series] | float"


def number_of(literal: Literal) -> float:
    """Returns the number that a literal is beside series: durations are seconds there."""
    value = literal.value
    if not isinstance(value, int | float):
        raise TypeError("no number")
    return value / NANOS_PER_SECOND if literal.type is LiteralType.DURATION else float(value)


def filtered(found: Sequence[Series], stage: SeriesFilter, steps: Steps) -> list[Series]:
    """Returns the points for which the comparison holds, and the series that have any."""
    holds, wanted = HOLDS[stage.op], number_of(stage.value)
    return _keeping(found, steps, [{at for at, value in one.points.items() if holds(value, wanted)} for one in found])


def limited(found: Sequence[Series], stage: SeriesLimit, steps: Steps) -> list[Series]:
    """Returns the largest (or smallest) points of each bucket; of equal ones those whose labels come first."""
    ordered = sorted(found, key=sort_key)
    kept: list[set[int]] = [set() for _ in ordered]
    sign = -1 if stage.largest else 1
    for index in range(steps.count):
        there = [(sign * one.points[index], number) for number, one in enumerate(ordered) if index in one.points]
        for _, number in sorted(there)[: stage.count]:
            kept[number].add(index)
    return _keeping(ordered, steps, kept)


def with_points(found: Sequence[Series], steps: Steps) -> list[Series]:
    """Returns the series without the exemplars of points that are not there any more."""
    return _keeping(found, steps, [set(one.points) for one in found])


def _keeping(found: Sequence[Series], steps: Steps, kept: Sequence[set[int]]) -> list[Series]:
    return [
        msgspec.structs.replace(
            one,
            points={index: value for index, value in one.points.items() if index in indexes},
            exemplars=tuple(exemplar for exemplar in one.exemplars if steps.index_of(exemplar.time) in indexes),
        )
        for one, indexes in zip(found, kept, strict=True)
        if indexes
    ]


_COMPUTE: Mapping[Op, Callable[[float, float], float]] = MappingProxyType(
    {
        Op.ADD: lambda left, right: left + right,
        Op.SUB: lambda left, right: left - right,
        Op.MUL: lambda left, right: left * right,
        Op.DIV: lambda left, right: left / right if right else math.nan,
    }
)
SERIES_OPS = frozenset(_COMPUTE)
"""The arithmetic that may stand between series."""


def combined(op: Op, left: Operand, right: Operand, names: tuple[str, str]) -> Operand:
    """Returns `left op right`: numbers with numbers, series with every number, series with series of equal labels.

    A side that is one series without labels goes with every series of the other. A point is there
    where both sides have one and the result is a number: nothing is divided by zero.
    """
    compute = _COMPUTE[op]
    if not isinstance(left, list) and not isinstance(right, list):
        return compute(left, right)
    name = f"({names[0]} {op.value} {names[1]})"
    if not isinstance(right, list):
        return _renamed([_mapped(one, lambda value: compute(value, right)) for one in _listed(left)], name)
    if not isinstance(left, list):
        return _renamed([_mapped(one, lambda value: compute(left, value)) for one in right], name)
    return _renamed([_joined(compute, one, other) for one, other in _pairs(left, right)], name)


def _listed(operand: Operand) -> list[Series]:
    return operand if isinstance(operand, list) else []


def _pairs(left: list[Series], right: list[Series]) -> Iterable[tuple[Series, Series]]:
    by_labels = {_key(one): one for one in right}
    for one in left:
        other = by_labels.get(_key(one))
        if other is not None:
            yield one, other
        elif list(by_labels) == [()]:
            yield one, right[0]
        elif len(left) == 1 and not _key(one):
            yield from ((one, broad) for broad in right)


def _key(series: Series) -> tuple[Label, ...]:
    return tuple(label for label in series.labels if label.name != NAME)


def _joined(compute: Callable[[float, float], float], one: Series, other: Series) -> Series:
    points = {
        index: compute(value, other.points[index]) for index, value in one.points.items() if index in other.points
    }
    shown = one if _key(one) or not _key(other) else other  # spans of the side that the labels are of
    return Series(_key(shown), _finite(points), _unmeasured(shown.exemplars))


def _mapped(series: Series, change: Callable[[float], float]) -> Series:
    points = _finite({index: change(value) for index, value in series.points.items()})
    return Series(_key(series), points, _unmeasured(series.exemplars))


def _unmeasured(exemplars: Iterable[Exemplar]) -> tuple[Exemplar, ...]:
    """Returns those without a value: one that was measured is none of what was computed."""
    return tuple(one for one in exemplars if one.value is None)


def _finite(points: dict[int, float]) -> dict[int, float]:
    return {index: value for index, value in points.items() if math.isfinite(value)}


def _renamed(found: Iterable[Series], name: str) -> list[Series]:
    return [
        one if one.labels else Series((Label(NAME, name),), one.points, one.exemplars) for one in found if one.points
    ]
