"""Every figure against an example that somebody published; the source stands with it."""

from __future__ import annotations

import pytest

from arcane.statistics import comparisons, summaries
from arcane.statistics.correction import holm
from arcane.statistics.proportions import newcombe_paired, rows_to_see, wilson
from arcane.statistics.scale import Ordered
from arcane.statistics.shapes import Interval

MAIZE = [49.0, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]
"""Darwin's 15 pairs of maize plants, crossed minus self-fertilised, in eighths of an inch (The Effects of Cross and
Self Fertilisation, 1876; R. A. Fisher, The Design of Experiments, 1935, section 17)."""

BEFORE = [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30]
AFTER = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29]
"""Hamilton depression scale of nine patients (M. Hollander and D. A. Wolfe, 1973, p. 29)."""

SUSCEPTIBLE = {
    ("1", "1"): 596, ("1", "2"): 18, ("1", "3"): 6, ("1", "4"): 5, ("2", "2"): 2, ("3", "3"): 42, ("4", "1"): 11,
}  # fmt: skip
"""Susceptibility of pathogens by two methods (Peterson et al., 2007), in M. W. Fagerland, S. Lydersen and P. Laake,
Statistical Analysis of Contingency Tables, 2017, chapter 9."""


def labels(table: dict[tuple[str, str], int]) -> tuple[list[str | None], list[str | None]]:
    rows = [pair for pair, count in table.items() for _ in range(count)]
    return [a for a, _ in rows], [b for _, b in rows]


@pytest.mark.parametrize(
    ("successes", "n", "interval"),
    [(81, 263, (0.2553, 0.3662)), (15, 148, (0.0624, 0.1605)), (0, 20, (0.0, 0.1611)), (1, 29, (0.0061, 0.1718))],
)
def test_the_interval_of_a_proportion_is_wilsons(successes: int, n: int, interval: tuple[float, float]) -> None:
    """R. G. Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3."""
    found = wilson(successes, n)
    assert (found.lower, found.upper) == pytest.approx(interval, abs=5e-5)


def test_the_interval_of_paired_proportions_is_newcombes() -> None:
    """Cavo et al. (2012) in Fagerland, Lydersen and Laake, 2017, table 8.4: a minus b is -0.0621 (-0.1186, -0.0046)."""
    found = newcombe_paired(59, 6, 16, 80)
    assert (found.lower, found.upper) == pytest.approx((0.0046, 0.1186), abs=5e-5)


def test_the_interval_of_a_mean_difference_is_students() -> None:
    """Fisher, 1935: the mean is 20.93, t is 2.148, and the interval begins just above zero."""
    found = comparisons.numeric([0.0] * 15, MAIZE)
    assert found.delta_mean == pytest.approx(20.933, abs=5e-4)
    assert found.ci95_delta is not None
    assert (found.ci95_delta.lower, found.ci95_delta.upper) == pytest.approx((0.03, 41.84), abs=5e-3)


def test_the_permutation_test_counts_all_sign_flips() -> None:
    """Fisher, 1935, section 21: 863 of 32,768 sums are as large, so the two-sided p-value is 1,726 / 32,768."""
    found = comparisons.numeric([0.0] * 15, MAIZE)
    assert found.permutations == 9_999  # 2^15 are more than are tried
    assert found.p_value_permutation == pytest.approx(1_726 / 32_768, abs=0.01)
    few = comparisons.numeric([0.0] * 12, MAIZE[:12])
    assert few.permutations == 4_096


def test_cohens_dz_is_the_mean_difference_in_its_standard_deviations_and_not_t() -> None:
    """Fisher's t of 2.148 over the root of 15."""
    assert comparisons.numeric([0.0] * 15, MAIZE).cohens_dz == pytest.approx(2.148 / 15**0.5, abs=5e-4)


def test_the_hint_for_a_medium_effect_is_34_pairs() -> None:
    """F. Faul et al., G*Power 3 (2007): matched pairs, dz 0.5, alpha 0.05, power 0.8."""
    deltas = [0.5 + step for step in (-1.0, 1.0)] * 50
    spread = (sum((delta - 0.5) ** 2 for delta in deltas) / 99) ** 0.5
    found = comparisons.numeric([0.0] * 100, [0.5 + (delta - 0.5) / spread for delta in deltas])
    assert found.cohens_dz == pytest.approx(0.5)
    assert found.sample_size is not None
    assert found.sample_size.needed == 34


def test_the_signed_rank_test_is_wilcoxons() -> None:
    """Hollander and Wolfe: V is 40, its one-sided p-value 0.01953."""
    places = sorted(range(9), key=lambda row: abs(AFTER[row] - BEFORE[row]))
    moved = [(place + 1) * (1 if AFTER[row] > BEFORE[row] else -1) for place, row in enumerate(places)]
    scale = Ordered(labels=tuple(str(rank) for rank in range(19)))
    found = comparisons.ordinal(["9"] * 9, [str(9 + one) for one in moved], scale).wilcoxon_signed_rank
    assert found is not None
    assert (found.w_statistic, found.p_value) == (45 - 40, pytest.approx(2 * 0.01953, abs=1e-5))


def test_the_test_of_symmetry_is_bowkers() -> None:
    """Fagerland, Lydersen and Laake, 2017: T is 26.25 with 6 degrees of freedom, P is 0.0002."""
    found = comparisons.nominal(*labels(SUSCEPTIBLE)).bowker_test
    assert found is not None
    assert (found.chi_squared, found.degrees_of_freedom) == (pytest.approx(26.25), 6)
    assert found.p_value == pytest.approx(0.0002, abs=5e-6)


def test_several_p_values_are_corrected_as_holm_did() -> None:
    """S. Holm's step-down procedure on the four p-values of the encyclopedic example: 0.01, 0.04, 0.03, 0.005."""
    assert holm([0.01, None, 0.04, 0.03, 0.005]) == [pytest.approx(0.03), None, *map(pytest.approx, (0.06, 0.06, 0.02))]


def test_pairs_that_changed_decide_how_many_rows_mcnemars_test_needs() -> None:
    """Connett, Smith and McHugh, 1987: with psi 0.3 and a difference of 0.1, 234 pairs."""
    assert rows_to_see(10, 20, 100).needed == 234


def test_a_percentile_of_labels_is_a_label_that_is_there() -> None:
    scale = Ordered(labels=("bad", "fair", "good"), acceptable=("good",), threshold_rank=1)
    found = summaries.ordinal(["bad", "good", "good", None, "bad"], scale)
    assert (found.median_category, found.iqr_rank) == ("bad", 2)
    assert found.cdf == {"bad": 0.5, "fair": 0.5, "good": 1.0}
    assert found.tail_mass_below is not None
    assert found.tail_mass_below.proportion == 0.5
    assert found.pass_rate is not None
    assert found.pass_rate.ci == wilson(2, 4)


def test_nothing_is_said_of_nothing() -> None:
    empty = comparisons.ordinal([None], ["good"], Ordered(labels=("bad", "good")))
    assert (empty.n_paired, empty.bowker_test, empty.cliffs_delta, empty.sample_size) == (0, None, None, None)
    one = summaries.numeric([3.0, None])
    assert (one.n_total, one.n_scored, one.mean, one.variance, one.ci95_mean) == (2, 1, 3.0, None, None)
    same = comparisons.numeric([1.0, 2.0], [1.0, 2.0])
    assert (same.cohens_dz, same.ci95_delta, same.p_value_permutation) == (None, Interval(0.0, 0.0), 1.0)
