"""What the metrics page draws and lists of an answer: one chart with its legend, or what compare() found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from arcane.model.series import Exemplar, Series, Steps, Typed
from arcane.model.time import NANOS_PER_MILLISECOND
from arcane.traceql.metrics_finish import BUCKET
from arcane.traceql.metrics_query import Unit
from arcane.traces.measuring import MetricsAnswer
from web.formatting import clock_text
from web.measures import bucket_text, mean, series_name, value_text
from web.rows import RowContext

DRAWN: Final = 24
"""Series that are drawn at first; the legend turns the others on."""
COLOURS: Final = 8
EXAMPLES: Final = 20
LISTED: Final = 6
"""Series of the table of values."""


@dataclass(frozen=True, slots=True)
class LegendRow:
    """One series in the list below the chart. `colour` is a number of the palette, `at` its place in the data."""

    at: int
    name: str
    title: str
    colour: int
    shown: bool
    last: str
    mean: str
    least: str
    most: str
    total: float


@dataclass(frozen=True, slots=True)
class ValueRow:
    """The values of the first series at one point."""

    time: str
    iso_ms: int
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ExampleRow:
    """A span that stands for those of a point, as a line of text."""

    time: str
    value: str
    series: str
    trace_id: str
    href: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart: `data` is what the script draws, `rows` and `values` say the same without it."""

    data: dict[str, Any]
    heatmap: bool
    rows: tuple[LegendRow, ...]
    values: tuple[ValueRow, ...]
    listed: tuple[str, ...]
    examples: tuple[ExampleRow, ...]


def chart_of(answer: MetricsAnswer, context: RowContext) -> Chart:
    """Returns the answer as a chart, its largest series first."""
    heatmap = answer.buckets is not None and _one_histogram(answer.series)
    ordered = list(answer.series) if heatmap else sorted(answer.series, key=_weight, reverse=True)
    names = [_name(one, answer, context) for one in ordered]
    rows = tuple(
        _row(at, one, name, answer, context) for at, (one, name) in enumerate(zip(ordered, names, strict=True))
    )
    data = {
        "kind": "heatmap" if heatmap else "lines",
        "unit": (answer.buckets or answer.unit).value if heatmap else answer.unit.value,
        "first": answer.steps.first // NANOS_PER_MILLISECOND,
        "step": answer.steps.width / NANOS_PER_MILLISECOND,
        "count": answer.steps.count,
        "series": [_data(one, name, answer.steps, context) for one, name in zip(ordered, names, strict=True)],
    }
    return Chart(
        data,
        heatmap,
        rows,
        _values(ordered[:LISTED], answer, context),
        tuple(names[:LISTED]),
        _examples(ordered, names, answer, context),
    )


def _one_histogram(series: Sequence[Series]) -> bool:
    return all(len(one.labels) == 1 for one in series)


def _weight(series: Series) -> float:
    return sum(abs(value) for value in series.points.values())


def _name(series: Series, answer: MetricsAnswer, context: RowContext) -> str:
    if answer.buckets is not None:
        top = next((label.value for label in series.labels if label.name == BUCKET), None)
        if isinstance(top, Typed) and len(series.labels) == 1:
            return "≤ " + bucket_text(float(top.value), is_duration=answer.buckets is Unit.SECONDS)
    return series_name(series, answer.unit, context.language)


def _row(at: int, series: Series, name: str, answer: MetricsAnswer, context: RowContext) -> LegendRow:
    values = list(series.points.values())
    last = series.points[max(series.points)] if values else None
    unit = answer.unit

    def text(value: float | None) -> str:
        return "" if value is None else value_text(value, unit)

    return LegendRow(
        at,
        name,
        ", ".join(f"{label.name} = {_plain(label.value)}" for label in series.labels),
        at % COLOURS + 1,
        at < DRAWN,
        text(last),
        text(mean(values) if values else None),
        text(min(values, default=None)),
        text(max(values, default=None)),
        sum(values),
    )


def _plain(value: object) -> str:
    if isinstance(value, Typed):
        return str(value.value)
    return "nil" if value is None else f'"{value}"'


def _data(series: Series, name: str, steps: Steps, context: RowContext) -> dict[str, Any]:
    top = next((label.value for label in series.labels if label.name == BUCKET), None)
    return {
        "name": name,
        "top": float(top.value) if isinstance(top, Typed) else None,
        "values": [series.points.get(index) for index in range(steps.count)],
        "exemplars": [_exemplar(one, context) for one in series.exemplars],
    }


def _exemplar(exemplar: Exemplar, context: RowContext) -> dict[str, Any]:
    return {
        "time": exemplar.time / NANOS_PER_MILLISECOND,
        "value": exemplar.value,
        "trace": exemplar.trace_id,
        "href": _href(exemplar, context),
    }


def _examples(
    series: Sequence[Series], names: Sequence[str], answer: MetricsAnswer, context: RowContext
) -> tuple[ExampleRow, ...]:
    unit = answer.buckets or answer.unit
    found = [(one, name) for own, name in zip(series, names, strict=True) for one in own.exemplars]
    return tuple(
        ExampleRow(
            clock_text(one.time, context.zone, context.now),
            "" if one.value is None else value_text(one.value, unit),
            name,
            one.trace_id,
            _href(one, context),
        )
        for one, name in sorted(found, key=lambda pair: -pair[0].time)[:EXAMPLES]
    )


def _href(exemplar: Exemplar, context: RowContext) -> str:
    path = f"{context.base}/{exemplar.trace_id}"
    return path if exemplar.span_id is None else f"{path}?span={exemplar.span_id}"


def _values(series: Sequence[Series], answer: MetricsAnswer, context: RowContext) -> tuple[ValueRow, ...]:
    steps = answer.steps
    return tuple(
        ValueRow(
            clock_text(steps.end_of(index), context.zone, context.now).removesuffix(".000"),
            steps.end_of(index) // NANOS_PER_MILLISECOND,
            tuple(value_text(one.points[index], answer.unit) if index in one.points else "" for one in series),
        )
        for index in reversed(range(steps.count))
    )
