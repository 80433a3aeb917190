"""Metrics as they are encoded; `metrics_schemas` describes the same, and a test keeps them equal."""

from __future__ import annotations

import msgspec

from arcane.model.outcome import SourceOutcome
from arcane.model.series import Exemplar, Label, Series, Steps, Typed
from arcane.traces.measuring import MetricsAnswer
from arcane.traces.times import format_time


class StepsBody(msgspec.Struct, frozen=True, gc=False):
    """See metrics_schemas.StepsOut."""

    first: str
    width_ns: int
    count: int


class LabelBody(msgspec.Struct, frozen=True, gc=False):
    """See metrics_schemas.LabelOut."""

    name: str
    type: str
    value: str | int | float | bool | None


class ExemplarBody(msgspec.Struct, frozen=True, gc=False):
    """See metrics_schemas.ExemplarOut."""

    time: str
    value: float | None
    trace_id: str
    span_id: str | None


class SeriesBody(msgspec.Struct, frozen=True, gc=False):
    """See metrics_schemas.SeriesOut."""

    labels: list[LabelBody]
    values: list[float | None]
    exemplars: list[ExemplarBody]


class MetricsBody(msgspec.Struct, frozen=True, gc=False):
    """See metrics_schemas.MetricsOut."""

    canonical: str
    unit: str
    steps: StepsBody
    series: list[SeriesBody]
    complete: bool
    warnings: tuple[str, ...]
    sources: tuple[SourceOutcome, ...]


def metrics_body(answer: MetricsAnswer) -> MetricsBody:
    """Returns an answer as it is encoded."""
    steps = answer.steps
    return MetricsBody(
        answer.canonical,
        answer.unit.value,
        StepsBody(format_time(steps.first), steps.width, steps.count),
        [_series(one, steps) for one in answer.series],
        answer.complete,
        answer.warnings,
        answer.sources,
    )


def _series(series: Series, steps: Steps) -> SeriesBody:
    points = series.points
    return SeriesBody(
        [_label(one) for one in series.labels],
        [points.get(index) for index in range(steps.count)],
        [_exemplar(one) for one in series.exemplars],
    )


def _label(label: Label) -> LabelBody:
    value = label.value
    if isinstance(value, Typed):
        return LabelBody(label.name, value.type.value, value.value)
    return LabelBody(label.name, "nil" if value is None else "string", value)


def _exemplar(exemplar: Exemplar) -> ExemplarBody:
    return ExemplarBody(format_time(exemplar.time), exemplar.value, exemplar.trace_id, exemplar.span_id)
