"""What to read from a span, worked out once for all spans that carry the same known keys.

Spans of one library carry the same keys over and over. Reading only those that are there makes a
view two to three times cheaper than trying all keys of all dialects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

from arcane.conventions.dialect import Dialect, Keys, TokenKeys, never_aggregate, no_first_token, no_kind
from arcane.conventions.registry import REGISTRY
from arcane.conventions.view import Kind
from arcane.model.span import Span
from arcane.model.values import Attributes

_MOST_PLANS = 2_048  # keys come from spans: memory is bounded
_MOST_NAMES = 40
"""A span with more attributes numbers some of its names (messages, documents), and hardly any other has the same."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The first dialect that is spoken, what the spoken ones find out, and for each field the keys that are there."""

    dialect: str
    kinds: tuple[Callable[[Span], Kind | None], ...]
    aggregates: tuple[Callable[[Span, Kind], bool], ...]
    first_tokens: tuple[Callable[[Span], int | None], ...]
    tokens: TokenKeys | None
    cost: Keys
    cost_parts: Keys
    cost_objects: Keys
    finish_reasons: Keys
    operation: Keys
    request_model: Keys
    response_model: Keys
    provider: Keys
    agent: Keys
    tool: Keys
    tool_call_id: Keys
    conversation_id: Keys
    session_id: Keys
    user_id: Keys


def _all(keys_of: Callable[[Dialect], Iterable[str]]) -> Keys:
    """Returns the keys of all dialects in order of belief, each once."""
    return tuple(dict.fromkeys(key for dialect in REGISTRY for key in keys_of(dialect)))


def _field(name: str) -> Keys:
    return _all(lambda dialect: dialect.fields.get(name, ()))


def _token_keys(name: str) -> Keys:
    def keys_of(dialect: Dialect) -> Keys:
        keys: Keys = getattr(dialect.tokens, name)
        return keys

    return _all(keys_of)


_FIELDS = (
    "operation",
    "request_model",
    "response_model",
    "provider",
    "agent",
    "tool",
    "tool_call_id",
    "conversation_id",
    "session_id",
    "user_id",
)
_FIELD_KEYS = tuple(_field(name) for name in _FIELDS)
_TOKEN_NAMES = tuple(TokenKeys.__dataclass_fields__)
_TOKEN_KEYS = tuple(_token_keys(name) for name in _TOKEN_NAMES)
_COST = _all(lambda dialect: dialect.cost)
_COST_PARTS = _all(lambda dialect: dialect.cost_parts)
_COST_OBJECTS = _all(lambda dialect: dialect.cost_objects)
_FINISH = _all(lambda dialect: dialect.finish_reasons)
_MARKERS = frozenset(_all(lambda dialect: dialect.markers))

USER_KEYS = _field("user_id")
SESSION_KEYS = _field("session_id")
KNOWN = _MARKERS.union(*_FIELD_KEYS, *_TOKEN_KEYS, _COST, _COST_PARTS, _COST_OBJECTS, _FINISH)


def plan_of(attributes: Attributes) -> Plan | None:
    """Returns how to read a span with these attributes; None when no dialect is spoken.

    Spans of one place in a program have the same names in the same order: to look that up is cheaper than to
    find out which of them are known.
    """
    if len(attributes) <= _MOST_NAMES:
        return _plan_for_names(tuple(attributes))
    return _plan_for(KNOWN.intersection(attributes))


@lru_cache(maxsize=_MOST_PLANS)
def _plan_for_names(names: tuple[str, ...]) -> Plan | None:
    return _plan_for(KNOWN.intersection(names))


@lru_cache(maxsize=_MOST_PLANS)
def _plan_for(known: frozenset[str]) -> Plan | None:
    if known.isdisjoint(_MARKERS):
        return None
    tokens = TokenKeys(*(_there(keys, known) for keys in _TOKEN_KEYS))
    counted = tokens.input or tokens.output or tokens.total or tokens.objects
    spoken = [dialect for dialect in REGISTRY if not dialect.markers.isdisjoint(known)]
    return Plan(
        spoken[0].name,
        tuple(dialect.kind for dialect in spoken if dialect.kind is not no_kind),
        tuple(dialect.is_aggregate for dialect in spoken if dialect.is_aggregate is not never_aggregate),
        tuple(dialect.first_token for dialect in spoken if dialect.first_token is not no_first_token),
        tokens if counted else None,
        _there(_COST, known),
        _there(_COST_PARTS, known),
        _there(_COST_OBJECTS, known),
        _there(_FINISH, known),
        *(_there(keys, known) for keys in _FIELD_KEYS),
    )


def _there(keys: Keys, known: frozenset[str]) -> Keys:
    return tuple(key for key in keys if key in known)
