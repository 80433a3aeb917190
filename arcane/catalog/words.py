"""What a backend can do, as data and in words, for whoever connects it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from arcane.spi.capabilities import Capabilities, Order, PushRule

Say = Callable[[str], str]
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


def in_words(capabilities: Capabilities, say: Say = str) -> tuple[str, ...]:
    """Returns sentences for a person; `say` translates."""
    return tuple(_sentences(capabilities, say))


def _sentences(capabilities: Capabilities, say: Say) -> Iterator[str]:
    if not capabilities.push:
        yield say("It lists traces of a time range; every condition is evaluated by Arcane.")
    for rule in capabilities.push:
        yield _rule_in_words(rule, say)
    if capabilities.push:
        yield say("It answers || itself.") if capabilities.push_or else say("Arcane evaluates || itself.")
        yield say("It answers !( ) itself.") if capabilities.push_not else say("Arcane evaluates !( ) itself.")
    if capabilities.order is Order.NEWEST_FIRST:
        yield say("It answers with the newest traces first.")
    else:
        yield say("It answers in any order: Arcane finds the newest traces by narrowing the time range.")
    if capabilities.whole_traces:
        yield say("It answers a search with whole traces.")
    if capabilities.max_range_ns is not None:
        hours = capabilities.max_range_ns / _NANOS_PER_HOUR
        yield say("It searches at most {hours} hours at once; longer searches are split.").format(hours=f"{hours:g}")
    if capabilities.native_attributes:
        yield say("It knows its attribute names and values by an index.")
    else:
        yield say("Attribute names and values are found by looking at recent traces.")


def _rule_in_words(rule: PushRule, say: Say) -> str:
    where = ", ".join(sorted(scope.value or say("unscoped") for scope in rule.scopes))
    names = say("any name") if rule.names is None else ", ".join(sorted(rule.names))
    operators = " ".join(sorted(op.value for op in rule.ops))
    if rule.exact:
        sentence = say("It filters {where} ({names}) by {operators}.")
    else:
        sentence = say("It narrows {where} ({names}) by {operators}; Arcane checks the rest.")
    return sentence.format(where=where, names=names, operators=operators)


def _rule(rule: PushRule) -> dict[str, Any]:
    return {
        "scopes": sorted(scope.value for scope in rule.scopes),
        "operators": sorted(op.value for op in rule.ops),
        "literals": sorted(literal.value for literal in rule.literals),
        "names": None if rule.names is None else sorted(rule.names),
        "exact": rule.exact,
    }
