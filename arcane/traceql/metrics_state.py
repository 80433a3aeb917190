"""What is kept of spans to answer a metrics function: partial states, which merge.

States of any parts of the spans, merged in any order, are the state of all of them (sums of
doubles up to rounding). So the answers of several datasources, or of several requests to one, are
put together exactly: an average is kept as a sum and a count, a quantile as a histogram.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, TypeAlias
from zlib import crc32

from arcane.model.series import Exemplar, Labels
from arcane.traceql.ast_pipeline import MetricsKind

Number: TypeAlias = "int | float"


class Measure(StrEnum):
    """What is kept for one point of a series, and as what."""

    COUNT = "count"  # how many spans: an int
    SUM = "sum"  # of the values: a number
    MIN = "min"
    MAX = "max"
    AVG = "avg"  # (sum, count) of the values
    HISTOGRAM = "histogram"  # exponent -> how many values lie in (2^(exponent - 1), 2^exponent]


MEASURE_OF: Mapping[MetricsKind, Measure] = MappingProxyType(
    {
        MetricsKind.RATE: Measure.COUNT,
        MetricsKind.COUNT: Measure.COUNT,
        MetricsKind.MIN: Measure.MIN,
        MetricsKind.MAX: Measure.MAX,
        MetricsKind.AVG: Measure.AVG,
        MetricsKind.SUM: Measure.SUM,
        MetricsKind.QUANTILE: Measure.HISTOGRAM,
        MetricsKind.HISTOGRAM: Measure.HISTOGRAM,
    }
)
"""What each metrics function is worked out from. compare() has states of its own, in metrics_compare."""

NOT_POSITIVE = -1_100
"""The exponent under which a histogram counts what is not above zero; no double has one as small."""

State: TypeAlias = Any
"""A number, (sum, count), or {exponent: count}, as the Measure says."""
Points: TypeAlias = dict[int, State]
"""Number of the bucket -> state. A bucket without values is not there."""


@dataclass(slots=True)
class States:
    """The states of all series of one metrics function. Belongs to whoever fills it."""

    measure: Measure
    series: dict[Labels, Points] = field(default_factory=dict)
    exemplars: dict[tuple[Labels, int], Exemplar] = field(default_factory=dict)
    """At most one for each point."""
    left_out: bool = False
    """There were more series than are kept: some are missing."""


def exponent_of(value: Number) -> int:
    """Returns the exponent of the smallest power of two that is not below `value`."""
    if value <= 0:
        return NOT_POSITIVE
    if value.__class__ is int:
        return (int(value) - 1).bit_length()
    mantissa, exponent = math.frexp(value)
    return exponent - 1 if mantissa == 0.5 else exponent


def _add(one: State, other: State) -> State:
    return one + other


def _add_pairs(one: State, other: State) -> State:
    return one[0] + other[0], one[1] + other[1]


def _add_counts(one: State, other: State) -> State:
    both = dict(one)
    for exponent, count in other.items():
        both[exponent] = both.get(exponent, 0) + count
    return both


MERGE: Mapping[Measure, Callable[[State, State], State]] = MappingProxyType(
    {
        Measure.COUNT: _add,
        Measure.SUM: _add,
        Measure.MIN: min,
        Measure.MAX: max,
        Measure.AVG: _add_pairs,
        Measure.HISTOGRAM: _add_counts,
    }
)
"""How two states of one point become one."""


def merge_states(into: States, other: States, series_max: int) -> None:
    """Adds `other` to `into`; series beyond `series_max` are left out, which `into` then says."""
    if into.measure is not other.measure:
        raise ValueError("states of different measures do not merge")
    merge = MERGE[into.measure]
    into.left_out = into.left_out or other.left_out
    for labels, points in other.series.items():
        known = into.series.get(labels)
        if known is None:
            if len(into.series) >= series_max:
                into.left_out = True
                continue
            known = into.series[labels] = {}
        for index, state in points.items():
            known[index] = merge(known[index], state) if index in known else state
    for place, exemplar in other.exemplars.items():
        if place[0] in into.series:
            keep_exemplar(into.exemplars, place, exemplar)


def keep_exemplar(kept: dict[tuple[Labels, int], Exemplar], place: tuple[Labels, int], one: Exemplar) -> None:
    """Keeps `one` where it comes first; which one does has nothing to do with the order in which spans are seen."""
    known = kept.get(place)
    if known is None or rank_of(one) < rank_of(known):
        kept[place] = one


def rank_of(exemplar: Exemplar) -> tuple[int, str, str]:
    """Returns a random order of exemplars that is the same for everybody."""
    span_id = exemplar.span_id or ""
    return (crc32((exemplar.trace_id + span_id).encode()), exemplar.trace_id, span_id)
