"""A metrics query taken apart: which spans are measured as what, and what becomes of the series. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from arcane.model.series import Series, Steps
from arcane.traceql.ast import Field, Literal, SpansetFilter
from arcane.traceql.ast_pipeline import (
    Hint,
    Metrics,
    MetricsKind,
    MetricsOperand,
    MetricsOperation,
    Pipeline,
    Query,
    SeriesFilter,
    SeriesLimit,
)
from arcane.traceql.evaluate import mentioned_fields
from arcane.traceql.format import format_literal
from arcane.traceql.metrics_finish import measures_duration
from arcane.traceql.query import metrics_part, search_part
from arcane.traceql.series_stages import Operand, combined, filtered, limited, number_of, with_points

EXEMPLARS_DEFAULT = 100
SAMPLING = frozenset({"sample", "span_sample", "trace_sample"})
"""Hints that ask for a part of the spans."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """One metrics function, and the query for the spans that it measures."""

    spans: Query
    metrics: Metrics

    @property
    def fields(self) -> tuple[Field, ...]:
        """The fields that the function itself reads; those of the query for the spans are not among them."""
        of = self.metrics.of
        if isinstance(of, SpansetFilter):
            return mentioned_fields(of)
        return (*((of,) if of else ()), *self.metrics.by)


def measurements(query: Query) -> tuple[Measurement, ...]:
    """Returns what has to be measured to answer a metrics query, each once, in the order of the text."""
    return tuple(dict.fromkeys(_measured(query.body))) if isinstance(query.body, Pipeline) else ()


def _measured(pipeline: Pipeline) -> Iterator[Measurement]:
    for stage in pipeline.stages:
        if isinstance(stage, Metrics):
            yield _measurement(pipeline, stage)
        elif isinstance(stage, MetricsOperation):
            yield from _of_operand(stage.left)
            yield from _of_operand(stage.right)


def _of_operand(operand: MetricsOperand) -> Iterator[Measurement]:
    if isinstance(operand, MetricsOperation):
        operand = Pipeline((operand,))
    if isinstance(operand, Pipeline):
        yield from _measured(operand)


def _measurement(pipeline: Pipeline, metrics: Metrics) -> Measurement:
    return Measurement(search_part(Query(pipeline)), metrics)


def answer(query: Query, measured: Mapping[Measurement, Sequence[Series]], steps: Steps) -> list[Series]:
    """Returns the series of the query, made of those of its `measurements`."""
    if not isinstance(query.body, Pipeline):
        raise TypeError("no metrics query")
    found = _stages(query.body, measured, steps)[0]
    return found if isinstance(found, list) else []


def _stages(pipeline: Pipeline, measured: Mapping[Measurement, Sequence[Series]], steps: Steps) -> tuple[Operand, str]:
    found: Operand = []
    name = ""
    for stage in pipeline.stages:
        match stage:
            case Metrics():
                found, name = list(measured[_measurement(pipeline, stage)]), stage.kind.value
            case MetricsOperation():
                found, name = _operation(stage, measured, steps)
            case SeriesFilter() if isinstance(found, list):
                found = filtered(found, stage, steps)
            case SeriesLimit() if isinstance(found, list):
                found = limited(found, stage, steps)
    return found, name


def _operation(
    stage: MetricsOperation, measured: Mapping[Measurement, Sequence[Series]], steps: Steps
) -> tuple[Operand, str]:
    left, left_name = _operand(stage.left, measured, steps)
    right, right_name = _operand(stage.right, measured, steps)
    found = combined(stage.op, left, right, (left_name, right_name))
    name = f"({left_name} {stage.op.value} {right_name})"
    return with_points(found, steps) if isinstance(found, list) else found, name


def _operand(
    operand: MetricsOperand, measured: Mapping[Measurement, Sequence[Series]], steps: Steps
) -> tuple[Operand, str]:
    match operand:
        case Literal():
            return number_of(operand), format_literal(operand)
        case MetricsOperation():
            return _operation(operand, measured, steps)
    return _stages(operand, measured, steps)


def exemplars_wanted(query: Query) -> int | None:
    """Returns how many exemplars the hint asks for: `with(exemplars=false)`, `with(exemplars=20)`; None without it."""
    return next((exemplars_of(hint) for hint in query.hints if hint.name == "exemplars"), None)


def exemplars_of(hint: Hint) -> int | None:
    """Returns how many exemplars that are, None for what is no number."""
    value = hint.value.value
    if isinstance(value, bool):
        return EXEMPLARS_DEFAULT if value else 0
    return max(0, value) if isinstance(value, int) else None


def unheeded_hints(query: Query) -> tuple[str, ...]:
    """Returns the hints that ask for a sample: Arcane looks at every span, and says so."""
    return tuple(hint.name for hint in query.hints if hint.name in SAMPLING and hint.value.value is not False)


class Unit(StrEnum):
    """What the numbers of the series are."""

    PER_SECOND = "per_second"
    SPANS = "spans"
    SECONDS = "seconds"
    NONE = "none"  # as the attribute has it, or a ratio


_UNITS: Mapping[MetricsKind, Unit] = MappingProxyType(
    {
        MetricsKind.RATE: Unit.PER_SECOND,
        MetricsKind.COUNT: Unit.SPANS,
        MetricsKind.HISTOGRAM: Unit.SPANS,
        MetricsKind.COMPARE: Unit.SPANS,
    }
)


def unit_of(query: Query) -> Unit:
    """Returns the unit of the series; arithmetic has none."""
    for stage in metrics_part(query):
        if isinstance(stage, Metrics):
            return _UNITS.get(stage.kind) or (Unit.SECONDS if measures_duration(stage) else Unit.NONE)
        break
    return Unit.NONE


def is_comparison(query: Query) -> bool:
    """True for compare(): its series are for a table, not for a chart."""
    return any(one.metrics.kind is MetricsKind.COMPARE for one in measurements(query))


def bucket_unit(query: Query) -> Unit | None:
    """Returns the unit of a histogram's buckets, None where the series are no buckets of one."""
    first = next(iter(metrics_part(query)), None)
    if not isinstance(first, Metrics) or first.kind is not MetricsKind.HISTOGRAM:
        return None
    return Unit.SECONDS if measures_duration(first) else Unit.NONE
