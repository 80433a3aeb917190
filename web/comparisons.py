"""What compare() found, as a table: for each attribute how often its values stand on either side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from arcane.model.series import Series
from arcane.traceql.metrics_compare import BASELINE, META_ERROR, META_TYPE, SELECTION
from arcane.traceql.metrics_query import Unit
from web.i18n import Language
from web.measures import label_text

ATTRIBUTES: Final = 40
VALUES: Final = 6
BAR: Final = 100


@dataclass(frozen=True, slots=True)
class ComparedValue:
    """A value: on how many of all spans of either side it stands, in percent."""

    text: str
    baseline: float
    selection: float
    baseline_text: str
    selection_text: str
    difference: float
    difference_text: str


@dataclass(frozen=True, slots=True)
class ComparedAttribute:
    """An attribute with the values that differ most; `too_many` where there are too many to tell."""

    name: str
    values: tuple[ComparedValue, ...]
    difference: float
    too_many: bool


@dataclass(frozen=True, slots=True)
class Compared:
    """Both sides: how many spans each has, and the attributes, those that differ most first."""

    baseline: int
    selection: int
    attributes: tuple[ComparedAttribute, ...]
    more: int


@dataclass(slots=True)
class _Counts:
    total: dict[str, float] = field(default_factory=dict)
    """Side -> how many spans have the attribute."""
    values: dict[str, dict[str, float]] = field(default_factory=dict)
    too_many: bool = False


def compared_of(series: Iterable[Series], language: Language) -> Compared:
    """Returns the table of a comparison's series."""
    counts: dict[str, _Counts] = {}
    for one in series:
        _count(one, counts, language)
    names = counts.get("name", _Counts())  # every span has one, so they tell how many spans there are
    attributes = sorted(
        (_attribute(name, one, names.total) for name, one in counts.items()),
        key=lambda one: (-one.difference, one.name),
    )
    return Compared(
        round(names.total.get(BASELINE, 0)),
        round(names.total.get(SELECTION, 0)),
        tuple(attributes[:ATTRIBUTES]),
        max(0, len(attributes) - ATTRIBUTES),
    )


def _count(series: Series, counts: dict[str, _Counts], language: Language) -> None:
    labels = {label.name: label for label in series.labels}
    kind = str(labels.pop(META_TYPE).value)
    failed = labels.pop(META_ERROR, None)
    label = next(iter(labels.values()))
    own = counts.setdefault(label.name, _Counts())
    amount = sum(series.points.values())
    if failed is not None:
        own.too_many = True
    elif kind.endswith("_total"):
        own.total[kind.removesuffix("_total")] = amount
    else:
        own.values.setdefault(label_text(label, Unit.SPANS, language), {})[kind] = amount


def _attribute(name: str, counts: _Counts, spans: Mapping[str, float]) -> ComparedAttribute:
    values = sorted(
        (_value(text, sides, spans) for text, sides in counts.values.items()),
        key=lambda one: (-abs(one.difference), one.text),
    )
    difference = max((abs(one.difference) for one in values), default=0.0)
    return ComparedAttribute(name, tuple(values[:VALUES]), 0.0 if counts.too_many else difference, counts.too_many)


def _value(text: str, sides: Mapping[str, float], spans: Mapping[str, float]) -> ComparedValue:
    baseline, selection = (
        BAR * sides.get(side, 0) / spans[side] if spans.get(side) else 0.0 for side in (BASELINE, SELECTION)
    )
    difference = selection - baseline
    sign = "+" if difference > 0 else "−" if difference < 0 else "±"
    return ComparedValue(
        text,
        round(baseline, 2),
        round(selection, 2),
        f"{baseline:.1f} %",
        f"{selection:.1f} %",
        difference,
        f"{sign}{abs(difference):.1f}",
    )
