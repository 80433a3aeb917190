"""Arcane's questions in the words of the first contract. Pure.

The contract says what a parameter is called, and little about what it means: `attributes` may be those of one span
or of several, a `minDuration` may be a span's or the trace's. What is sent finds too much under every reading, and is
sent only where a person has said that it finds everything. Arcane evaluates all of it again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from urllib.parse import quote

from arcane.spi import (
    NANOS_PER_SECOND,
    Binary,
    Capabilities,
    Expr,
    Field,
    Literal,
    LiteralType,
    Op,
    PushRule,
    ScanRequest,
    Scope,
    TraceId,
    format_filter,
)
from datasources.custom_api.settings import ATTRIBUTE_NAME, TRACE_ID, CustomApiSettings

_PLAIN_NAME = re.compile(r"[^\s=\",]+")
_HALF_AN_ID = 16
_OWN = frozenset({Scope.SPAN, Scope.RESOURCE})
_STRING = frozenset({LiteralType.STRING})
_NUMBERS = frozenset({LiteralType.INT, LiteralType.DURATION})
_AT_LEAST = frozenset({Op.GT, Op.GE})
_AT_MOST = frozenset({Op.LT, Op.LE})
_EQUAL = frozenset({Op.EQ})


def _rule(scope: Scope, ops: frozenset[Op], literals: frozenset[LiteralType], *names: str) -> PushRule:
    return PushRule(frozenset({scope}), ops, literals, frozenset(names) or None, exact=False)


_TRACEQL = (
    PushRule(_OWN, _EQUAL | {Op.MATCH}, _STRING, exact=False),
    _rule(Scope.INTRINSIC, _EQUAL | {Op.MATCH}, _STRING, "name"),
    _rule(Scope.INTRINSIC, _EQUAL, frozenset({LiteralType.STATUS}), "status"),
    _rule(Scope.INTRINSIC, _EQUAL, frozenset({LiteralType.KIND}), "kind"),
    _rule(Scope.INTRINSIC, _AT_LEAST | _AT_MOST, frozenset({LiteralType.DURATION}), "duration"),
)
_ATTRIBUTES = (PushRule(_OWN, _EQUAL, _STRING, exact=False),)
_EXISTENCE = (PushRule(_OWN, frozenset({Op.NE}), frozenset({LiteralType.NIL}), exact=False),)
_SERVICE = (
    _rule(Scope.RESOURCE, _EQUAL, _STRING, "service.name"),
    _rule(Scope.INTRINSIC, _EQUAL, _STRING, "name"),
    _rule(Scope.INTRINSIC, _AT_LEAST, _NUMBERS, "duration"),
    _rule(Scope.INTRINSIC, _AT_MOST, _NUMBERS, "traceDuration"),
)

Params = list[tuple[str, str]]


class Comparison(NamedTuple):
    """`field op literal`."""

    field: Field
    op: Op
    literal: Literal

    def is_of(self, rules: Sequence[PushRule]) -> bool:
        """True when one of the rules is about it."""
        return any(rule.covers(self.field, self.op, self.literal.type) for rule in rules)


def capabilities_of(settings: CustomApiSettings) -> Capabilities:
    """Returns what the server can do, as the person who connects it says. Nothing of it is exact."""
    rules: list[PushRule] = []
    if settings.query_is_traceql:
        rules += _TRACEQL
    if settings.search_by_attributes:
        rules += _ATTRIBUTES
    if settings.search_by_existence:
        rules += _EXISTENCE
    if settings.search_by_service:
        rules += _SERVICE
    return Capabilities(
        push=tuple(rules),
        push_or=False,
        max_limit=settings.max_limit,
        time_resolution_ns=NANOS_PER_SECOND,
        native_attributes=bool(settings.attribute_names_path and settings.attribute_values_path),
    )


def compile_search(request: ScanRequest, settings: CustomApiSettings) -> Params:
    """Returns the parameters of a search: the window in whole seconds, rounded outwards, and what fits."""
    params = [
        ("start", str(request.within.start // NANOS_PER_SECOND)),
        ("end", str(-(-request.within.end // NANOS_PER_SECOND))),
        ("limit", str(request.limit)),
    ]
    asked = list(_comparisons(request.filter.condition))
    if asked and settings.query_is_traceql and all(one.is_of(_TRACEQL) for one in asked):
        return [*params, ("q", format_filter(request.filter))]
    named = [one for one in asked if _PLAIN_NAME.fullmatch(one.field.name)]
    if settings.search_by_attributes:
        pairs = (f"{one.field.name}={_quoted(one.literal)}" for one in named if one.is_of(_ATTRIBUTES))
        params.append(("attributes", " ".join(pairs)))
    if settings.search_by_existence:
        names = dict.fromkeys(one.field.name for one in named if one.is_of(_EXISTENCE))
        params.append(("filterByAttributeExists", ",".join(names)))
    if settings.search_by_service:
        params += {_parameter(one): str(one.literal.value) for one in reversed(asked) if one.is_of(_SERVICE)}.items()
    return [(name, value) for name, value in params if value]


def compile_trace(trace_id: TraceId, settings: CustomApiSettings) -> list[str]:
    """Returns the paths of a trace: a server may know one that begins with zeros by 16 digits, or without them."""
    bare = trace_id.lstrip("0")
    spellings = dict.fromkeys((trace_id, bare.rjust(_HALF_AN_ID, "0"), bare))
    return [settings.trace_path.replace(TRACE_ID, one) for one in spellings]


def compile_values(field: Field, settings: CustomApiSettings) -> str:
    """Returns the path of an attribute's values; a name is one segment of it, whatever it holds."""
    return settings.attribute_values_path.replace(ATTRIBUTE_NAME, quote(field.name, safe=""))


def _comparisons(expr: Expr | None) -> Iterator[Comparison]:
    """Yields the comparisons, which all have to hold: nothing else is pushed to this contract."""
    match expr:
        case Binary(Op.AND, left, right):
            yield from _comparisons(left)
            yield from _comparisons(right)
        case Binary(op, Field() as field, Literal() as literal):
            yield Comparison(field, op, literal)


def _quoted(literal: Literal) -> str:
    """A value in logfmt."""
    return '"' + str(literal.value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _parameter(one: Comparison) -> str:
    """Of two comparisons with one parameter the first is sent: it finds more than both, never less."""
    if one.literal.type is LiteralType.STRING:
        return "serviceName" if one.field.scope is Scope.RESOURCE else "operationName"
    return "minDuration" if one.op in _AT_LEAST else "maxDuration"
