"""One score of two experiments over the same rows: B against A."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import fields

import numpy as np
from scipy import stats
from scipy.optimize import brentq
from scipy.stats import contingency
from statsmodels.stats.contingency_tables import SquareTable
from statsmodels.stats.power import TTestPower

from arcane.statistics.proportions import ALPHA, CONFIDENCE, POWER, newcombe_paired, rows_to_see
from arcane.statistics.scale import Category, Number, Ordered, paired, paired_labels
from arcane.statistics.shapes import (
    BowkerTest,
    CategoryChanges,
    CategoryPair,
    CdfDifference,
    Interval,
    NominalComparison,
    NumericComparison,
    OrdinalComparison,
    PairCell,
    PairGrid,
    PercentileShift,
    ProportionDifference,
    RateDifference,
    SampleSize,
    WilcoxonTest,
)
from arcane.statistics.summaries import at, cumulative, entropy, interval_of_mean, spread_of

SEED = 20_000
"""Resampling is repeatable: the same values give the same figures."""

_RESAMPLES = 9_999
_ROWS_PERMUTED = 10_000
_BATCH = 500
_BINS = 21
"""Of a side of the grid of pairs: as many as a small picture tells apart, and one of them in the middle."""
_ROUNDING = 1e-12
_ROWS_RANKED = 50
"""More than these, and Wilcoxon's statistic is as good as normal; so many are exact, and whole in a float."""
_BOOTSTRAPS = 1_000
_BOOTSTRAPPED_AT_ONCE = 2_000_000
_SMALLEST_EFFECT = 1e-3
_MOST_ROWS = 100_000_000


def numeric(a: Sequence[Number], b: Sequence[Number]) -> NumericComparison:
    """Returns the comparison of two numeric scores, row by row; rows that lack one of the two are left out."""
    pairs = np.array(paired(a, b), dtype=float).reshape(-1, 2)
    deltas = pairs[:, 1] - pairs[:, 0]
    n = len(deltas)
    dz = _cohens_dz(deltas)
    p_value, permutations = _permutation(deltas)
    return NumericComparison(
        n_paired=n,
        mean_a=float(pairs[:, 0].mean()) if n else None,
        mean_b=float(pairs[:, 1].mean()) if n else None,
        delta_mean=float(deltas.mean()) if n else None,
        ci95_delta=interval_of_mean(deltas),
        p_value_permutation=p_value,
        permutations=permutations,
        cohens_dz=dz,
        win_rate=float((deltas > 0).mean()) if n else None,
        loss_rate=float((deltas < 0).mean()) if n else None,
        tie_rate=float((deltas == 0).mean()) if n else None,
        sample_size=None if dz is None else _rows_for(dz, n),
        pairs=_grid(pairs),
    )


def _grid(pairs: np.ndarray) -> PairGrid | None:
    """Returns where the pairs lie; None of no pairs, and of values that are further apart than a float can say.

    Where all values are one, but for what rounding left, it is in the middle of a grid around them.
    """
    if not len(pairs):
        return None
    low, high = float(pairs.min()), float(pairs.max())
    if not np.isfinite((high - low) * _BINS):
        return None
    if high - low <= _ROUNDING * max(abs(low), abs(high)):
        low, high = low - max(abs(low), 1) / 2, high + max(abs(high), 1) / 2
    places = np.clip(((pairs - low) * _BINS / (high - low)).astype(int), 0, _BINS - 1)
    cells, counts = np.unique(places, axis=0, return_counts=True)
    return PairGrid(
        low, high, _BINS, tuple(PairCell(int(a), int(b), int(n)) for (a, b), n in zip(cells, counts, strict=True))
    )


def _cohens_dz(deltas: np.ndarray) -> float | None:
    """Returns the mean difference in standard deviations of the differences (J. Cohen, 1988)."""
    if len(deltas) < 2:
        return None
    spread = spread_of(deltas)
    return float(deltas.mean()) / spread if spread > 0 else None


def _permutation(deltas: np.ndarray) -> tuple[float | None, int | None]:
    """Returns the two-sided p-value of a sign-flip test, and out of how many permutations it comes.

    All of them where there are few rows, random ones where there are more. Of very many rows the distribution is the
    normal one that it tends to, and the number is None.
    """
    n = len(deltas)
    if n < 2:
        return None, None
    if n > _ROWS_PERMUTED:
        scale = float(np.sqrt(np.square(deltas).sum()))
        return (float(2 * stats.norm.sf(abs(deltas.sum()) / scale)) if scale else 1.0), None
    if 2**n > _RESAMPLES:
        return _random_flips(deltas), _RESAMPLES
    result = stats.permutation_test((deltas,), np.mean, permutation_type="samples", n_resamples=_RESAMPLES)
    return float(result.pvalue), len(result.null_distribution)


