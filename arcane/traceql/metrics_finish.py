"""States become series: rates, averages, quantiles."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from arcane.model.series import Exemplar, Label, Labels, NumberType, Series, Steps, Typed
from arcane.model.time import NANOS_PER_SECOND
from arcane.traceql.ast import Field, LiteralType
from arcane.traceql.ast_pipeline import Metrics, MetricsKind
from arcane.traceql.format import format_field
from arcane.traceql.intrinsics import type_of
from arcane.traceql.metrics_state import NOT_POSITIVE, Points, State, States, rank_of

NAME = "__name__"
BUCKET = "__bucket"
QUANTILE = "p"

Finished = Callable[[State], float]


def finish(metrics: Metrics, states: States, steps: Steps, exemplars: int = 0) -> list[Series]:
    """Returns the series, sorted by their labels, with at most `exemplars` of their spans.

    Counts are zero in buckets without spans; the other functions have no value there. A count of no
    spans at all is one series of zeros, unless it is grouped.
    """
    shown = _shown(states, exemplars)
    scale = NANOS_PER_SECOND if measures_duration(metrics) else 1
    found: list[Series] = []
    for labels, points in _with_zeros(metrics, states).items():
        named = _named(metrics, labels)
        own = shown.get(labels, ())
        if metrics.kind is MetricsKind.HISTOGRAM:
            found += _buckets(named, points, steps, scale, own)
        elif metrics.kind is MetricsKind.QUANTILE:
            found += _quantiles(metrics, named, points, scale, own)
        else:
            found.append(Series(named, _values(metrics, points, steps, scale), own))
    return sorted(found, key=sort_key)


def measures_duration(metrics: Metrics) -> bool:
    """True when the values measured are durations: kept in nanoseconds, shown in seconds."""
    return isinstance(metrics.of, Field) and type_of(metrics.of) is LiteralType.DURATION


def sort_key(series: Series) -> tuple[tuple[str, int, float, str], ...]:
    """Returns what series are sorted by: their labels, numbers by value, nil last."""
    return tuple((label.name, *_value_key(label)) for label in series.labels)


def _value_key(label: Label) -> tuple[int, float, str]:
    if isinstance(label.value, Typed):
        return (0, float(label.value.value), label.value.type.value)
    return (2, 0.0, "") if label.value is None else (1, 0.0, label.value)


def _with_zeros(metrics: Metrics, states: States) -> Mapping[Labels, Points]:
    if not states.series and not metrics.by and metrics.kind in (MetricsKind.RATE, MetricsKind.COUNT):
        return {(): {}}
    return states.series


def _named(metrics: Metrics, labels: Labels) -> tuple[Label, ...]:
    if metrics.by:
        return tuple(Label(format_field(one), value) for one, value in zip(metrics.by, labels, strict=True))
    if metrics.kind in (MetricsKind.QUANTILE, MetricsKind.HISTOGRAM):
        return ()
    return (Label(NAME, metrics.kind.value),)


def _shown(states: States, most: int) -> dict[Labels, tuple[Exemplar, ...]]:
    """Returns the exemplars of each series, first in rank over all series, by time."""
    chosen = sorted(states.exemplars.items(), key=lambda item: rank_of(item[1]))[:most]
    found: dict[Labels, list[Exemplar]] = {}
    for (labels, _), exemplar in chosen:
        found.setdefault(labels, []).append(exemplar)
    return {labels: tuple(sorted(own, key=lambda one: (one.time, one.trace_id))) for labels, own in found.items()}


def _values(metrics: Metrics, points: Points, steps: Steps, scale: int) -> dict[int, float]:
    if metrics.kind is MetricsKind.RATE:
        seconds = steps.width / NANOS_PER_SECOND
        return {index: points.get(index, 0) / seconds for index in range(steps.count)}
    if metrics.kind is MetricsKind.COUNT:
        return {index: float(points.get(index, 0)) for index in range(steps.count)}
    value = _VALUE[metrics.kind]
    return {index: value(points[index]) / scale for index in sorted(points)}


_VALUE: Mapping[MetricsKind, Finished] = MappingProxyType(
    {
        MetricsKind.MIN: float,
        MetricsKind.MAX: float,
        MetricsKind.SUM: float,
        MetricsKind.AVG: lambda state: state[0] / state[1],
    }
)


def _buckets(
    named: tuple[Label, ...], points: Points, steps: Steps, scale: int, exemplars: tuple[Exemplar, ...]
) -> list[Series]:
    """Returns a series for each bucket that has values at some time; the exemplars hang on those they lie in."""
    exponents = sorted({exponent for counts in points.values() for exponent in counts})
    tops = [top_of(exponent) / scale for exponent in exponents]
    found = []
    for exponent, top in zip(exponents, tops, strict=True):
        label = Label(BUCKET, Typed(NumberType.FLOAT, top))
        values = {index: float(points.get(index, {}).get(exponent, 0)) for index in range(steps.count)}
        below = top / 2 if top > 0 else -math.inf
        own = tuple(one for one in exemplars if one.value is not None and below < one.value <= top)
        found.append(Series((*named, label), values, own))
    return found


def _quantiles(
    metrics: Metrics, named: tuple[Label, ...], points: Points, scale: int, exemplars: tuple[Exemplar, ...]
) -> list[Series]:
    found = []
    for number, literal in enumerate(metrics.numbers):
        share = float(literal.value or 0)
        label = Label(QUANTILE, Typed(NumberType.FLOAT, share))
        values = {index: quantile(share, points[index]) / scale for index in sorted(points)}
        found.append(Series((*named, label), values, () if number else exemplars))
    return found


def top_of(exponent: int) -> float:
    """Returns the upper end of a histogram's bucket."""
    return 0.0 if exponent == NOT_POSITIVE else _power(exponent)


def _power(exponent: float) -> float:
    return math.pow(2.0, exponent) if exponent < sys.float_info.max_exp else sys.float_info.max


def quantile(share: float, counts: Mapping[int, int]) -> float:
    """Returns the value below which `share` of the values lie, as well as powers of two tell.

    Within a bucket values are taken to be spread evenly on a logarithmic scale.
    """
    wanted = math.ceil(share * sum(counts.values()) - 1e-9)
    below = 0
    exponents: Sequence[int] = sorted(counts)
    for exponent in exponents:
        count = counts[exponent]
        if below + count >= wanted:
            if exponent == NOT_POSITIVE:
                return 0.0
            return _power(exponent - 1 + (wanted - below) / count)
        below += count
    return top_of(exponents[-1])
