"""One score over many rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import fields

import numpy as np
from scipy import stats

from arcane.statistics.proportions import CONFIDENCE, wilson
from arcane.statistics.scale import Category, Number, Ordered
from arcane.statistics.shapes import (
    CategoryPercentiles,
    Interval,
    NominalSummary,
    NumericSummary,
    OrdinalSummary,
    PassRate,
    TailMass,
)

_ROUNDING = 1e-12


def numeric(values: Sequence[Number]) -> NumericSummary:
    """Returns the figures of a numeric score; the interval of the mean is Student's."""
    scored = np.array([value for value in values if value is not None], dtype=float)
    n = len(scored)
    p10, p50, p90 = (float(one) for one in np.percentile(scored, (10, 50, 90))) if n else (None, None, None)
    std = spread_of(scored) if n > 1 else None
    return NumericSummary(
        n_total=len(values),
        n_scored=n,
        mean=float(scored.mean()) if n else None,
        variance=None if std is None else std**2,
        std=std,
        p10=p10,
        p50=p50,
        p90=p90,
        ci95_mean=interval_of_mean(scored),
    )


def spread_of(sample: np.ndarray) -> float:
    """Returns the standard deviation of two values or more; of values that differ by rounding alone it is 0."""
    if np.ptp(sample) <= _ROUNDING * np.abs(sample).max():
        return 0.0
    return float(sample.std(ddof=1))


def interval_of_mean(sample: np.ndarray) -> Interval | None:
    """Returns Student's interval of the mean; None for fewer than two values."""
    n = len(sample)
    if n < 2:
        return None
    mean = float(sample.mean())
    reach = float(stats.t.isf((1 - CONFIDENCE) / 2, n - 1) * spread_of(sample) / np.sqrt(n))
    return Interval(mean - reach, mean + reach)


def nominal(values: Sequence[Category], labels: Sequence[str] = ()) -> NominalSummary:
    """Returns the figures of a nominal score. `labels` are listed also where nothing has them.

    Of several labels that are most frequent, the mode is the first on the scale.
    """
    counted = Counter(value for value in values if value is not None)
    n = counted.total()
    counts = {label: counted[label] for label in dict.fromkeys((*labels, *sorted(counted)))}
    return NominalSummary(
        n_total=len(values),
        n_scored=n,
        counts_by_code=counts,
        proportions_by_code={label: count / n for label, count in counts.items()} if n else {},
        ci_proportion_by_code={label: wilson(count, n) for label, count in counts.items()} if n else {},
        mode_code=max(counts, key=lambda label: counts[label]) if n else None,
        entropy=entropy(counts) if n else None,
        num_distinct_categories=len(counted),
    )


def entropy(counts: dict[str, int]) -> float:
    """Returns the entropy of a distribution in bits; there is at least one value."""
    return abs(float(stats.entropy(list(counts.values()), base=2)))


def ordinal(values: Sequence[Category], scale: Ordered) -> OrdinalSummary:
    """Returns the figures of an ordinal score. Raises KeyError for a label that is not on the scale."""
    ranks = np.sort(scale.ranks([value for value in values if value is not None]))
    base = nominal(values, scale.labels)
    n = base.n_scored
    return OrdinalSummary(
        **{field.name: getattr(base, field.name) for field in fields(NominalSummary)},
        median_category=at(ranks, scale, 50) if n else None,
        percentile_categories=CategoryPercentiles(*(at(ranks, scale, q) for q in (10, 50, 90))) if n else None,
        cdf=cumulative(ranks, scale) if n else {},
        tail_mass_below=_tail(ranks, scale) if n else None,
        pass_rate=_pass(base, scale) if n else None,
        iqr_rank=int(rank_at(ranks, 75) - rank_at(ranks, 25)) if n else None,
    )


def rank_at(ranks: np.ndarray, percentile: float) -> int:
    """Returns the first rank whose cumulative share reaches `percentile`: an observed one, nothing in between."""
    return int(np.percentile(ranks, percentile, method="inverted_cdf"))


def at(ranks: np.ndarray, scale: Ordered, percentile: float) -> str:
    """Returns the label at `percentile`."""
    return scale.labels[rank_at(ranks, percentile)]


def cumulative(ranks: np.ndarray, scale: Ordered) -> dict[str, float]:
    """Returns for each label, lowest first, the share of values that are at most that high."""
    shares = np.cumsum(np.bincount(ranks, minlength=len(scale.labels))) / len(ranks)
    return {label: float(share) for label, share in zip(scale.labels, shares, strict=True)}


def _tail(ranks: np.ndarray, scale: Ordered) -> TailMass | None:
    threshold = scale.threshold_rank
    if threshold is None:
        return None
    below = int((ranks < threshold).sum())
    return TailMass(threshold_rank=threshold, proportion=below / len(ranks), ci=wilson(below, len(ranks)))


def _pass(summary: NominalSummary, scale: Ordered) -> PassRate | None:
    if not scale.acceptable:
        return None
    passed = sum(summary.counts_by_code[label] for label in set(scale.acceptable))
    proportion, ci = passed / summary.n_scored, wilson(passed, summary.n_scored)
    return PassRate(acceptable_set=scale.acceptable, proportion=proportion, ci=ci)