def _random_flips(deltas: np.ndarray) -> float:
    """Returns the p-value by random signs, counting the observed ones in (B. Phipson and G. K. Smyth, 2010).

    scipy's own draws every sign for itself, which takes a minute where this takes a second; a test compares them.
    """
    rng = np.random.default_rng(SEED)
    n, observed, close = len(deltas), float(deltas.sum()), 1e-12 * float(np.abs(deltas).sum())
    above = below = 0
    for begin in range(0, _RESAMPLES, _BATCH):
        signs = rng.integers(0, 2, size=(min(_BATCH, _RESAMPLES - begin), n), dtype=np.int8)
        sums = 2.0 * (signs @ deltas) - observed
        above += int((sums >= observed - close).sum())
        below += int((sums <= observed + close).sum())
    return min(1.0, 2 * (min(above, below) + 1) / (_RESAMPLES + 1))


def _rows_for(dz: float, n: int) -> SampleSize:
    needed = None
    if abs(dz) > _SMALLEST_EFFECT:
        needed = bisect_left(range(_MOST_ROWS), True, lo=2, key=lambda rows: _power(abs(dz), rows) >= POWER)
    detectable = float(brentq(lambda effect: _power(effect, n) - POWER, 1e-6, 50.0)) if n > 2 else None
    return SampleSize(effect="cohens_dz", observed=dz, needed=needed, detectable=detectable)


def _power(effect: float, rows: int) -> float:
    """Returns the power of the paired t-test; where it cannot be computed, far out, it is 1."""
    power = float(TTestPower().power(effect, rows, ALPHA))
    return power if np.isfinite(power) else 1.0


def nominal(a: Sequence[Category], b: Sequence[Category], labels: Sequence[str] = ()) -> NominalComparison:
    """Returns the comparison of two nominal scores, row by row. Labels stand in the order of `labels`, then others'."""
    pairs = paired_labels(a, b)
    seen = sorted({label for pair in pairs for label in pair})
    order = list(dict.fromkeys((*labels, *seen)))
    table = _table(pairs, order)
    of_a, of_b = (dict(zip(order, table.sum(axis=axis).tolist(), strict=True)) for axis in (1, 0))
    return NominalComparison(
        n_paired=len(pairs),
        distribution_comparison=_differences(table, order) if pairs else {},
        bowker_test=_bowker(table),
        cramers_v=_cramers_v(table),
        entropy_difference=entropy(of_b) - entropy(of_a) if pairs else None,
        category_changes=CategoryChanges(
            tuple(label for label in order if of_b[label] and not of_a[label]),
            tuple(label for label in order if of_a[label] and not of_b[label]),
        ),
        sample_size=_rows_for_labels(table),
    )


def _table(pairs: Sequence[tuple[str, str]], order: Sequence[str]) -> np.ndarray:
    """Returns how many rows went from which label in A (down) to which in B (across)."""
    places = {label: place for place, label in enumerate(order)}
    table = np.zeros((len(order), len(order)), dtype=int)
    for one, other in pairs:
        table[places[one], places[other]] += 1
    return table


def _two_by_two(table: np.ndarray, place: int) -> tuple[int, int, int, int]:
    """Returns for one label: how many rows have it in both, in A alone, in B alone, in neither."""
    both = int(table[place, place])
    only_a, only_b = int(table[place].sum()) - both, int(table[:, place].sum()) - both
    return both, only_a, only_b, int(table.sum()) - both - only_a - only_b


def _differences(table: np.ndarray, order: Sequence[str]) -> dict[str, ProportionDifference]:
    n = int(table.sum())
    differences = {}
    for place, label in enumerate(order):
        both, only_a, only_b, neither = _two_by_two(table, place)
        differences[label] = ProportionDifference(
            proportion_a=(both + only_a) / n,
            proportion_b=(both + only_b) / n,
            delta_proportion=(only_b - only_a) / n,
            ci_delta=newcombe_paired(both, only_a, only_b, neither),
        )
    return differences


def _bowker(table: np.ndarray) -> BowkerTest | None:
    if len(table) < 2 or not table.sum():
        return None
    test = SquareTable(table, shift_zeros=False).symmetry(method="bowker")
    return BowkerTest(chi_squared=float(test.statistic), p_value=float(test.pvalue), degrees_of_freedom=int(test.df))


def _cramers_v(table: np.ndarray) -> float | None:
    seen = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    return float(contingency.association(seen, method="cramer")) if min(seen.shape, default=0) > 1 else None


def _rows_for_labels(table: np.ndarray) -> SampleSize | None:
    """Returns the hint for the label whose share changed most."""
    n = int(table.sum())
    if not n:
        return None
    changed = np.abs(table.sum(axis=0) - table.sum(axis=1))
    _, only_a, only_b, _ = _two_by_two(table, int(changed.argmax()))
    return rows_to_see(only_a, only_b, n)


