"""Every figure against a second way to compute it: slow, short and plain."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import log2, sqrt
from statistics import fmean, quantiles, stdev, variance

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from arcane.statistics import comparisons, summaries
from arcane.statistics.child import Statistician
from arcane.statistics.correction import holm
from arcane.statistics.proportions import newcombe_paired, wilson
from arcane.statistics.scale import Ordered
from arcane.statistics.shapes import WilcoxonTest

LABELS = ("none", "little", "some", "much")
SCALE = Ordered(labels=LABELS, acceptable=("some", "much"), threshold_rank=1)

numbers = st.lists(st.none() | st.integers(-50, 50).map(float), min_size=2, max_size=40)
pairs = st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from(LABELS)), min_size=1, max_size=40)
some = settings(max_examples=30)


@given(numbers)
def test_a_numeric_summary(values: list[float | None]) -> None:
    found = summaries.numeric(values)
    scored = [value for value in values if value is not None]
    assert (found.n_total, found.n_scored) == (len(values), len(scored))
    if len(scored) > 1:
        assert found.mean == pytest.approx(fmean(scored))
        assert found.variance == pytest.approx(variance(scored))
        deciles = quantiles(scored, n=10, method="inclusive")
        assert (found.p10, found.p50, found.p90) == pytest.approx((deciles[0], deciles[4], deciles[8]))


def test_values_that_differ_by_rounding_alone_do_not_spread() -> None:
    found = summaries.numeric([0.19069] * 12)
    assert (found.std, found.variance) == (0.0, 0.0)
    assert found.ci95_mean is not None
    assert found.ci95_mean.lower == found.ci95_mean.upper == found.mean
    same = comparisons.numeric([0.1, 0.2, 0.3], [0.2, 0.3, 0.4])
    assert (same.cohens_dz, same.sample_size) == (None, None)


@some
@given(pairs)
def test_a_nominal_comparison(rows: list[tuple[str, str]]) -> None:
    a, b = [one for one, _ in rows], [other for _, other in rows]
    found = comparisons.nominal(a, b, LABELS)
    n = len(rows)
    for label in LABELS:
        difference = found.distribution_comparison[label]
        assert difference.delta_proportion == pytest.approx((b.count(label) - a.count(label)) / n)
        assert -1 <= difference.ci_delta.lower <= difference.delta_proportion <= difference.ci_delta.upper <= 1
    assert found.cramers_v == pytest.approx(_cramers_v(a, b)) if found.cramers_v is not None else True
    assert found.entropy_difference == pytest.approx(_entropy(b) - _entropy(a), abs=1e-9)


@some
@given(pairs)
def test_an_ordinal_comparison(rows: list[tuple[str, str]]) -> None:
    a, b = [LABELS.index(one) for one, _ in rows], [LABELS.index(other) for _, other in rows]
    found = comparisons.ordinal([one for one, _ in rows], [other for _, other in rows], SCALE)
    dominance = [(two > one) - (two < one) for two, one in product(b, a)]
    assert found.cliffs_delta == pytest.approx(fmean(dominance))
    own = [(two > one) + (two == one) / 2 for one, two in zip(a, b, strict=True)]
    assert found.probability_of_superiority == pytest.approx(fmean(own))
    assert found.delta_pass_rate is not None
    assert found.delta_pass_rate.delta == pytest.approx(fmean(two > 1 for two in b) - fmean(one > 1 for one in a))
    assert found.delta_pass_rate.ci.lower <= found.delta_pass_rate.ci.upper
    assert found.median_comparison is not None
    assert found.median_comparison.category_a == LABELS[sorted(a)[(len(a) - 1) // 2]]


@some
@given(st.lists(st.sampled_from((-3, -2, -1, 0, 1, 2, 3)), min_size=1, max_size=9))
def test_the_signed_rank_test_is_exact_with_ties(deltas: list[int]) -> None:
    found = _signed_ranks(deltas)
    moved = [delta for delta in deltas if delta]
    if not moved:
        assert found is None
        return
    assert found is not None
    ranks = stats.rankdata([abs(delta) for delta in moved]).tolist()
    sums = [sum(rank for rank, sign in zip(ranks, signs, strict=True) if sign > 0) for signs in _signs(len(moved))]
    above = sum(rank for rank, delta in zip(ranks, moved, strict=True) if delta > 0)
    tails = (sum(one >= above for one in sums), sum(one <= above for one in sums))
    assert found.w_statistic == min(above, sum(ranks) - above)
    assert found.p_value == pytest.approx(min(1.0, 2 * min(tails) / len(sums)))


@pytest.mark.parametrize(("n", "method"), [(12, "exact"), (50, "exact"), (51, "asymptotic")])
def test_the_signed_rank_test_is_scipys_where_nothing_ties(n: int, method: str) -> None:
    deltas = [(place + 1) * (-1 if place % 3 == 0 else 1) for place in range(n)]
    found, scipys = _signed_ranks(deltas), stats.wilcoxon(deltas, method=method)
    assert found is not None
    assert (found.w_statistic, found.p_value) == (scipys.statistic, pytest.approx(scipys.pvalue))


@some
@given(st.lists(st.floats(-5, 5).map(lambda value: round(value, 2)), min_size=2, max_size=9))
def test_the_permutation_test_is_exact_for_few_rows(deltas: list[float]) -> None:
    found = comparisons.numeric([0.0] * len(deltas), deltas)
    sums = [sum(sign * delta for sign, delta in zip(signs, deltas, strict=True)) for signs in _signs(len(deltas))]
    observed = sum(deltas)
    tails = (sum(one >= observed - 1e-9 for one in sums), sum(one <= observed + 1e-9 for one in sums))
    assert found.p_value_permutation == pytest.approx(min(1.0, 2 * min(tails) / len(sums)))
    if stdev(deltas) > 1e-9:
        assert found.cohens_dz == pytest.approx(fmean(deltas) / stdev(deltas))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holms_correction(p_values: list[float]) -> None:
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    expected, highest = [0.0] * len(p_values), 0.0
    for passed, place in enumerate(order):
        highest = max(highest, min(1.0, p_values[place] * (len(p_values) - passed)))
        expected[place] = highest
    assert holm(p_values) == pytest.approx(expected)


def test_holms_correction_is_statsmodels_and_leaves_out_what_was_not_tested() -> None:
    p_values = [0.04, None, 0.001, 0.03, 0.03, None, 0.9, 0.0]
    corrected = iter(multipletests([p for p in p_values if p is not None], method="holm")[1])
    assert holm(p_values) == pytest.approx([None if p is None else next(corrected) for p in p_values])
    assert holm([None]) == [None]
    assert holm([]) == []


@some
@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60), st.integers(1, 60))
def test_newcombes_interval_turns_round_with_its_table(both: int, only_a: int, only_b: int, neither: int) -> None:
    one, other = newcombe_paired(both, only_a, only_b, neither), newcombe_paired(both, only_b, only_a, neither)
    assert (one.lower, one.upper) == pytest.approx((-other.upper, -other.lower))
    assert one.lower <= (only_b - only_a) / (both + only_a + only_b + neither) <= one.upper


@given(st.integers(1, 500), st.floats(0, 1))
def test_wilsons_interval_by_its_formula(n: int, share: float) -> None:
    successes, z = round(n * share), 1.959963984540054
    p = successes / n
    middle, reach = p + z * z / (2 * n), z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    found = wilson(successes, n)
    expected = ((middle - reach) / (1 + z * z / n), (middle + reach) / (1 + z * z / n))
    assert (found.lower, found.upper) == pytest.approx(expected, abs=1e-9)


def test_many_rows_take_bounded_time_and_say_how_many_permutations_there_were() -> None:
    values = [float(row % 7) for row in range(100_000)]
    found = comparisons.numeric(values, [value + (row % 3 - 1) for row, value in enumerate(values)])
    assert (found.n_paired, found.permutations) == (100_000, None)
    fewer = comparisons.numeric(values[:2_000], [value + (row % 3 - 1) for row, value in enumerate(values[:2_000])])
    assert (fewer.n_paired, fewer.permutations) == (2_000, 9_999)


def test_random_permutations_agree_with_scipys_and_with_what_they_tend_to() -> None:
    deltas = [((row * 37) % 23 - 10) / 4 for row in range(40)]
    found = comparisons.numeric([0.0] * 40, deltas).p_value_permutation
    scipys = stats.permutation_test((deltas,), np.mean, permutation_type="samples", rng=np.random.default_rng(1))
    assert found == pytest.approx(scipys.pvalue, abs=0.02)
    z = sum(deltas) / sqrt(sum(delta * delta for delta in deltas))
    assert found == pytest.approx(2 * stats.norm.sf(abs(z)), abs=0.03)


@pytest.mark.anyio
async def test_the_figures_come_from_another_process() -> None:
    statistician = Statistician()
    assert await statistician.summary_of_numbers([1.0, 2.0, None]) == summaries.numeric([1.0, 2.0, None])
    assert await statistician.corrected([0.01, 0.04]) == pytest.approx([0.02, 0.04])
    assert await statistician.comparison_of_ranks(["none"], ["much"], SCALE) == comparisons.ordinal(
        ["none"], ["much"], SCALE
    )


def _signed_ranks(deltas: Sequence[int]) -> WilcoxonTest | None:
    """Returns the test of rows that moved by so many ranks."""
    middle = max(map(abs, deltas))
    scale = Ordered(labels=tuple(str(rank) for rank in range(2 * middle + 1)))
    moved = [str(middle + delta) for delta in deltas]
    return comparisons.ordinal([str(middle)] * len(deltas), moved, scale).wilcoxon_signed_rank


def _signs(n: int) -> list[tuple[int, ...]]:
    return list(product((1, -1), repeat=n))


def _entropy(values: Sequence[str]) -> float:
    shares = [values.count(label) / len(values) for label in set(values)]
    return -sum(share * log2(share) for share in shares)


def _cramers_v(a: list[str], b: list[str]) -> float:
    rows, columns, n = sorted(set(a)), sorted(set(b)), len(a)
    chi2 = 0.0
    for row, column in product(rows, columns):
        expected = a.count(row) * b.count(column) / n
        observed = sum(one == row and other == column for one, other in zip(a, b, strict=True))
        chi2 += (observed - expected) ** 2 / expected
    return sqrt(chi2 / (n * (min(len(rows), len(columns)) - 1)))
