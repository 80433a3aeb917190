"""Computes in a process of its own: scipy and statsmodels cost more memory than all of the backend when it is idle.

The process starts with the first question, takes further ones, and ends when it was not needed for some minutes
(anyio's worker processes). Nothing in the backend imports `arcane.statistics.summaries` or `comparisons`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from anyio import CapacityLimiter, to_process

from arcane.statistics.scale import Category, Number, Ordered
from arcane.statistics.shapes import (
    NominalComparison,
    NominalSummary,
    NumericComparison,
    NumericSummary,
    OrdinalComparison,
    OrdinalSummary,
)


def _compute(module: str, function: str, arguments: tuple[Any, ...]) -> Any:
    return getattr(import_module(f"arcane.statistics.{module}"), function)(*arguments)


@dataclass(frozen=True, slots=True)
class Statistician:
    """Answers one question at a time in a process of its own; a cancelled question ends its process."""

    limiter: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(1))

    async def summary_of_numbers(self, values: Sequence[Number]) -> NumericSummary:
        """See summaries.numeric."""
        answer: NumericSummary = await self._ask("summaries", "numeric", values)
        return answer

    async def summary_of_labels(self, values: Sequence[Category], labels: Sequence[str]) -> NominalSummary:
        """See summaries.nominal."""
        answer: NominalSummary = await self._ask("summaries", "nominal", values, labels)
        return answer

    async def summary_of_ranks(self, values: Sequence[Category], scale: Ordered) -> OrdinalSummary:
        """See summaries.ordinal."""
        answer: OrdinalSummary = await self._ask("summaries", "ordinal", values, scale)
        return answer

    async def comparison_of_numbers(self, a: Sequence[Number], b: Sequence[Number]) -> NumericComparison:
        """See comparisons.numeric."""
        answer: NumericComparison = await self._ask("comparisons", "numeric", a, b)
        return answer

    async def comparison_of_labels(
        self, a: Sequence[Category], b: Sequence[Category], labels: Sequence[str]
    ) -> NominalComparison:
        """See comparisons.nominal."""
        answer: NominalComparison = await self._ask("comparisons", "nominal", a, b, labels)
        return answer

    async def comparison_of_ranks(
        self, a: Sequence[Category], b: Sequence[Category], scale: Ordered
    ) -> OrdinalComparison:
        """See comparisons.ordinal."""
        answer: OrdinalComparison = await self._ask("comparisons", "ordinal", a, b, scale)
        return answer

    async def corrected(self, p_values: Sequence[float | None]) -> list[float | None]:
        """See correction.holm."""
        answer: list[float | None] = await self._ask("correction", "holm", p_values)
        return answer

    async def _ask(self, module: str, function: str, *arguments: Any) -> Any:
        return await to_process.run_sync(_compute, module, function, arguments, cancellable=True, limiter=self.limiter)
