"""compare(): how often each value of each attribute stands on the spans of a selection, and on the other ones.

What is compared are the attributes of spans and resources and the span's name, kind and status.
States merge as those of the other functions do: which part of the spans was seen first changes
nothing. An attribute with more values than are kept is counted as a whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from arcane.model.series import Label, LabelValue, Series, Steps
from arcane.model.span import Span
from arcane.model.trace import Trace
from arcane.traceql.ast import Field, Scope, SpansetFilter
from arcane.traceql.ast_pipeline import Metrics
from arcane.traceql.evaluate import compile_filter
from arcane.traceql.format import format_field
from arcane.traceql.metrics_accumulate import label_of
from arcane.traceql.metrics_finish import sort_key

META_TYPE: Final = "__meta_type"
META_ERROR: Final = "__meta_error"
TOO_MANY: Final = "__too_many_values__"
SELECTION: Final = "selection"
BASELINE: Final = "baseline"
VALUES_MAX: Final = 1_000
"""Most values of an attribute that are told apart."""
ATTRIBUTES_MAX: Final = 500
TEXT_MAX: Final = 256
"""Longer texts (prompts, stack traces) are not values to compare by."""
_TOP: Final = 10

_Counts = dict[int, int]


@dataclass(slots=True)
class Tally:
    """One attribute on one side: how many spans have it, and each of its values; None: too many to tell."""

    total: _Counts = field(default_factory=dict)
    values: dict[LabelValue, _Counts] | None = field(default_factory=dict)


@dataclass(slots=True)
class Comparison:
    """The state of compare(): for each side and attribute a tally."""

    sides: dict[str, dict[Field, Tally]] = field(default_factory=lambda: {BASELINE: {}, SELECTION: {}})
    left_out: bool = False
    """There were more attributes than are kept."""


class Comparer:
    """Adds up spans for compare(). `hidden` are the names of attributes that the caller may not see."""

    def __init__(self, metrics: Metrics, steps: Steps, hidden: frozenset[str] = frozenset()) -> None:
        selection = metrics.of if isinstance(metrics.of, SpansetFilter) else SpansetFilter()
        self.state = Comparison()
        self._selected = compile_filter(selection)
        self._steps = steps
        self._hidden = hidden
        self._window = tuple(int(one.value or 0) for one in metrics.numbers[1:3])

    def add(self, trace: Trace, spans: Iterable[Span]) -> None:
        """Counts `spans`, which belong to `trace`; those outside of the steps do not count."""
        selected = {span.span_id for span in self._selected.matches(trace)}
        for span in spans:
            index = self._steps.index_of(span.start)
            if index is None:
                continue
            chosen = span.span_id in selected and self._in_window(span.start)
            tallies = self.state.sides[SELECTION if chosen else BASELINE]
            for attribute, value in self._values(span):
                tally = tallies.get(attribute)
                if tally is None:
                    if len(tallies) >= ATTRIBUTES_MAX:
                        self.state.left_out = True
                        continue
                    tally = tallies[attribute] = Tally()
                _count(tally, value, index)

    def _in_window(self, start: int) -> bool:
        return len(self._window) < 2 or self._window[0] <= start <= self._window[1]

    def _values(self, span: Span) -> Iterator[tuple[Field, LabelValue]]:
        yield _NAME, span.name
        yield _KIND, span.kind.word
        yield _STATUS, span.status.word
        for scope, attributes in ((Scope.SPAN, span.attributes), (Scope.RESOURCE, span.resource.attributes)):
            for name, value in attributes.items():
                label = None if name in self._hidden else label_of(value)
                if label is not None:
                    yield Field(scope, name), label


_NAME = Field(Scope.INTRINSIC, "name")
_KIND = Field(Scope.INTRINSIC, "kind")
_STATUS = Field(Scope.INTRINSIC, "status")


def _count(tally: Tally, value: LabelValue, index: int) -> None:
    tally.total[index] = tally.total.get(index, 0) + 1
    if tally.values is None:
        return
    counts = tally.values.get(value)
    if counts is None:
        if len(tally.values) >= VALUES_MAX or (isinstance(value, str) and len(value) > TEXT_MAX):
            tally.values = None
            return
        counts = tally.values[value] = {}
    counts[index] = counts.get(index, 0) + 1


def merge_comparisons(into: Comparison, other: Comparison) -> None:
    """Adds `other` to `into`."""
    into.left_out = into.left_out or other.left_out
    for side, tallies in other.sides.items():
        known = into.sides[side]
        for attribute, tally in tallies.items():
            if attribute not in known and len(known) >= ATTRIBUTES_MAX:
                into.left_out = True
                continue
            _merge(known.setdefault(attribute, Tally()), tally)


def _merge(into: Tally, other: Tally) -> None:
    _add(into.total, other.total)
    if into.values is None or other.values is None:
        into.values = None
        return
    for value, counts in other.values.items():
        _add(into.values.setdefault(value, {}), counts)
    if len(into.values) > VALUES_MAX:
        into.values = None


def _add(into: _Counts, other: _Counts) -> None:
    for index, count in other.items():
        into[index] = into.get(index, 0) + count


def finish_comparison(metrics: Metrics, state: Comparison, steps: Steps) -> list[Series]:
    """Returns the most frequent values of each attribute on each side, and how many spans have the attribute."""
    top = int(metrics.numbers[0].value or 0) if metrics.numbers else _TOP
    found: list[Series] = []
    for side, tallies in state.sides.items():
        for attribute, tally in tallies.items():
            name = format_field(attribute)
            found.append(_series(f"{side}_total", Label(name, None), tally.total, steps))
            if tally.values is None:
                labels = (Label(META_ERROR, TOO_MANY), Label(META_TYPE, side), Label(name, None))
                found.append(Series(labels, {}))
                continue
            frequent = sorted(tally.values.items(), key=lambda item: (-sum(item[1].values()), str(item[0])))
            found += [_series(side, Label(name, value), counts, steps) for value, counts in frequent[:top]]
    return sorted(found, key=sort_key)


def _series(side: str, label: Label, counts: _Counts, steps: Steps) -> Series:
    points = {index: float(counts.get(index, 0)) for index in range(steps.count)}
    return Series((Label(META_TYPE, side), label), points)
