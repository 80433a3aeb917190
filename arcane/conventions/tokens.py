"""Brings token counts of all dialects into one shape (see Tokens)."""

from __future__ import annotations

from arcane.conventions.dialect import Keys, TokenKeys
from arcane.conventions.read import amount, count, mapping
from arcane.conventions.view import REPORTED, Cost, Tokens
from arcane.model.values import Attributes

_OBJECT_INPUT = ("input_tokens", "prompt_tokens", "input", "promptTokens", "inputTokens")
_OBJECT_OUTPUT = ("output_tokens", "completion_tokens", "output", "completionTokens", "outputTokens")
_OBJECT_CACHED = ("cache_read_tokens", "cache_read_input_tokens", "input_cached_tokens", "input_cache_read")
_OBJECT_CREATED = ("cache_write_tokens", "cache_creation_input_tokens", "input_cache_creation")
_OBJECT_REASONING = ("reasoning_tokens", "output_reasoning_tokens", "output_reasoning")


def tokens_of(attributes: Attributes, keys: TokenKeys) -> Tokens | None:
    """Returns the usage that stands on a span under `keys`, None where there is none."""
    given, made = count(attributes, keys.input), count(attributes, keys.output)
    if given is None and made is None:
        return _from_objects(attributes, keys.objects) or _only_total(attributes, keys.total)
    return _tokens(
        given or 0,
        made or 0,
        (keys.cached_input and count(attributes, keys.cached_input)) or 0,
        (
            (keys.cache_creation and count(attributes, keys.cache_creation)) or 0,
            (keys.cache_creation_1h and count(attributes, keys.cache_creation_1h)) or 0,
        ),
        (keys.reasoning and count(attributes, keys.reasoning)) or 0,
    )


def _tokens(given: int, made: int, cached: int, created: tuple[int, int], reasoning: int) -> Tokens:
    creation, hour = created
    if given < cached + creation:
        # Counts as Anthropic's API gives them: the cached tokens stand beside the input, not in it.
        given += cached + creation
    return Tokens(
        input=given,
        output=made,
        total=given + made,
        cached_input=cached,
        cache_creation=creation,
        cache_creation_1h=min(hour, creation),
        reasoning=min(reasoning, made),
    )


def _from_objects(attributes: Attributes, keys: Keys) -> Tokens | None:
    for key in keys:
        counts = mapping(attributes[key])
        given, made = count(counts, _OBJECT_INPUT), count(counts, _OBJECT_OUTPUT)
        if given is not None or made is not None:
            return _tokens(
                given or 0,
                made or 0,
                count(counts, _OBJECT_CACHED) or 0,
                (count(counts, _OBJECT_CREATED) or 0, count(counts, ("cache_write_1h_tokens",)) or 0),
                count(counts, _OBJECT_REASONING) or 0,
            )
    return None


def _only_total(attributes: Attributes, keys: Keys) -> Tokens | None:
    """Some emitters give the sum alone: it is kept, and cannot be priced."""
    total = count(attributes, keys)
    return None if total is None else Tokens(0, 0, total)


def reported_cost(attributes: Attributes, keys: Keys, parts: Keys, objects: Keys) -> Cost | None:
    """Returns the cost that stands on a span: under one of `keys`, as the sum of `parts`, or in a JSON object."""
    for key in keys:
        if (usd := amount(attributes[key])) is not None:
            return Cost(usd, REPORTED)
    shares = [usd for key in parts if (usd := amount(attributes[key])) is not None]
    if shares:
        return Cost(sum(shares), REPORTED)
    for key in objects:
        if (usd := _sum(mapping(attributes[key]))) is not None:
            return Cost(usd, REPORTED)
    return None


def _sum(costs: dict[str, object]) -> float | None:
    for key in ("total", "total_cost"):
        if key in costs:
            return amount(costs[key])
    numbers = [usd for value in costs.values() if (usd := amount(value)) is not None]
    return sum(numbers) if numbers else None
