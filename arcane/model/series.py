"""Time series: what a metrics query answers. `gc=False`: see arcane.model.span."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

import msgspec

from arcane.model.ids import SpanId, TraceId
from arcane.model.time import TimeRange


class Steps(msgspec.Struct, frozen=True, gc=False):
    """Buckets of equal width, in nanoseconds. Each holds (end - width, end], and `first` is the end of the first."""

    first: int
    width: int
    count: int

    def __post_init__(self) -> None:
        if self.width < 1 or self.count < 1:
            raise ValueError("there is one bucket at least, and it has a width")

    @property
    def within(self) -> TimeRange:
        """The range that all buckets cover together."""
        return TimeRange(max(0, self.first - self.width + 1), max(0, self.end_of(self.count - 1)))

    def end_of(self, index: int) -> int:
        """Returns the end of a bucket: the time of its point."""
        return self.first + index * self.width

    def index_of(self, moment: int) -> int | None:
        """Returns the bucket in which `moment` lies, None outside of all of them."""
        index = (moment - self.first + self.width - 1) // self.width
        return index if 0 <= index < self.count else None


class NumberType(StrEnum):
    """Types of label values that are no text."""

    INT = "int"
    FLOAT = "float"
    BOOL = "bool"
    DURATION = "duration"  # nanoseconds


class Typed(msgspec.Struct, frozen=True, gc=False):
    """A label's value that is no text. For Python 1, 1.0 and True are one; as labels they are three."""

    type: NumberType
    value: int | float | bool


LabelValue: TypeAlias = "str | Typed | None"
"""None is nil: the spans of the series lack the attribute."""
Labels: TypeAlias = tuple[LabelValue, ...]
"""The values of the fields that a query groups by, in their order."""


class Exemplar(msgspec.Struct, frozen=True, gc=False):
    """A span that stands for those of a point. `value` is what was measured of it, None where spans are counted.

    `span_id` is None where the backend names the trace only.
    """

    time: int
    value: float | None
    trace_id: TraceId
    span_id: SpanId | None


class Label(msgspec.Struct, frozen=True, gc=False):
    """One label of a series."""

    name: str
    value: LabelValue


class Series(msgspec.Struct, frozen=True, gc=False):
    """One line of a chart: labels, and a value for each bucket that has one (`points` maps its number to it)."""

    labels: tuple[Label, ...]
    points: dict[int, float]
    exemplars: tuple[Exemplar, ...] = ()
