"""Spans become states: the one place that decides what a metrics function measures of a span.

- A span counts in the bucket in which it starts.
- A label is the field's value, with its type; nil for a span without one, and for what has no text or
  number (arrays, objects). The text `nil` is nil too: backends cannot tell the two apart.
- A measured value is a number or a duration. Texts, booleans, arrays and what is not finite measure nothing.
- Of several events (or links) the first counts that has a value, as in `by()` of a search.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from arcane.model.series import Exemplar, Labels, LabelValue, NumberType, Steps, Typed
from arcane.model.span import Span
from arcane.model.trace import Trace
from arcane.traceql.ast import Field, LiteralType
from arcane.traceql.evaluate import compile_value
from arcane.traceql.fields import Row
from arcane.traceql.intrinsics import type_of
from arcane.traceql.metrics_state import (
    MERGE,
    Measure,
    Number,
    State,
    States,
    exponent_of,
    keep_exemplar,
)
from arcane.traceql.values import Value

NIL = "nil"
_NUMBER_TYPES = MappingProxyType({int: NumberType.INT, float: NumberType.FLOAT, bool: NumberType.BOOL})


class Accumulator:
    """Adds up spans. Its memory grows with series and points, not with spans."""

    def __init__(self, measure: Measure, of: Field | None, by: tuple[Field, ...], steps: Steps) -> None:
        self.state = States(measure)
        self.series_max = 1_000
        self.exemplars = False
        self._steps = steps
        self._value = compile_value(of) if of else None
        self._labels = [_label_getter(one) for one in by]
        self._is_duration = of is not None and type_of(of) is LiteralType.DURATION
        self._alone = _STATE[measure]
        self._merge = MERGE[measure]

    def add(self, trace: Trace, spans: Iterable[Span]) -> None:
        """Counts `spans`, which belong to `trace`; those outside of the steps do not count."""
        row = Row(trace)
        index_of = self._steps.index_of
        for span in spans:
            index = index_of(span.start)
            if index is None:
                continue
            value: Number | None = None
            if self._value is not None:
                value = measured(self._value(span, row))
                if value is None:
                    continue
            labels = tuple([label(span, row) for label in self._labels])
            self._keep(labels, index, value, span)

    def _keep(self, labels: Labels, index: int, value: Number | None, span: Span) -> None:
        series = self.state.series
        points = series.get(labels)
        if points is None:
            if len(series) >= self.series_max:
                self.state.left_out = True
                return
            points = series[labels] = {}
        state = self._alone(value, self._is_duration)
        points[index] = self._merge(points[index], state) if index in points else state
        if self.exemplars:
            shown = None if value is None else value / 1e9 if self._is_duration else float(value)
            exemplar = Exemplar(span.start, shown, span.trace_id, span.span_id)
            keep_exemplar(self.state.exemplars, (labels, index), exemplar)


def measured(value: Value) -> Number | None:
    """Returns what a value measures, None for what is no number."""
    if value.__class__ is int:
        return int(value)
    return float(value) if value.__class__ is float and math.isfinite(value) else None


def label_of(value: Value, is_duration: bool = False) -> LabelValue:
    """Returns a field's value as a label."""
    if value.__class__ is str:
        return None if value == NIL else str(value)
    kind = _NUMBER_TYPES.get(value.__class__)
    if kind is None:
        word: str | None = getattr(value, "word", None)  # status and kind
        return word
    if kind is NumberType.FLOAT and math.isnan(value):
        return None
    return Typed(NumberType.DURATION if is_duration else kind, value)


def _label_getter(field: Field) -> Callable[[Span, Row], LabelValue]:
    get = compile_value(field)
    is_duration = type_of(field) is LiteralType.DURATION
    return lambda span, row: label_of(get(span, row), is_duration)


def _exponents(value: Number | None, is_duration: bool) -> State:
    number = value or 0
    return {exponent_of(max(number, 1) if is_duration else number): 1}


_STATE: Mapping[Measure, Callable[[Number | None, bool], State]] = MappingProxyType(
    {
        Measure.COUNT: lambda value, is_duration: 1,
        Measure.SUM: lambda value, is_duration: value,
        Measure.MIN: lambda value, is_duration: value,
        Measure.MAX: lambda value, is_duration: value,
        Measure.AVG: lambda value, is_duration: (value, 1),
        Measure.HISTOGRAM: _exponents,
    }
)
"""The state of one span alone."""
