"""Our sum over genai-prices' rates is genai-prices' own, and nothing is guessed."""

from datetime import UTC, datetime

import pytest
from genai_prices import Usage, calc_price

from arcane.conventions import ListPrices, Tokens
from arcane.demo.cast import MODELS
from arcane.model.time import datetime_of

NOW = 1_795_262_400_000_000_000
PRICES = ListPrices()


def tokens(given: int, made: int, cached: int = 0, created: int = 0, hour: int = 0) -> Tokens:
    return Tokens(given, made, given + made, cached, created, hour)


@pytest.mark.parametrize(
    ("model", "provider"),
    [
        ("gpt-4o", "openai"),
        ("o3", "openai"),
        ("claude-sonnet-4-5", "anthropic"),
        ("claude-haiku-4-5", "anthropic"),
        ("gemini-2.5-pro", "google"),
        ("text-embedding-3-small", "openai"),
        ("deepseek-chat", "deepseek"),
        ("mistral-large-latest", "mistral"),
    ],
)
@pytest.mark.parametrize("counts", [(1000, 100), (1000, 100, 600), (250_000, 10, 1000, 500), (900, 0, 100, 400, 100)])
@pytest.mark.parametrize("moment", [NOW, 1_740_000_000_000_000_000])
def test_price_is_the_packages_price(model: str, provider: str, counts: tuple[int, ...], moment: int) -> None:
    given = tokens(*counts)
    usage = Usage(
        input_tokens=given.input,
        output_tokens=given.output,
        cache_read_tokens=given.cached_input,
        cache_write_tokens=given.cache_creation,
        cache_write_1h_tokens=given.cache_creation_1h,
    )
    own = calc_price(usage, model, provider_id=provider, genai_request_timestamp=datetime_of(moment))
    assert PRICES.price(model, provider, given, moment) == pytest.approx(float(own.total_price), abs=1e-12)


@pytest.mark.parametrize("model", [model for model in MODELS.values() if model.rates is not None], ids=lambda m: m.name)
def test_the_demos_prices_are_the_list_prices(model: object) -> None:
    from arcane.demo.cast import Model

    assert isinstance(model, Model)
    given = tokens(3_000, 70, 1_000, 200 if model.provider == "anthropic" else 0)
    uncached = given.input - given.cached_input - given.cache_creation
    cost = model.cost(uncached, given.output, given.cached_input, given.cache_creation)
    assert cost is not None
    assert PRICES.price(model.name, model.provider, given, NOW) == pytest.approx(float(cost), abs=1e-12)


@pytest.mark.parametrize(
    ("model", "provider"),
    [
        ("my-private-llm", None),
        ("gpt-4o", "vllm"),
        ("llama-3.3-70b", "ollama"),
        ("no-such-model", "openai"),
        ("vendor/no-such-model", None),
        ("no-vendor/x", None),
        ("", "openai"),
        ("eu.nobody.model-v1:0", None),
    ],
)
def test_what_has_no_list_price_has_no_price(model: str, provider: str | None) -> None:
    assert PRICES.price(model, provider, tokens(10, 10), NOW) is None


@pytest.mark.parametrize(
    ("model", "provider", "dollars"),
    [
        ("gpt-4o", "OpenAI", 0.0025),
        ("gpt-4o", "openai.chat", 0.0025),
        ("gemini-2.5-flash", "google.generative-ai", 0.0003),
        ("gemini-2.5-flash", "gcp.gemini", 0.0003),
        ("anthropic/claude-sonnet-4-5-20250929", None, 0.003),
        ("openai/gpt-4o", "openai", 0.0025),
        ("text-embedding-3-small", None, 0.00002),
        ("gpt-4o", "LangChain", 0.0025),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", None, 0.0033),
    ],
)
def test_names_are_found_however_providers_spell_them(model: str, provider: str | None, dollars: float) -> None:
    assert PRICES.price(model, provider, tokens(1000, 0), NOW) == pytest.approx(dollars, abs=1e-12)


def test_a_flood_of_model_names_does_not_fill_memory() -> None:
    prices = ListPrices()
    for number in range(5_000):
        assert prices.price(f"model-{number}", None, tokens(1, 1), NOW) is None
    assert prices.price("gpt-4o", None, tokens(1000, 0), NOW) == pytest.approx(0.0025)
    assert len(prices._models) < 4_097


def test_a_time_that_no_calendar_has_is_not_an_error() -> None:
    assert PRICES.price("o3", "openai", tokens(1000, 0), -5) == pytest.approx(0.01)
    assert PRICES.price("o3", "openai", tokens(1000, 0), 2**64) == pytest.approx(0.002)
    assert datetime_of(NOW) == datetime(2026, 11, 21, 12, tzinfo=UTC)
