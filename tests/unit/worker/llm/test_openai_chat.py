"""The lean client asks what the SDK asks, and reads what the SDK reads."""

from __future__ import annotations

from typing import Any

import pytest
from openai import NOT_GIVEN, AsyncAzureOpenAI, AsyncOpenAI, BadRequestError, omit
from openai.types.chat import ChatCompletion

from tests.support.provider_wires import recording
from worker.llm.providers.openai_chat import lean

pytestmark = pytest.mark.anyio

CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Bern"}'}}
ASKED: dict[str, Any] = {
    "model": "stub",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Hello?"}]},
        {"role": "assistant", "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "c1", "content": "Rain."},
    ],
    "tools": [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}, "strict": True}}],
    "response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object"}}},
    "temperature": 0.5,
    "stop": ["END"],
    "seed": omit,
    "user": NOT_GIVEN,
    "extra_headers": {"x-own": "1"},
    "extra_body": {"think": False},
    "timeout": 5.0,
}


def answer(**other: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": "Hi", "reasoning_content": "well", "tool_calls": [CALL]}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    usage = {
        "prompt_tokens": 5,
        "completion_tokens": 2,
        "total_tokens": 7,
        "prompt_tokens_details": {"cached_tokens": 1},
    }
    return {
        "id": "1",
        "object": "chat.completion",
        "created": 12,
        "model": "stub-1",
        "choices": [choice],
        "usage": usage,
        "service_tier": "house",
    } | other


ANSWERS = {
    "whole": answer(),
    "of another tier": answer(service_tier="default"),
    "without a time": answer(created=None),
    "without an end": answer(choices=[{"index": 0, "message": {"role": "assistant", "content": "Hi"}}]),
    "of nothing": {},
    "of text": (b"come in", "text/plain"),
}


@pytest.mark.parametrize("given", ANSWERS.values(), ids=ANSWERS)
async def test_it_asks_and_reads_like_the_sdk(given: Any) -> None:
    answers = []
    with recording({"/chat/completions": given}) as recorder:
        for way in (AsyncOpenAI, lambda **told: lean(AsyncOpenAI(**told))):
            async with way(api_key="k", base_url=f"{recorder.url}/v1", max_retries=0) as client:
                answers.append(await client.chat.completions.create(**ASKED))
    first, second = recorder.sent
    assert (first.path, first.query, first.body, first.headers) == (
        second.path,
        second.query,
        second.body,
        second.headers,
    )
    dumped = [one.model_dump(warnings=False) if isinstance(one, ChatCompletion) else one for one in answers]
    assert dumped[0] == dumped[1]


async def test_a_deployment_of_azure_is_found_where_it_is() -> None:
    with recording({"/chat/completions": answer()}) as recorder:
        async with AsyncAzureOpenAI(azure_endpoint=recorder.url, api_key="k", api_version="2024-10-21") as client:
            await lean(client).chat.completions.create(**{**ASKED, "model": "mine"})
    assert recorder.sent[0].path.endswith("/deployments/mine/chat/completions")


async def test_what_a_provider_refuses_is_the_sdks_error() -> None:
    with recording({"/chat/completions": (400, {"error": {"message": "no"}})}) as recorder:
        async with AsyncOpenAI(api_key="k", base_url=recorder.url, max_retries=0) as client:
            with pytest.raises(BadRequestError, match="no"):
                await lean(client).chat.completions.create(**ASKED)
