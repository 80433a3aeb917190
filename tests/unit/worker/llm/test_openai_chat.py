"""The lean client asks what the SDK asks, at first and ever after, and reads what the SDK reads."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from aiohttp import web
from openai import NOT_GIVEN, APIConnectionError, AsyncAzureOpenAI, AsyncOpenAI, BadRequestError, omit
from openai.types.chat import ChatCompletion

from arcane.kit.egress_addresses import AddressPolicy
from tests.support.provider_wires import recording
from worker.llm.http import Client, HttpBounds, guarded_client
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


PACKED = {"Content-Encoding": "gzip", "Content-Type": "application/json"}


def road() -> Client:
    bounds = HttpBounds(connect_s=5.0, read_s=30.0, answer_bytes=100_000, connections=4)
    return guarded_client(AddressPolicy.of(["127.0.0.0/8"]), bounds)


def dumped(answer: Any) -> Any:
    return answer.model_dump(warnings=False) if isinstance(answer, ChatCompletion) else answer


@pytest.mark.parametrize("given", ANSWERS.values(), ids=ANSWERS)
async def test_it_asks_and_reads_like_the_sdk(given: Any) -> None:
    with recording({"/chat/completions": given}) as recorder:
        async with road() as http:
            told: dict[str, Any] = {"base_url": f"{recorder.url}/v1", "max_retries": 0, "http_client": http}
            plain, quick = AsyncOpenAI(api_key="k", **told), lean(AsyncOpenAI(api_key="k", **told), http)
            answers = [await client.chat.completions.create(**ASKED) for client in (plain, quick, quick)]
            other = {**ASKED, "model": "other", "messages": [{"role": "user", "content": "Grüße"}]}
            for client in (plain, quick, quick):
                await client.chat.completions.create(**other)
    for first in (0, 3):
        assert recorder.sent[first] == recorder.sent[first + 1] == recorder.sent[first + 2]
    assert dumped(answers[0]) == dumped(answers[1]) == dumped(answers[2])


async def test_what_was_said_of_one_call_is_not_said_of_the_next() -> None:
    with recording({"/chat/completions": answer()}) as recorder:
        async with road() as http:
            client = lean(AsyncOpenAI(api_key="k", base_url=recorder.url, http_client=http), http)
            for said in ("1", "2", "1", "2"):
                await client.chat.completions.create(**{**ASKED, "extra_headers": {"x-own": said}})
    assert [sent.headers["x-own"] for sent in recorder.sent] == ["1", "2", "1", "2"]


async def test_a_deployment_of_azure_is_found_where_it_is() -> None:
    with recording({"/chat/completions": answer()}) as recorder:
        async with road() as http:
            azure = AsyncAzureOpenAI(
                azure_endpoint=recorder.url, api_key="k", api_version="2024-10-21", http_client=http
            )
            client = lean(azure, http)
            for model in ("mine", "mine", "yours", "yours"):
                await client.chat.completions.create(**{**ASKED, "model": model})
    assert [sent.path.split("/")[-3] for sent in recorder.sent] == ["mine", "mine", "yours", "yours"]
    assert {(sent.query, sent.headers["api-key"]) for sent in recorder.sent} == {("api-version=2024-10-21", "k")}


async def test_what_a_provider_refuses_is_the_sdks_error() -> None:
    with recording({"/chat/completions": answer()}) as recorder:
        async with road() as http:
            client = lean(AsyncOpenAI(api_key="k", base_url=recorder.url, http_client=http, max_retries=0), http)
            for _ in range(2):
                await client.chat.completions.create(**ASKED)
                recorder.answers = {"/chat/completions": (400, {"error": {"message": "no"}})}
                with pytest.raises(BadRequestError, match="no") as refused:
                    await client.chat.completions.create(**ASKED)
                recorder.answers = {"/chat/completions": answer()}
    assert refused.value.response.headers["content-type"].startswith("application/json")


async def test_an_answer_that_is_compressed_is_read() -> None:
    packed = gzip.compress(json.dumps(answer()).encode())
    with recording({"/chat/completions": lambda: web.Response(body=packed, headers=PACKED)}) as recorder:
        async with road() as http:
            client = lean(AsyncOpenAI(api_key="k", base_url=recorder.url, http_client=http), http)
            said = [(await client.chat.completions.create(**ASKED)).choices[0].message.content for _ in range(2)]
    assert said == ["Hi", "Hi"]


async def test_what_breaks_on_the_way_is_the_sdks_error() -> None:
    async with road() as http:
        with recording({"/chat/completions": answer()}) as recorder:
            client = lean(AsyncOpenAI(api_key="k", base_url=recorder.url, http_client=http, max_retries=0), http)
            await client.chat.completions.create(**ASKED)
        with pytest.raises(APIConnectionError):
            await client.chat.completions.create(**ASKED)
