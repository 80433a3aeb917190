"""Figures of scores as bars and whiskers: every place is a share of the width, 0 to 100, ready to be drawn."""

from __future__ import annotations

from dataclasses import dataclass

from arcane.evaluations.service.figures import ScoreComparison
from arcane.statistics.shapes import Interval, NominalComparison, NumericComparison

WIDTH = 100.0
_ROOM = 1.1


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
class DrawnComparison:
    """One comparison with what is drawn of it."""

    one: ScoreComparison
    whisker: Whisker | None = None
    outcome: tuple[Piece, ...] = ()
    labels: tuple[LabelBars, ...] = ()


def drawn(one: ScoreComparison) -> DrawnComparison:
    """Returns the comparison with its pictures."""
    found = one.comparison
    if isinstance(found, NumericComparison):
        return DrawnComparison(one, _whisker(found), _outcome(found))
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
