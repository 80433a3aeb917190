"""Which points a chart has: a step that reads well, and buckets that do not move with the clock."""

from __future__ import annotations

from arcane.model.series import Steps
from arcane.model.time import NANOS_PER_MILLISECOND, NANOS_PER_SECOND, TimeRange
from arcane.traceql.literals import spell_duration
from arcane.traces.problems import StepTooSmall

_SECONDS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 604_800)
WIDTHS: tuple[int, ...] = (
    *(one * NANOS_PER_MILLISECOND for one in (1, 2, 5, 10, 20, 50, 100, 200, 500)),
    *(one * NANOS_PER_SECOND for one in _SECONDS),
)
"""Steps that are chosen where none is asked for."""


def chosen_width(within: TimeRange, points: int) -> int:
    """Returns the shortest of `WIDTHS` that makes at most `points` points of the range; longer where none does."""
    found = next((width for width in WIDTHS if within.duration <= width * points), None)
    return found or -(-within.duration // (points * WIDTHS[-1])) * WIDTHS[-1]


def steps_of(within: TimeRange, width: int, points_max: int, settled: int) -> Steps:
    """Returns aligned buckets that cover the range; raises StepTooSmall.

    The first one ends at or before the beginning of the range, so that a line begins at the edge. One
    that ends after `settled` is left out: its spans are not all there, and it would look like a fall.
    """
    first = within.start // width * width
    last = min(-(-within.end // width), settled // width) * width
    count = max(0, last - first) // width + 1
    if count > points_max:
        least = chosen_width(within, points_max - 2)
        raise StepTooSmall(
            f"a step of {spell_duration(width)} makes {count} points of this range, and {points_max} is the most",
            maximum=points_max,
            minimum_step=spell_duration(least),
        )
    return Steps(first, width, count)


def one_step(within: TimeRange, settled: int) -> Steps:
    """Returns the range as one bucket, without what is not settled yet."""
    end = max(within.start, min(within.end, settled))
    return Steps(end, max(1, end - within.start), 1)
