"""What is known of a score before any value of it: its labels in order, and which of them are good enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """The scale of an ordinal score. `labels` stand from the lowest to the highest; a label's rank is its index."""

    labels: tuple[str, ...]
    acceptable: tuple[str, ...] = ()
    threshold_rank: int | None = None

    def ranks(self, values: Sequence[str]) -> list[int]:
        """Returns the rank of each value. Raises KeyError for a label that is not on the scale."""
        places = {label: rank for rank, label in enumerate(self.labels)}
        return [places[value] for value in values]


Number = float | None
"""A numeric value; None where the row has no score."""

Category = str | None
"""A label; None where the row has no score."""


def paired(a: Sequence[Number], b: Sequence[Number]) -> list[tuple[float, float]]:
    """Returns the rows that both have a value for, in their order."""
    return [(one, other) for one, other in zip(a, b, strict=True) if one is not None and other is not None]


def paired_labels(a: Sequence[Category], b: Sequence[Category]) -> list[tuple[str, str]]:
    """Returns the rows that both have a label for, in their order."""
    return [(one, other) for one, other in zip(a, b, strict=True) if one is not None and other is not None]
