"""Many scores are compared at once: some of them would look different by chance alone."""

from __future__ import annotations

from collections.abc import Sequence

from statsmodels.stats.multitest import multipletests


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Returns the p-values corrected by Holm's step-down procedure (S. Holm, 1979), in the same order.

    What has no p-value was not tested, does not count as a comparison, and stays None.
    """
    tested = [p for p in p_values if p is not None]
    if not tested:
        return list(p_values)
    corrected = iter(multipletests(tested, method="holm")[1].tolist())
    return [None if p is None else min(1.0, next(corrected)) for p in p_values]
