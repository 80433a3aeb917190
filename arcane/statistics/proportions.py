"""Proportions and how far they can be trusted."""

from __future__ import annotations

from math import sqrt

from scipy import stats

from arcane.statistics.shapes import Interval, SampleSize

CONFIDENCE = 0.95
ALPHA = 1 - CONFIDENCE
POWER = 0.8


def wilson(successes: int, n: int) -> Interval:
    """Returns Wilson's score interval of a proportion; `n` is at least 1."""
    interval = stats.binomtest(successes, n).proportion_ci(CONFIDENCE, method="wilson")
    return Interval(float(interval.low), float(interval.high))


def newcombe_paired(both: int, only_a: int, only_b: int, neither: int) -> Interval:
    """Returns the interval of (share in B) - (share in A) for paired rows.

    Method 10 of R. G. Newcombe, Improved confidence intervals for the difference between binomial proportions based
    on paired data, Statistics in Medicine 17 (1998) 2635-2650: Wilson's intervals of the two, squared and added,
    less what the pairing makes them share.
    """
    n = both + only_a + only_b + neither
    a, b = (both + only_a) / n, (both + only_b) / n
    of_a, of_b = wilson(both + only_a, n), wilson(both + only_b, n)
    phi = _correlation(both, only_a, only_b, neither)

    def reach(first: float, second: float) -> float:
        return sqrt(max(0.0, first * first - 2 * phi * first * second + second * second))

    delta = b - a
    return Interval(
        max(-1.0, delta - reach(b - of_b.lower, of_a.upper - a)),
        min(1.0, delta + reach(of_b.upper - b, a - of_a.lower)),
    )


def _correlation(both: int, only_a: int, only_b: int, neither: int) -> float:
    """Returns phi with Newcombe's correction for continuity, which is made only when it is positive."""
    product = (both + only_a) * (only_b + neither) * (both + only_b) * (only_a + neither)
    if product == 0:
        return 0.0
    numerator = float(both * neither - only_a * only_b)
    if numerator > 0:
        numerator = max(0.0, numerator - (both + only_a + only_b + neither) / 2)
    return numerator / sqrt(product)


def rows_to_see(only_a: int, only_b: int, n: int) -> SampleSize:
    """Returns how many rows McNemar's test needs for the observed difference of two paired proportions.

    J. E. Connett, J. A. Smith and R. B. McHugh, Sample size and power for pair-matched case-control studies,
    Statistics in Medicine 6 (1987) 53-59, in its normal approximation.
    """
    z_alpha, z_beta = stats.norm.isf(ALPHA / 2), stats.norm.isf(1 - POWER)
    changed, delta = (only_a + only_b) / n, (only_b - only_a) / n
    needed = None
    if delta:
        needed = _at_least((z_alpha * sqrt(changed) + z_beta * sqrt(changed - delta * delta)) ** 2 / delta**2)
    detectable = min(changed, (z_alpha + z_beta) * sqrt(changed / n)) if changed else None
    return SampleSize(effect="delta_proportion", observed=delta, needed=needed, detectable=detectable)


def _at_least(n: float) -> int:
    whole = int(n)
    return whole if whole == n else whole + 1
