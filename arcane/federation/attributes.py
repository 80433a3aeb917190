"""Attribute names and values for completion, merged over datasources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from arcane.federation.asking import Asking
from arcane.federation.replies import ask_each
from arcane.model.outcome import QueryOutcome
from arcane.model.time import TimeRange
from arcane.spi.defaults import scan_attribute_names, scan_attribute_values
from arcane.spi.scan import AttributeName, AttributeQuery, AttributeValueCount
from arcane.traceql.ast import Field

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Merged(Generic[T]):
    """What the datasources know together. `cut` when there was more than the limit."""

    items: tuple[T, ...]
    cut: bool
    outcome: QueryOutcome


async def attribute_names(askings: Sequence[Asking], query: AttributeQuery) -> Merged[Field]:
    """Returns the names that any datasource has, each once for every scope it stands in, by name."""

    async def ask(asking: Asking) -> list[AttributeName]:
        adapter, within = asking.source.adapter, _accepted(asking, query)
        async with asking.gates.of(adapter), asking.gates.process:
            if _answers(asking, query):
                return await adapter.attribute_names(within, asking.deadline)
            return await scan_attribute_names(adapter, within, asking.deadline)

    replies = await ask_each(askings, ask)
    found = {name.field for reply in replies for name in reply.value or ()}
    ordered = sorted(found, key=lambda field: (field.name, field.scope))
    outcome = QueryOutcome(tuple(reply.outcome(len(reply.value or ())) for reply in replies))
    return Merged(tuple(ordered[: query.limit]), len(ordered) > query.limit, outcome)


async def attribute_values(
    askings: Sequence[Asking], field: Field, query: AttributeQuery
) -> Merged[AttributeValueCount]:
    """Returns the values that any datasource has, the most frequent first as far as counts are known."""

    async def ask(asking: Asking) -> list[AttributeValueCount]:
        adapter, within = asking.source.adapter, _accepted(asking, query)
        async with asking.gates.of(adapter), asking.gates.process:
            if _answers(asking, query):
                return await adapter.attribute_values(field, within, asking.deadline)
            return await scan_attribute_values(adapter, field, within, asking.deadline)

    replies = await ask_each(askings, ask)
    counts: dict[tuple[str, str | int | float | bool], int | None] = {}
    for reply in replies:
        for value in reply.value or ():
            key = (value.type, value.value)
            known = counts.get(key)
            counts[key] = value.count if known is None else known + (value.count or 0)
    merged = [AttributeValueCount(kind, value, count) for (kind, value), count in counts.items()]
    merged.sort(key=lambda value: (-(value.count or 0), value.type, str(value.value)))
    outcome = QueryOutcome(tuple(reply.outcome(len(reply.value or ())) for reply in replies))
    return Merged(tuple(merged[: query.limit]), len(merged) > query.limit, outcome)


def _answers(asking: Asking, query: AttributeQuery) -> bool:
    """True when the adapter's own answer keeps to the filter.

    An index that cannot filter would show what a project must not see, so it is not asked then:
    traces are scanned and the filter is evaluated here.
    """
    return query.filter.condition is None or asking.source.adapter.capabilities.exact(query.filter.condition)


def _accepted(asking: Asking, query: AttributeQuery) -> AttributeQuery:
    longest = asking.source.adapter.capabilities.max_range_ns
    if longest is None or query.within.duration <= longest:
        return query
    return replace(query, within=TimeRange(query.within.end - longest, query.within.end))
