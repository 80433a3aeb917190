"""Many scores are compared at once: some of them would look different by chance alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Returns the p-values corrected by Holm's step-down procedure (S. Holm, 1979), in the same order.

    What has no p-value was not tested, does not count as a comparison, and stays None. (statsmodels has this too, and
    walks the whole heap for garbage at every call; a test compares the two.)
    """
    tested = [place for place, p in enumerate(p_values) if p is not None]
    ordered = sorted(tested, key=lambda place: p_values[place] or 0.0)
    times_left = np.array([p_values[place] for place in ordered], dtype=float) * np.arange(len(ordered), 0, -1)
    corrected = np.minimum(np.maximum.accumulate(times_left), 1.0).tolist()
    found = dict(zip(ordered, corrected, strict=True))
    return [found.get(place) for place in range(len(p_values))]
