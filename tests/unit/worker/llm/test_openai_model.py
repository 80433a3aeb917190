"""The lean model makes of an answer what the library makes of it, whoever gave it."""

from __future__ import annotations

from typing import Any

import pytest
from openai import AsyncOpenAI
from openai.types.chat import ChatCompletion
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.models.openai._chat_completions import LenientChatCompletion
from pydantic_ai.providers.openai import OpenAIProvider

from worker.llm.providers.openai_model import LeanChatModel

CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Bern"}'}}
MESSAGES: dict[str, dict[str, Any]] = {
    "text": {"content": "Hi"},
    "thoughts in tags": {"content": "<think>well</think>Hi"},
    "thoughts in a field": {"content": "Hi", "reasoning_content": "well"},
    "parts": {"content": [{"type": "text", "text": "Hi"}, {"type": "text", "text": " there"}]},
    "calls": {"content": None, "tool_calls": [CALL]},
    "a refusal": {"content": None, "refusal": "no"},
}
USAGES: dict[str, dict[str, Any] | None] = {
    "nothing": None,
    "counts": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7},
    "no details": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7, "prompt_tokens_details": None},
    "details": {
        "prompt_tokens": 50,
        "completion_tokens": 20,
        "total_tokens": 70,
        "prompt_tokens_details": {"cached_tokens": 10, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 15, "audio_tokens": 0},
    },
    "DeepSeek's": {
        "prompt_tokens": 50,
        "completion_tokens": 20,
        "total_tokens": 70,
        "prompt_cache_hit_tokens": 30,
        "prompt_cache_miss_tokens": 20,
    },
    "details of its own": {
        "prompt_tokens": 50,
        "completion_tokens": 20,
        "total_tokens": 70,
        "prompt_tokens_details": {"cached_tokens": 10, "cache_write_tokens": 4},
    },
}
PLACES = (
    "https://api.openai.com/v1",
    "https://api.x.ai/v1",
    "https://api.deepseek.com",
    "https://api.groq.com/openai/v1",
    "https://api.mistral.ai/v1",
    "https://openrouter.ai/api/v1",
    "http://127.0.0.1:8000/v1",
)


def both(place: str) -> tuple[OpenAIChatModel, OpenAIChatModel]:
    provider = OpenAIProvider(openai_client=AsyncOpenAI(api_key="k", base_url=place))
    return OpenAIChatModel("some-model", provider=provider), LeanChatModel("some-model", provider=provider)


def answered(message: dict[str, Any], usage: dict[str, Any] | None) -> dict[str, Any]:
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", **message}}
    answer = {"id": "1", "object": "chat.completion", "created": 12, "model": "m-1", "choices": [choice]}
    return answer | {"usage": usage, "service_tier": "house"}


@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES)
def test_an_answer_that_was_validated_becomes_what_the_library_makes_of_it(message: dict[str, Any]) -> None:
    library, lean = both(PLACES[0])
    document = answered(message, USAGES["details"])
    first = library._process_response(ChatCompletion.construct(**document))
    second = lean._process_response(LenientChatCompletion.model_validate(document))
    for name in ("finish_reason", "model_name", "provider_details", "provider_response_id"):
        assert getattr(first, name) == getattr(second, name)
    assert [(type(part), getattr(part, "content", None)) for part in first.parts] == [
        (type(part), getattr(part, "content", None)) for part in second.parts
    ]
    assert [(call.tool_call_id, call.tool_name, call.args) for call in first.tool_calls] == [
        (call.tool_call_id, call.tool_name, call.args) for call in second.tool_calls
    ]


@pytest.mark.parametrize("usage", USAGES.values(), ids=USAGES)
@pytest.mark.parametrize("place", PLACES)
def test_the_tokens_that_are_kept_are_counted_as_the_library_counts_them(
    place: str, usage: dict[str, Any] | None
) -> None:
    counted = [
        model._map_usage(LenientChatCompletion.model_validate(answered({"content": "Hi"}, usage)))
        for model in both(place)
    ]
    kept = [(one.input_tokens, one.output_tokens, one.cache_read_tokens) for one in counted]
    assert kept[0] == kept[1]


def test_the_library_is_asked_where_a_provider_counts_otherwise() -> None:
    plainly = {place: lean._counts_plainly for place in PLACES if isinstance(lean := both(place)[1], LeanChatModel)}
    assert plainly[PLACES[0]]
    assert plainly[PLACES[-1]]
    assert not plainly["https://api.x.ai/v1"], "its completion tokens are without those it thought with"
