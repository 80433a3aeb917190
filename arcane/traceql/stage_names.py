"""The names of stages, and which of them somebody may have meant."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from types import MappingProxyType

from arcane.traceql.ast_pipeline import AggregateKind, MetricsKind

_NAMES = (*AggregateKind, *MetricsKind, "by", "coalesce", "select", "topk", "bottomk")
_ELSEWHERE: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("group", "groupby", "group_by"), "by"),
        **dict.fromkeys(("mean", "average"), AggregateKind.AVG),
        **dict.fromkeys(("quantile", "percentile", "histogram_quantile"), MetricsKind.QUANTILE),
        **dict.fromkeys(("top", "limit"), "topk"),
        "bottom": "bottomk",
        "fields": "select",
        "histogram": MetricsKind.HISTOGRAM,
    }
)
"""What other languages call it."""


def meant(word: str) -> str | None:
    """Returns the name of the stage that `word` is nearly, or is in another language; None where it is like none."""
    small = word.lower()
    close = difflib.get_close_matches(small, _NAMES, n=1, cutoff=0.7)
    return _ELSEWHERE.get(small) or (str(close[0]) if close else None)


def all_names() -> str:
    """Returns the names of all stages, for a sentence."""
    return ", ".join(_NAMES)
