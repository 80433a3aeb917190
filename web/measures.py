"""How measured values are written, and what a series is called. web/src/chart/values.ts writes them the same way."""

from __future__ import annotations

from collections.abc import Sequence

from arcane.model.series import Label, NumberType, Series, Typed
from arcane.model.time import NANOS_PER_SECOND
from arcane.traceql.metrics_finish import BUCKET, NAME, QUANTILE
from arcane.traceql.metrics_query import Unit
from web.formatting import duration_text
from web.i18n import Language


def value_text(value: float, unit: Unit) -> str:
    """Returns a value with three significant digits and its unit.

    >>> [value_text(v, Unit.NONE) for v in (0.0, 0.1234, 12.3456, 1234.4, 1234567.0)]
    ['0', '0.123', '12.3', '1,234', '1.23 M']
    >>> value_text(0.0321, Unit.SECONDS), value_text(2.5, Unit.PER_SECOND), value_text(-1.5, Unit.SECONDS)
    ('32.1 ms', '2.5/s', '−1.50 s')
    >>> value_text(0.0, Unit.SECONDS)
    '0 s'
    """
    if unit is Unit.SECONDS:
        if value == 0:
            return "0 s"
        text = duration_text(round(abs(value) * NANOS_PER_SECOND))
        return f"−{text}" if value < 0 else text
    text = number_text(abs(value))
    return f"{'−' if value < 0 else ''}{text}{'/s' if unit is Unit.PER_SECOND else ''}"


def number_text(value: float) -> str:
    """Returns a number that is not negative with three significant digits, or all of a count below a million."""
    for size, mark in ((1e12, " T"), (1e9, " G"), (1e6, " M")):
        if value >= size:
            return f"{value / size:.3g}{mark}"
    if value >= 1_000:
        return f"{value:,.0f}"
    if 0 < value < 0.001:
        return f"{value:.2e}"
    return f"{float(f'{value:.3g}'):g}"


def series_name(series: Series, unit: Unit, language: Language) -> str:
    """Returns what a legend calls the series: the values of its labels."""
    labels = [label for label in series.labels if label.name != NAME] or list(series.labels)
    parts = [label_text(label, unit, language) for label in labels]
    if len(parts) == 1:
        return parts[0]
    return ", ".join(
        part if label.name in (QUANTILE, BUCKET) else f"{_short(label.name)}={part}"
        for label, part in zip(labels, parts, strict=True)
    )


def label_text(label: Label, unit: Unit, language: Language) -> str:
    """Returns the value of a label; one that the spans lack is said in words."""
    value = label.value
    if label.name == QUANTILE and isinstance(value, Typed):
        return f"p{float(value.value) * 100:g}"
    if value is None:
        return language.gettext("(none)")
    if not isinstance(value, Typed):
        return value or '""'
    if value.type is NumberType.BOOL:
        return "true" if value.value else "false"
    if value.type is NumberType.DURATION:
        return duration_text(int(value.value))
    return f"{value.value:g}" if value.type is NumberType.FLOAT else str(value.value)


def bucket_text(top: float, *, is_duration: bool) -> str:
    """Returns the upper end of a histogram's bucket."""
    return value_text(top, Unit.SECONDS if is_duration else Unit.NONE)


def _short(name: str) -> str:
    return name.removeprefix("resource.").removeprefix("span.")


def mean(values: Sequence[float]) -> float:
    """Returns the mean; 0 of nothing."""
    return sum(values) / len(values) if values else 0.0
