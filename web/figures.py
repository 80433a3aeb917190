"""Figures of scores as bars and whiskers: every place is a share of the width, 0 to 100, ready to be drawn."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from arcane.evaluations.service.figures import ScoreComparison
from arcane.statistics.shapes import Interval, NominalComparison, NumericComparison, PairGrid

WIDTH = 100.0
_ROOM = 1.1
_LEAST = 0.3
"""Of the largest radius: one pair among thousands is seen, too."""


@dataclass(frozen=True, slots=True)
class Whisker:
    """A difference with its interval around nothing: `zero` is where there is none."""

    low: float
    at: float
    high: float
    zero: float = WIDTH / 2


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a bar: what it is, where it begins, how wide it is."""

    key: str
    begin: float
    width: float


@dataclass(frozen=True, slots=True)
class LabelBars:
    """How often one label was given in A and in B, and how sure the difference is."""

    label: str
    a: float
    b: float
    delta: float
    ci: Interval


@dataclass(frozen=True, slots=True)
class Dot:
    """Pairs of about one place: A from the left, B from below, both 0 to 100; how large, and how many they are."""

    x: float
    y: float
    radius: float
    count: int


@dataclass(frozen=True, slots=True)
class Scatter:
    """All pairs: those above the diagonal are higher in B. Both axes go from `low` to `high`."""

    low: float
    high: float
    dots: tuple[Dot, ...]


@dataclass(frozen=True, slots=True)
class DrawnComparison:
    """One comparison with what is drawn of it."""

    one: ScoreComparison
    whisker: Whisker | None = None
    outcome: tuple[Piece, ...] = ()
    scatter: Scatter | None = None
    labels: tuple[LabelBars, ...] = ()


def drawn(one: ScoreComparison) -> DrawnComparison:
    """Returns the comparison with its pictures."""
    found = one.comparison
    if isinstance(found, NumericComparison):
        return DrawnComparison(one, _whisker(found), _outcome(found), _scatter(found.pairs))
    return DrawnComparison(one, labels=_labels(found))


def _whisker(found: NumericComparison) -> Whisker | None:
    if found.delta_mean is None or found.ci95_delta is None:
        return None
    interval = found.ci95_delta
    reach = max(abs(interval.lower), abs(interval.upper)) * _ROOM
    if reach == 0:
        return Whisker(WIDTH / 2, WIDTH / 2, WIDTH / 2)
    low, at, high = (
        round(WIDTH / 2 * (1 + value / reach), 2) for value in (interval.lower, found.delta_mean, interval.upper)
    )
    return Whisker(low, at, high)


def _outcome(found: NumericComparison) -> tuple[Piece, ...]:
    pieces, begin = [], 0.0
    for key, share in (("win", found.win_rate), ("tie", found.tie_rate), ("loss", found.loss_rate)):
        if share:
            pieces.append(Piece(key, round(begin, 2), round(share * WIDTH, 2)))
            begin += share * WIDTH
    return tuple(pieces)


def _scatter(grid: PairGrid | None) -> Scatter | None:
    if grid is None:
        return None
    side = WIDTH / grid.bins
    most = max(cell.count for cell in grid.cells)
    dots = tuple(
        Dot(
            round((cell.a + 0.5) * side, 2),
            round(WIDTH - (cell.b + 0.5) * side, 2),
            round(side / 2 * max(_LEAST, sqrt(cell.count / most)), 2),  # an area says how many
            cell.count,
        )
        for cell in grid.cells
    )
    return Scatter(grid.low, grid.high, dots)


def _labels(found: NominalComparison) -> tuple[LabelBars, ...]:
    return tuple(
        LabelBars(
            label,
            round(one.proportion_a * WIDTH, 2),
            round(one.proportion_b * WIDTH, 2),
            one.delta_proportion,
            one.ci_delta,
        )
        for label, one in found.distribution_comparison.items()
    )