def ordinal(a: Sequence[Category], b: Sequence[Category], scale: Ordered) -> OrdinalComparison:
    """Returns the comparison of two ordinal scores, row by row. Raises KeyError for a label not on the scale."""
    base = nominal(a, b, scale.labels)
    pairs = paired_labels(a, b)
    of_a, of_b = np.array(scale.ranks([one for one, _ in pairs])), np.array(scale.ranks([other for _, other in pairs]))
    some = bool(pairs)
    sorted_a, sorted_b = np.sort(of_a), np.sort(of_b)
    return OrdinalComparison(
        **{field.name: getattr(base, field.name) for field in fields(NominalComparison)},
        cdf_comparison=_cdf(sorted_a, sorted_b, scale) if some else {},
        delta_pass_rate=_passing(of_a, of_b, scale) if some else None,
        delta_tail_mass=_tails(of_a, of_b, scale) if some else None,
        median_comparison=_labels(sorted_a, sorted_b, scale, 50) if some else None,
        percentile_shift=(
            PercentileShift(*(_labels(sorted_a, sorted_b, scale, q) for q in (50, 90))) if some else None
        ),
        wilcoxon_signed_rank=_wilcoxon(of_b - of_a) if some else None,
        cliffs_delta=_cliffs_delta(of_a, of_b) if some else None,
        probability_of_superiority=float((of_b > of_a).mean() + (of_b == of_a).mean() / 2) if some else None,
    )


def _cdf(a: np.ndarray, b: np.ndarray, scale: Ordered) -> dict[str, CdfDifference]:
    of_a, of_b = cumulative(a, scale), cumulative(b, scale)
    return {
        label: CdfDifference(cdf_a=of_a[label], cdf_b=of_b[label], delta_cdf=of_b[label] - of_a[label])
        for label in scale.labels
    }


def _labels(a: np.ndarray, b: np.ndarray, scale: Ordered, percentile: float) -> CategoryPair:
    return CategoryPair(at(a, scale, percentile), at(b, scale, percentile))


def _passing(a: np.ndarray, b: np.ndarray, scale: Ordered) -> RateDifference | None:
    if not scale.acceptable:
        return None
    good = scale.ranks(scale.acceptable)
    return _rates(np.isin(a, good), np.isin(b, good))


def _tails(a: np.ndarray, b: np.ndarray, scale: Ordered) -> RateDifference | None:
    if scale.threshold_rank is None:
        return None
    return _rates(a < scale.threshold_rank, b < scale.threshold_rank)


def _rates(a: np.ndarray, b: np.ndarray) -> RateDifference:
    bootstrap = _bootstrap(b.astype(float) - a.astype(float))
    return RateDifference(
        a=float(a.mean()),
        b=float(b.mean()),
        delta=float(b.mean() - a.mean()),
        ci=bootstrap or newcombe_paired(*(int(one.sum()) for one in (a & b, a & ~b, ~a & b, ~a & ~b))),
        method="bootstrap" if bootstrap else "newcombe",
    )


def _bootstrap(deltas: np.ndarray) -> Interval | None:
    """Returns the interval of the mean difference by resampling rows; None where that cannot say anything.

    Where all rows differ alike, every resample is the same and an interval of no width would be a lie.
    """
    n = len(deltas)
    if n < 10 or np.ptp(deltas) == 0:
        return None
    low, high = stats.bootstrap(
        (deltas,),
        np.mean,
        n_resamples=_BOOTSTRAPS,
        batch=max(1, _BOOTSTRAPPED_AT_ONCE // n),
        confidence_level=CONFIDENCE,
        method="BCa",
        rng=np.random.default_rng(SEED),
    ).confidence_interval
    return Interval(float(low), float(high)) if np.isfinite((low, high)).all() else None


def _wilcoxon(deltas: np.ndarray) -> WilcoxonTest | None:
    moved = deltas[deltas != 0]
    if not len(moved):
        return None
    if len(moved) > _ROWS_RANKED:
        result = stats.wilcoxon(moved, method="asymptotic")
        return WilcoxonTest(float(result.statistic), float(result.pvalue))
    return _signed_ranks(moved)


def _signed_ranks(moved: np.ndarray) -> WilcoxonTest:
    """Returns the exact test, with ties too: how often each sum of ranks comes about when every sign is a coin's.

    scipy is exact up to the same size where nothing ties; where ranks do tie, as labels always do, it goes through all
    signs of 13 rows one by one, which takes seconds, and falls back to the normal distribution from 14 rows on. Twice
    a rank is a whole number, so sums can be counted (B. Streitberg and J. Roehmel, 1986).
    """
    doubled = np.rint(2 * stats.rankdata(np.abs(moved))).astype(int)
    ways = np.zeros(int(doubled.sum()) + 1)
    ways[0] = 1.0
    for rank in doubled:
        ways[rank:] += ways[:-rank].copy()
    less = int(min(doubled[moved > 0].sum(), doubled[moved < 0].sum()))
    p_value = 2 * float(ways[: less + 1].sum()) / 2.0 ** len(moved)
    return WilcoxonTest(less / 2, min(1.0, p_value))


def _cliffs_delta(a: np.ndarray, b: np.ndarray) -> float:
    """Returns P(B > A) - P(B < A) over all pairs of a row of B and one of A (N. Cliff, 1993)."""
    u = float(stats.mannwhitneyu(b, a, method="asymptotic").statistic)
    return 2 * u / (len(a) * len(b)) - 1
