"""Figures about scores, as they leave: one class a figure, nothing computed here.

A figure is None where the data do not support it (a variance of one value, a proportion of nothing); it is never
filled in with a zero. Intervals are 95 % unless they say otherwise. Proportions lie between 0 and 1.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Interval:
    """A 95 % confidence interval."""

    lower: float
    upper: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NumericSummary:
    """A numeric score. Percentiles are interpolated (Hyndman and Fan, type 7); the variance is the sample's."""

    n_total: int
    n_scored: int
    mean: float | None
    variance: float | None
    std: float | None
    p10: float | None
    p50: float | None
    p90: float | None
    ci95_mean: Interval | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NominalSummary:
    """A nominal score: how often which label. Intervals are Wilson's; the entropy is in bits."""

    n_total: int
    n_scored: int
    counts_by_code: dict[str, int]
    proportions_by_code: dict[str, float]
    ci_proportion_by_code: dict[str, Interval]
    mode_code: str | None
    entropy: float | None
    num_distinct_categories: int


@dataclass(frozen=True, slots=True)
class CategoryPercentiles:
    """Labels at percentiles: the first one whose cumulative share reaches it. Labels are never interpolated."""

    p10: str
    p50: str
    p90: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TailMass:
    """The share of values whose rank is below `threshold_rank` (ranks count from 0, in the order of the scale)."""

    threshold_rank: int
    proportion: float
    ci: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class PassRate:
    """The share of values whose label is acceptable."""

    acceptable_set: tuple[str, ...]
    proportion: float
    ci: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class OrdinalSummary(NominalSummary):
    """An ordinal score: what a nominal one has, and what the order of its labels adds."""

    median_category: str | None
    percentile_categories: CategoryPercentiles | None
    cdf: dict[str, float]
    tail_mass_below: TailMass | None
    pass_rate: PassRate | None
    iqr_rank: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleSize:
    """How many paired rows it takes to see a difference of the observed size with 80 % power at alpha 0.05.

    `needed` is None where there is no difference to be seen; `detectable` is the smallest effect that the present
    number of rows shows with that power, in the unit of `effect`.
    """

    effect: str
    observed: float
    needed: int | None
    detectable: float | None


@dataclass(frozen=True, slots=True)
class PairCell:
    """How many pairs fell into a square of the grid: `a` and `b` count from the lowest value, from 0."""

    a: int
    b: int
    count: int


@dataclass(frozen=True, slots=True)
class PairGrid:
    """Pairs counted on a square grid from `low` to `high`, which are the lowest and highest value of either side."""

    low: float
    high: float
    bins: int
    cells: tuple[PairCell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NumericComparison:
    """B against A, paired by row; differences are B minus A."""

    n_paired: int
    mean_a: float | None
    mean_b: float | None
    delta_mean: float | None
    ci95_delta: Interval | None
    p_value_permutation: float | None
    permutations: int | None
    cohens_dz: float | None
    win_rate: float | None
    loss_rate: float | None
    tie_rate: float | None
    sample_size: SampleSize | None
    pairs: PairGrid | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProportionDifference:
    """The share of one label in A and in B; the interval is Newcombe's for paired proportions (1998, method 10)."""

    proportion_a: float
    proportion_b: float
    delta_proportion: float
    ci_delta: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class BowkerTest:
    """Bowker's test of symmetry: did rows move between labels more one way than the other?"""

    chi_squared: float
    p_value: float
    degrees_of_freedom: int


@dataclass(frozen=True, slots=True)
class CategoryChanges:
    """Labels that only one of the two has."""

    appeared_in_b: tuple[str, ...]
    disappeared_in_b: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NominalComparison:
    """B against A, paired by row. Cramer's V says how strongly the label in A goes with the label in B (0 to 1)."""

    n_paired: int
    distribution_comparison: dict[str, ProportionDifference]
    bowker_test: BowkerTest | None
    cramers_v: float | None
    entropy_difference: float | None
    category_changes: CategoryChanges
    sample_size: SampleSize | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CdfDifference:
    """The cumulative share up to one label in A and in B."""

    cdf_a: float
    cdf_b: float
    delta_cdf: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RateDifference:
    """A share in A and in B; the interval is a paired bootstrap's (BCa), Newcombe's where that is degenerate."""

    a: float
    b: float
    delta: float
    ci: Interval
    method: str


@dataclass(frozen=True, slots=True)
class CategoryPair:
    """The label of A and the label of B."""

    category_a: str
    category_b: str


@dataclass(frozen=True, slots=True)
class PercentileShift:
    """Labels at two percentiles, in A and in B."""

    p50: CategoryPair
    p90: CategoryPair


@dataclass(frozen=True, slots=True)
class WilcoxonTest:
    """Wilcoxon's signed-rank test on the differences of ranks; rows that did not change are left out."""

    w_statistic: float
    p_value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OrdinalComparison(NominalComparison):
    """B against A, paired by row, with what the order of the labels adds.

    `cliffs_delta` compares every row of B with every row of A (-1 to 1, above 0: B is higher).
    `probability_of_superiority` compares each row with itself: how often B is higher, ties counting half.
    """

    cdf_comparison: dict[str, CdfDifference]
    delta_pass_rate: RateDifference | None
    delta_tail_mass: RateDifference | None
    median_comparison: CategoryPair | None
    percentile_shift: PercentileShift | None
    wilcoxon_signed_rank: WilcoxonTest | None
    cliffs_delta: float | None
    probability_of_superiority: float | None


Summary = NumericSummary | OrdinalSummary | NominalSummary
Comparison = NumericComparison | OrdinalComparison | NominalComparison
