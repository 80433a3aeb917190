"""What a call cost: by the operator's own price, else by the public list (genai-prices), else unknown."""

from __future__ import annotations

from typing import Any

from genai_prices import Usage as ListUsage
from genai_prices import calc_price

from arcane.messaging.generation import ModelSpec, Provider

_PER = 1_000_000
_UNLISTED: set[tuple[str, ...]] = set()  # to look through the whole list for what is not there takes milliseconds
_UNLISTED_MAX = 1_000
_LISTS = {
    Provider.OPENAI: "openai",
    Provider.AZURE: "azure",
    Provider.ANTHROPIC: "anthropic",
    Provider.BEDROCK: "aws",
    Provider.VERTEX: "google",
    Provider.AI_STUDIO: "google",
}


def cost_usd(spec: ModelSpec, *, input_tokens: int, output_tokens: int, cached_tokens: int = 0) -> float | None:
    """Returns US dollars, None where nobody knows the price: a machine of one's own, a model that is not listed."""
    if spec.price is not None:
        return (input_tokens * spec.price.input_usd + output_tokens * spec.price.output_usd) / _PER
    where: dict[str, Any]
    if spec.provider in _LISTS:
        where = {"provider_id": _LISTS[spec.provider]}
    elif spec.provider is Provider.COMPATIBLE:
        where = {"provider_api_url": str(spec.settings.get("base_url", ""))}
    else:
        return None
    if (spec.model, *where.values()) in _UNLISTED:
        return None
    usage = ListUsage(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cache_read_tokens=min(cached_tokens, input_tokens) or None,
    )
    try:
        return float(calc_price(usage, spec.model, **where).total_price)
    except (LookupError, ValueError):
        if len(_UNLISTED) >= _UNLISTED_MAX:
            _UNLISTED.clear()
        _UNLISTED.add((spec.model, *where.values()))
        return None
