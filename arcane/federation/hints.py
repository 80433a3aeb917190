"""What the hints of a query do, in words. None changes which spans match."""

from __future__ import annotations

from dataclasses import dataclass

from arcane.model.notice import Notice
from arcane.traceql.ast_pipeline import Hint, Query
from arcane.traceql.format import format_hint
from arcane.traceql.metrics_query import SAMPLING, exemplars_of
from arcane.traceql.query import is_metrics


@dataclass(frozen=True, slots=True)
class HintEffect:
    """One hint as the query has it, and what it does."""

    hint: str
    effect: str


def effects_of(query: Query, exemplars_max: int) -> tuple[HintEffect, ...]:
    """Returns what each hint of the query does; an answer has at most `exemplars_max` exemplars."""
    measures = is_metrics(query)
    return tuple(HintEffect(format_hint(one), _effect(one, exemplars_max, measures=measures)) for one in query.hints)


def _effect(hint: Hint, exemplars_max: int, *, measures: bool) -> Notice:
    if hint.name == "exemplars":
        wanted = exemplars_of(hint)
        if not measures or wanted is None:
            return Notice("Without effect: it says how many spans of a time series are shown as examples.")
        if not wanted:
            return Notice("No span is shown as an example.")
        return Notice("At most %(count)d spans are shown as examples.", count=min(wanted, exemplars_max))
    if hint.name in SAMPLING:
        return Notice("Without effect: nothing is sampled, every span is looked at.")
    if hint.name == "most_recent":
        if measures:
            return Notice("Without effect: every span of the time range is measured.")
        return Notice("Without effect: the newest traces come first in any case.")
    return Notice("Without effect: this hint means nothing to Arcane, and no datasource is sent it.")
