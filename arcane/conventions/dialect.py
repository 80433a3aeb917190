"""What a dialect is: which keys it writes for which field, and how it says kind and messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from arcane.conventions.messages import Exchange
from arcane.conventions.view import Kind
from arcane.model.span import Span

Keys = tuple[str, ...]


def no_kind(span: Span) -> Kind | None:
    """The dialect does not say what a span is."""
    return None


def no_exchange(span: Span) -> Exchange | None:
    """The dialect has no messages of its own."""
    return None


def no_first_token(span: Span) -> int | None:
    """The dialect does not say when the first token came."""
    return None


def never_aggregate(span: Span, kind: Kind) -> bool:
    """No span of the dialect repeats the usage of others."""
    return False


@dataclass(frozen=True, slots=True)
class TokenKeys:
    """Keys of token counts; `objects` hold a JSON object and count only where no single key does."""

    input: Keys = ()
    output: Keys = ()
    total: Keys = ()
    cached_input: Keys = ()
    cache_creation: Keys = ()
    cache_creation_1h: Keys = ()
    reasoning: Keys = ()
    objects: Keys = ()


@dataclass(frozen=True, slots=True)
class Dialect:
    """One way of writing LLM spans. Pure data and pure functions over a Span.

    A span is looked at when one of its keys is among `markers`. For each field the first key that
    holds something usable wins, dialects in the order of REGISTRY. `kind` beats `fallback_kind`:
    what a dialect says outright counts before what any dialect infers. `words` tell others what it says outright: the
    attributes that name the kind, and their values.
    """

    name: str
    markers: frozenset[str]
    words: Mapping[str, Mapping[str, Kind]] = field(default_factory=lambda: MappingProxyType({}))
    fields: Mapping[str, Keys] = field(default_factory=lambda: MappingProxyType({}))
    tokens: TokenKeys = TokenKeys()
    cost: Keys = ()
    cost_parts: Keys = ()
    cost_objects: Keys = ()
    finish_reasons: Keys = ()
    kind: Callable[[Span], Kind | None] = no_kind
    fallback_kind: Callable[[Span], Kind | None] = no_kind
    is_aggregate: Callable[[Span, Kind], bool] = never_aggregate
    first_token: Callable[[Span], int | None] = no_first_token
    messages: Callable[[Span], Exchange | None] = no_exchange
    content: Callable[[Span], Exchange | None] = no_exchange
