"""What a backend can do, as data and in words, for whoever connects it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from arcane.model.notice import Notice
from arcane.spi.capabilities import Capabilities, Order, PushRule

_NANOS_PER_HOUR = 3_600_000_000_000


def as_data(capabilities: Capabilities) -> dict[str, Any]:
    """Returns the capabilities as JSON."""
    return {
        "push": [_rule(rule) for rule in capabilities.push],
        "push_or": capabilities.push_or,
        "push_not": capabilities.push_not,
        "order": capabilities.order.value,
        "whole_traces": capabilities.whole_traces,
        "max_limit": capabilities.max_limit,
        "time_resolution_ns": str(capabilities.time_resolution_ns),
        "max_range_ns": None if capabilities.max_range_ns is None else str(capabilities.max_range_ns),
        "native_attributes": capabilities.native_attributes,
        "concurrency": capabilities.concurrency,
    }


def in_words(capabilities: Capabilities) -> tuple[Notice, ...]:
    """Returns sentences for a person."""
    return tuple(_sentences(capabilities))


def _sentences(capabilities: Capabilities) -> Iterator[Notice]:
    if not capabilities.push:
        yield Notice("It lists traces of a time range; every condition is evaluated by Arcane.")
    for rule in capabilities.push:
        yield _rule_in_words(rule)
    if capabilities.push:
        yield Notice("It answers || itself.") if capabilities.push_or else Notice("Arcane evaluates || itself.")
        yield Notice("It answers !( ) itself.") if capabilities.push_not else Notice("Arcane evaluates !( ) itself.")
    if capabilities.order is Order.NEWEST_FIRST:
        yield Notice("It answers with the newest traces first.")
    else:
        yield Notice("It answers in any order: Arcane finds the newest traces by narrowing the time range.")
    if capabilities.whole_traces:
        yield Notice("It answers a search with whole traces.")
    if capabilities.max_range_ns is not None:
        hours = capabilities.max_range_ns / _NANOS_PER_HOUR
        yield Notice("It searches at most %(hours)g hours at once; longer searches are split.", hours=hours)
    if capabilities.native_attributes:
        yield Notice("It knows its attribute names and values by an index.")
    else:
        yield Notice("Attribute names and values are found by looking at recent traces.")


def _rule_in_words(rule: PushRule) -> Notice:
    where = ", ".join(sorted(scope.value or "unscoped" for scope in rule.scopes))
    names = Notice("any name") if rule.names is None else ", ".join(sorted(rule.names))
    operators = " ".join(sorted(op.value for op in rule.ops))
    values = {"where": where, "names": names, "operators": operators}
    if rule.exact:
        return Notice("It filters %(where)s (%(names)s) by %(operators)s.", **values)
    return Notice("It narrows %(where)s (%(names)s) by %(operators)s; Arcane checks the rest.", **values)


def _rule(rule: PushRule) -> dict[str, Any]:
    return {
        "scopes": sorted(scope.value for scope in rule.scopes),
        "operators": sorted(op.value for op in rule.ops),
        "literals": sorted(literal.value for literal in rule.literals),
        "names": None if rule.names is None else sorted(rule.names),
        "exact": rule.exact,
    }
