"""The angle between vectors."""

from __future__ import annotations

import math
from collections.abc import Sequence

from worker.scoring.errors import Undefined


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """Returns the cosine of the angle between two vectors, -1 to 1; raises Undefined for one of length zero."""
    lengths = math.hypot(*one) * math.hypot(*other)
    if not lengths or not math.isfinite(lengths):
        raise Undefined("the embedding model gave a text a vector without a direction")
    return max(-1.0, min(1.0, sum(a * b for a, b in zip(one, other, strict=True)) / lengths))
