"""Metrics of Tempo 3: a measure as the queries to ask, and their answers as states. Pure.

Tempo answers with finished numbers, and states are wanted, so an average is asked for as a sum and
a count. A histogram leaves out what is shorter than two nanoseconds: those spans are counted beside it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import msgspec

from arcane.spi import (
    NANOS_PER_MILLISECOND,
    NANOS_PER_SECOND,
    BadResponse,
    Binary,
    Exemplar,
    Expr,
    Field,
    Fields,
    Labels,
    LabelValue,
    Literal,
    LiteralType,
    Measure,
    MetricsRequest,
    MetricsRule,
    Notice,
    Op,
    Scope,
    States,
    Steps,
    format_expr,
    label_of,
    merge_states,
    parse_trace_id,
)
from arcane.spi.otlp import attribute_value
from datasources.tempo import wire
from datasources.tempo.compile import compile_condition

_ATTRIBUTES: Final = Fields(frozenset({Scope.SPAN, Scope.RESOURCE}))
_DURATION: Final = Field(Scope.INTRINSIC, "duration")
_BY: Final = (_ATTRIBUTES, Fields(frozenset({Scope.INTRINSIC}), frozenset({"name", "kind", "status"})))
_OF_DURATION: Final = (Fields(frozenset({Scope.INTRINSIC}), frozenset({"duration"})),)
RULES: Final[tuple[MetricsRule, ...]] = (
    MetricsRule(frozenset({Measure.COUNT}), by=_BY),
    MetricsRule(frozenset(Measure), _OF_DURATION, _BY),
    # Not their histograms: Tempo makes none of doubles, and none of what is below two.
    MetricsRule(frozenset({Measure.SUM, Measure.MIN, Measure.MAX, Measure.AVG}), (_ATTRIBUTES,), _BY),
)
_PLAIN: Final = re.compile(r"[\w.\-]+")
"""Names that come back as they were asked for."""
_FUNCTIONS: Final = {Measure.SUM: "sum_over_time", Measure.MIN: "min_over_time", Measure.MAX: "max_over_time"}
_BUCKET: Final = "__bucket"
_TRACE_ID: Final = "trace:id"
_answer = msgspec.json.Decoder(wire.MetricsSeries, strict=False)


@dataclass(frozen=True, slots=True)
class Part:
    """One query, and what its numbers are: the states of `measure`, or the lowest bucket of a histogram."""

    query: str
    measure: Measure
    lowest: bool = False


def parts_of(request: MetricsRequest) -> tuple[Part, ...]:
    """Returns what to ask for the states of `request`; nothing where a name might come back spelled otherwise."""
    fields = (*request.by, *((request.of,) if request.of else ()))
    if not all(_PLAIN.fullmatch(field.name) for field in fields):
        return ()
    condition, of, by = request.filter.condition, request.of, request.by
    if of is None:
        return (_count(condition, by),) if request.measure is Measure.COUNT else ()
    match request.measure:
        case Measure.COUNT:
            return (_count(_and(condition, _has_number(of)), by),)
        case Measure.AVG:
            return _measured(Measure.SUM, condition, of, by), _count(_and(condition, _has_number(of)), by)
        case Measure.HISTOGRAM:
            short = Binary(Op.LT, _DURATION, Literal(LiteralType.DURATION, 2))
            text = f"{_spans(condition)} | histogram_over_time({format_expr(of)}){_by(by)}"
            return Part(text, Measure.HISTOGRAM), replace(_count(_and(condition, short), by), lowest=True)
    return (_measured(request.measure, condition, of, by),)


def _measured(measure: Measure, condition: Expr | None, of: Field, by: Sequence[Field]) -> Part:
    return Part(f"{_spans(condition)} | {_FUNCTIONS[measure]}({format_expr(of)}){_by(by)}", measure)


def _count(condition: Expr | None, by: Sequence[Field]) -> Part:
    return Part(f"{_spans(condition)} | count_over_time(){_by(by)}", Measure.COUNT)


def _spans(condition: Expr | None) -> str:
    text = compile_condition(condition)
    return f"{{ {text} }}" if text else "{}"


def _by(fields: Sequence[Field]) -> str:
    return f" by ({', '.join(format_expr(field) for field in fields)})" if fields else ""


def _and(condition: Expr | None, more: Expr | None) -> Expr | None:
    if condition is None or more is None:
        return condition or more
    return Binary(Op.AND, condition, more)


def _has_number(of: Field) -> Expr | None:
    """Returns the condition that there is a number to be measured; a duration always is one."""
    if of == _DURATION:
        return None
    return Binary(Op.GE, of, Literal(LiteralType.FLOAT, -1.7976931348623157e308))


def windows_of(steps: Steps, longest: int) -> Iterator[tuple[int, Steps]]:
    """Yields the buckets in runs that last at most `longest`, each with the number of its first."""
    most = max(1, longest // steps.width - 1)
    for start in range(0, steps.count, most):
        yield start, Steps(steps.end_of(start), steps.width, min(most, steps.count - start))


def is_aligned(steps: Steps) -> bool:
    """True where Tempo would cut time into the same buckets by itself."""
    return steps.first % steps.width == 0 and steps.width % NANOS_PER_MILLISECOND == 0


def decode_states(body: bytes, part: Part, request: MetricsRequest, steps: Steps) -> tuple[States, list[str]]:
    """Returns the states that an answer gives, and what it says is missing; raises BadResponse."""
    try:
        answer = _answer.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
        raise BadResponse("The answer is not what Tempo's metrics API gives.") from exc
    states = States(Measure.HISTOGRAM if part.lowest else part.measure)
    is_duration = request.of == _DURATION
    last = -1
    for series in answer.series:
        labels, bucket = _labels(series.labels, request.by)
        exponent = 0 if part.lowest else None if bucket is None else round(math.log2(bucket * NANOS_PER_SECOND))
        for index, value in _values(series, steps):
            last = max(last, index)
            state = _state(value, part, exponent, is_duration)
            if state is not None:
                _keep(states, labels, index, state)
        if request.exemplars and not part.lowest:
            _exemplars(states, series, labels, steps)
    return states, _missing(answer, part, last, steps)


def _values(series: wire.OneSeries, steps: Steps) -> Iterator[tuple[int, float]]:
    if not series.samples:  # an instant has its value beside the labels
        yield 0, series.value
        return
    for sample in series.samples:
        index = steps.index_of(sample.timestamp_ms * NANOS_PER_MILLISECOND)
        if index is not None:
            yield index, sample.value


def _state(value: float, part: Part, exponent: int | None, is_duration: bool) -> object:
    if part.measure is Measure.COUNT or exponent is not None:
        count = round(value)
        return None if not count else count if exponent is None else {exponent: count}
    if not math.isfinite(value):
        return None
    return round(value * NANOS_PER_SECOND) if is_duration else value


def _keep(states: States, labels: Labels, index: int, state: object) -> None:
    one = States(states.measure, {labels: {index: state}})
    merge_states(states, one, len(states.series) + 1)


def _labels(pairs: Sequence[wire.Label], by: Sequence[Field]) -> tuple[Labels, float | None]:
    """Returns the labels in the order of `by`, and the upper end of the bucket that the series is."""
    found: dict[str, LabelValue] = {}
    bucket = None
    for pair in pairs:
        value = attribute_value(pair.value)
        if pair.key == _BUCKET and isinstance(value, float):
            bucket = value
        else:
            found[pair.key] = label_of(value)
    return tuple(found.get(format_expr(field)) for field in by), bucket


def _exemplars(states: States, series: wire.OneSeries, labels: Labels, steps: Steps) -> None:
    for one in series.exemplars:
        moment = one.timestamp_ms * NANOS_PER_MILLISECOND
        index = steps.index_of(moment)
        text = next((attribute_value(pair.value) for pair in one.labels if pair.key == _TRACE_ID), None)
        if index is None or not isinstance(text, str):
            continue
        try:
            value = None if states.measure is Measure.COUNT else one.value
            exemplar = Exemplar(moment, value, parse_trace_id(text), None)
        except ValueError as exc:
            raise BadResponse("A trace id of Tempo's is not an id.") from exc
        states.exemplars.setdefault((labels, index), exemplar)


def _missing(answer: wire.MetricsSeries, part: Part, last: int, steps: Steps) -> list[str]:
    found: list[str] = []
    if answer.status not in ("", "COMPLETE"):
        found.append(Notice("Tempo answered a part of this metrics query only."))
    # Counts are there for every bucket that Tempo looked at, if only as zeros.
    if part.measure is Measure.COUNT and answer.series and 0 <= last < steps.count - 1:
        found.append(Notice("Tempo does not count the newest spans yet."))
    return found


def joined(measure: Measure, parts: Sequence[States], series_max: int) -> States:
    """Returns the states of the parts of one measure as those of the measure."""
    if measure is not Measure.AVG:
        whole = States(measure)
        for part in parts:
            merge_states(whole, part, series_max)
        return whole
    sums, counts = parts
    whole = States(Measure.AVG, left_out=sums.left_out or counts.left_out, exemplars=sums.exemplars)
    for labels, points in list(counts.series.items()):
        if len(whole.series) >= series_max:
            whole.left_out = True
            break
        whole.series[labels] = {
            index: (sums.series.get(labels, {}).get(index, 0), count) for index, count in points.items()
        }
    return whole
