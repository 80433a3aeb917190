"""List prices of models, from genai-prices (https://github.com/pydantic/genai-prices), at the time of the call.

The package's own calculation takes 70 µs; here the prices of a model are looked up once and the
sum is done on floats, which is what a page with hundreds of model calls needs. A test compares
both. A model that is not listed has no price: nothing is guessed.
"""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

from arcane.conventions.view import Tokens
from arcane.model.time import datetime_of

if TYPE_CHECKING:
    from genai_prices.data_snapshot import DataSnapshot
    from genai_prices.types import ModelInfo, ModelPrice, TieredPrices

_PER = 1_000_000
_MOST_MODELS = 4_096  # names come from spans: the memory of lookups is bounded
_OWN_MACHINES = frozenset(
    {"vllm", "ollama", "tgi", "sglang", "llama.cpp", "llamacpp", "lm_studio", "lmstudio", "local"}
)
_VENDORS = ("openai", "anthropic", "google", "mistral", "cohere", "deepseek", "x-ai", "voyageai", "perplexity")
_BEDROCK = re.compile(r"^((us|eu|apac|jp|au|ca|global)\.)?[a-z0-9]+\.[a-z0-9.-]+:\d+$")
_ALIASES = {
    "gcp.gemini": "google",
    "gcp.vertex_ai": "google",
    "gcp.gen_ai": "google",
    "vertexai": "google",
    "vertex_ai": "google",
    "aws.bedrock": "aws",
    "bedrock": "aws",
    "amazon_bedrock": "aws",
    "azure.ai.openai": "azure",
    "azure.ai.inference": "azure",
    "mistral_ai": "mistral",
    "mistralai": "mistral",
    "x_ai": "x-ai",
    "xai": "x-ai",
}


class Prices(Protocol):
    """What view_of asks for the price of a call."""

    def price(self, model: str, provider: str | None, tokens: Tokens, start: int) -> float | None:
        """Returns US dollars for `tokens` at `start` (nanoseconds), None where the model has no list price."""
        ...


class _Rate:
    """Dollars a token, by the size of the whole input where the price has steps."""

    __slots__ = ("base", "steps")

    def __init__(self, price: Decimal | TieredPrices) -> None:
        tiers = [] if isinstance(price, Decimal) else price.tiers
        self.base = float(price if isinstance(price, Decimal) else price.base) / _PER
        self.steps = [(tier.start, float(tier.price) / _PER) for tier in tiers]

    def at(self, whole_input: int) -> float:
        rate = self.base
        for start, stepped in self.steps:
            if whole_input > start:
                rate = stepped
        return rate


class _Card:
    """The rates of one model at one time; what has no rate of its own costs what it is part of."""

    __slots__ = ("cached", "created", "created_1h", "flat", "input", "output", "reasoning")

    def __init__(self, price: ModelPrice) -> None:
        self.input = _rate(price.input_mtok) or _Rate(Decimal(0))
        self.output = _rate(price.output_mtok) or _Rate(Decimal(0))
        self.cached = _rate(price.cache_read_mtok) or self.input
        self.created = _rate(price.cache_write_mtok) or self.input
        self.created_1h = _rate(price.cache_write_1h_mtok) or self.created
        self.reasoning = _rate(price.output_reasoning_mtok) or self.output
        self.flat = not (self.input.steps or self.output.steps)

    def price(self, tokens: Tokens) -> float:
        whole = tokens.input
        if self.flat and not (tokens.cached_input or tokens.cache_creation or tokens.reasoning):  # as most calls are
            return whole * self.input.base + tokens.output * self.output.base
        plain = max(0, whole - tokens.cached_input - tokens.cache_creation)
        return (
            plain * self.input.at(whole)
            + tokens.cached_input * self.cached.at(whole)
            + (tokens.cache_creation - tokens.cache_creation_1h) * self.created.at(whole)
            + tokens.cache_creation_1h * self.created_1h.at(whole)
            + (tokens.output - tokens.reasoning) * self.output.at(whole)
            + tokens.reasoning * self.reasoning.at(whole)
        )


def _rate(price: Decimal | TieredPrices | None) -> _Rate | None:
    return None if price is None else _Rate(price)


class ListPrices:
    """Prices of the snapshot that genai-prices brings.

    It takes 15 MB and 0.25 s to load, so the package is loaded with the first model call that is priced: an
    instance that reads no LLM traces never pays.
    """

    def __init__(self, snapshot: DataSnapshot | None = None) -> None:
        self._given: DataSnapshot | None = snapshot
        self._models: dict[tuple[str, str | None], ModelInfo | None] = {}
        self._cards: dict[int, tuple[ModelPrice, _Card]] = {}

    def price(self, model: str, provider: str | None, tokens: Tokens, start: int) -> float | None:
        """Returns US dollars for `tokens` at `start` (nanoseconds), None where the model has no list price."""
        key = (model, provider)
        if key in self._models:
            found = self._models[key]
        else:
            found = self._find(model, provider)
            if len(self._models) >= _MOST_MODELS:
                self._models.clear()
            self._models[key] = found
        if found is None:
            return None
        prices = found.prices
        listed = found.get_prices(_moment(start)) if isinstance(prices, list) else prices
        return self._card(listed).price(tokens)

    @property
    def _snapshot(self) -> DataSnapshot:
        if self._given is None:
            self._given = import_module("genai_prices.data_snapshot").get_snapshot()
        return self._given

    def _card(self, listed: ModelPrice) -> _Card:
        known = self._cards.get(id(listed))
        if known is None:
            known = self._cards[id(listed)] = (listed, _Card(listed))  # keeps `listed`, so its id stays its own
        return known[1]

    def _find(self, model: str, provider: str | None) -> ModelInfo | None:
        name = (provider or "").strip().lower()
        if name in _OWN_MACHINES:
            return None
        if name:
            listed, found = self._of_provider(name, model)
            if listed:
                return found
        # No provider, or one that is no vendor (a framework's name): the model's own name decides.
        if _BEDROCK.match(model.lower()):
            return self._lookup(model, "aws")
        found = self._lookup(model, None)
        if found is None and "/" in model:
            vendor, _, rest = model.partition("/")
            return self._of_provider(vendor.lower(), rest)[1]
        if found is None:
            known = [info for vendor in _VENDORS if (info := self._lookup(model, vendor)) is not None]
            found = known[0] if len(known) == 1 else None
        return found

    def _of_provider(self, name: str, model: str) -> tuple[bool, ModelInfo | None]:
        """Whether `name` is a provider with a list, and the model there; "openai.chat" is OpenAI's chat."""
        for candidate in (_ALIASES.get(name, name), name.partition(".")[0]):
            try:
                provider = self._snapshot.find_provider(None, candidate, None)
            except LookupError:
                continue
            found = self._lookup(model, provider.id)
            if found is None and "/" in model:
                found = self._lookup(model.rpartition("/")[2], provider.id)
            return True, found
        return False, None

    def _lookup(self, model: str, provider: str | None) -> ModelInfo | None:
        try:
            return self._snapshot.find_provider_model(model, None, provider, None)[1]
        except LookupError:
            return None


def _moment(start: int) -> datetime:
    return datetime_of(min(max(start, 0), 10**19))
