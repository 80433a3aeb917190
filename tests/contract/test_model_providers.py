"""What goes out to each provider, and what its answer becomes: every SDK before a recorder that speaks its wire."""

from __future__ import annotations

import json
from contextlib import aclosing
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from arcane.messaging.generation import ChatMessage, Generated, ModelSpec, Provider, Role, Tool
from tests.support.model_calls import caller, models, spec_of
from tests.support.model_stub import Answer, ModelStub
from tests.support.provider_wires import Recorder, recording
from worker.llm.asking import Ask
from worker.llm.errors import Cause, ModelError

pytestmark = pytest.mark.anyio

ASK = Ask(
    messages=(ChatMessage(role=Role.SYSTEM, text="Be brief."), ChatMessage(role=Role.USER, text="Hello?")),
    parameters={"temperature": 0.5, "top_p": 0.9, "max_tokens": 7, "stop": ["END"], "seed": 3},
)
WEATHER = Tool(name="weather", description="Tells the weather.", parameters={"type": "object", "properties": {}})
AWS = {"aws_access_key_id": "AKIATESTTESTTEST", "aws_secret_access_key": "secret"}


def spec(provider: Provider, model: str, **settings: str) -> ModelSpec:
    return spec_of(ModelStub(), provider=provider, model=model, settings=settings)


async def answered(made: ModelSpec, ask: Ask = ASK, **secrets: str) -> Generated:
    async with models(tries=1) as opened:
        return await opened.generate(caller(**(secrets or {"api_key": "k-123"})), made, ask)


async def streamed(made: ModelSpec, ask: Ask = ASK, **secrets: str) -> tuple[list[str], Generated]:
    async with models(tries=1) as opened, aclosing(opened.stream(caller(**secrets), made, ask)) as pieces:
        got = [piece async for piece in pieces]
    whole = got[-1].whole
    assert whole is not None
    return [piece.text for piece in got[:-1]], whole


def wants(recorder: Recorder, at: int = 0) -> Any:
    assert len(recorder.sent) > at, "nothing was sent"
    return recorder.sent[at]


async def test_openai_takes_the_newer_name_of_max_tokens(model_stub: ModelStub) -> None:
    made = spec(Provider.OPENAI, "gpt-4o-mini", base_url=model_stub.url, organization="org-1", project="proj-1")
    model_stub.then(Answer("Hi", input_tokens=1_000_000, output_tokens=0))
    found = await answered(made)
    sent = model_stub.asked[0]
    assert (sent.body["max_completion_tokens"], sent.body["seed"], sent.body["stop"]) == (7, 3, ["END"])
    assert "max_tokens" not in sent.body
    assert (sent.headers["openai-organization"], sent.headers["openai-project"]) == ("org-1", "proj-1")
    assert sent.key == "k-123"
    assert found.usage.cost_usd == pytest.approx(0.15)


async def test_a_model_that_reasons_is_told_how_much(model_stub: ModelStub) -> None:
    ask = Ask(messages=ASK.messages, parameters={"reasoning_effort": "low"})
    await answered(spec(Provider.OPENAI, "gpt-5-mini", base_url=model_stub.url), ask)
    assert model_stub.asked[0].body["reasoning_effort"] == "low"


async def test_azure_calls_the_deployment_with_its_version(model_stub: ModelStub) -> None:
    endpoint = model_stub.url.removesuffix("/v1")
    made = spec(Provider.AZURE, "gpt-4o", endpoint=endpoint, deployment="mine", api_version="2024-10-21")
    found = await answered(made)
    sent = model_stub.asked[0]
    assert sent.path == "/openai/deployments/mine/chat/completions"
    assert sent.headers["api-key"] == "k-123"
    assert found.text == "Hello?"
    assert found.usage.cost_usd is not None


async def test_ollama_is_asked_without_a_key(model_stub: ModelStub) -> None:
    found = await answered(spec(Provider.OLLAMA, "qwen3", base_url=model_stub.url), nothing="here")
    assert found.text == "Hello?"
    assert found.usage.cost_usd is None


ANTHROPIC = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-6",
    "content": [
        {"type": "text", "text": "Sunny."},
        {"type": "tool_use", "id": "t1", "name": "weather", "input": {"city": "Paris"}},
    ],
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "usage": {"input_tokens": 12, "output_tokens": 5, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0},
}


async def test_anthropic_gets_its_system_apart_and_answers_with_tools() -> None:
    with recording({"/v1/messages": ANTHROPIC}) as recorder:
        made = spec(Provider.ANTHROPIC, "claude-sonnet-4-6", base_url=recorder.url)
        ask = Ask(messages=ASK.messages, tools=(WEATHER,), parameters={"temperature": 0.5, "max_tokens": 7, "seed": 3})
        found = await answered(made, ask)
    sent = wants(recorder)
    assert "k-123" in (sent.headers.get("x-api-key"), sent.headers.get("authorization", "").removeprefix("Bearer "))
    assert "Be brief." in json.dumps(sent.body["system"])
    assert (sent.body["max_tokens"], sent.body["temperature"]) == (7, 0.5)
    assert sent.body["messages"][0]["role"] == "user"
    assert "seed" not in sent.body
    assert found.ignored == ("seed",)
    assert (found.text, found.tool_calls[0].name, found.finish_reason) == ("Sunny.", "weather", "tool_call")
    assert (found.usage.input_tokens, found.usage.output_tokens) == (12, 5)
    assert found.usage.cost_usd is not None


GEMINI = {
    "candidates": [{"content": {"role": "model", "parts": [{"text": "Hi there"}]}, "finishReason": "STOP", "index": 0}],
    "usageMetadata": {"promptTokenCount": 4, "candidatesTokenCount": 2, "totalTokenCount": 6},
    "modelVersion": "gemini-2.5-flash",
}


async def test_ai_studio_gets_its_own_names() -> None:
    with recording({":generateContent": GEMINI}) as recorder:
        found = await answered(spec(Provider.AI_STUDIO, "gemini-2.5-flash", base_url=recorder.url))
    sent = wants(recorder)
    assert sent.path.endswith("/models/gemini-2.5-flash:generateContent")
    assert sent.headers["x-goog-api-key"] == "k-123"
    wanted = sent.body["generationConfig"]
    assert (wanted["maxOutputTokens"], wanted["topP"], wanted["seed"], wanted["stopSequences"]) == (7, 0.9, 3, ["END"])
    assert "Be brief." in json.dumps(sent.body["systemInstruction"])
    assert (found.text, found.usage.input_tokens, found.usage.output_tokens) == ("Hi there", 4, 2)


async def test_vertex_tokens_are_fetched_over_our_road_and_from_google_alone() -> None:
    """The account's file names another place; the recorder is never asked for a token, and nor is that place."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    with recording({":generateContent": GEMINI, "/token": {"access_token": "stolen", "expires_in": 3600}}) as recorder:
        account = {
            "type": "service_account",
            "project_id": "p",
            "private_key": pem,
            "client_email": "a@p.iam.gserviceaccount.com",
            "token_uri": f"{recorder.url}/token",
        }
        made = spec(Provider.VERTEX, "gemini-2.5-flash", location="europe-west4", base_url=recorder.url)
        with pytest.raises(ModelError) as told:
            await answered(made, credentials=json.dumps(account))
    assert told.value.cause in (Cause.CONNECTION, Cause.AUTHENTICATION)
    assert recorder.sent == []


CONVERSE = {
    "output": {"message": {"role": "assistant", "content": [{"text": "Bonjour"}]}},
    "stopReason": "end_turn",
    "usage": {"inputTokens": 8, "outputTokens": 3, "totalTokens": 11},
    "metrics": {"latencyMs": 12},
}


async def test_bedrock_is_signed_and_carried_over_our_road() -> None:
    with recording({"/converse": CONVERSE}) as recorder:
        made = spec(
            Provider.BEDROCK,
            "anthropic.claude-3-haiku-20240307-v1:0",
            region="eu-central-1",
            endpoint_url=recorder.url,
        )
        found = await answered(made, **AWS)
    sent = wants(recorder)
    assert sent.path.endswith("/model/anthropic.claude-3-haiku-20240307-v1:0/converse")
    assert "Credential=AKIATESTTESTTEST/" in sent.headers["authorization"]
    assert "/eu-central-1/bedrock/aws4_request" in sent.headers["authorization"]
    assert sent.body["inferenceConfig"]["maxTokens"] == 7
    assert sent.body["inferenceConfig"]["stopSequences"] == ["END"]
    assert sent.body["system"] == [{"text": "Be brief."}]
    assert found.ignored == ("seed",)
    assert (found.text, found.finish_reason) == ("Bonjour", "stop")
    assert (found.usage.input_tokens, found.usage.output_tokens) == (8, 3)


async def test_bedrock_on_an_address_of_ours_is_not_called() -> None:
    with recording({"/converse": CONVERSE}) as recorder:
        made = spec(
            Provider.BEDROCK, "anthropic.claude-3-haiku-20240307-v1:0", region="eu-central-1", endpoint_url=recorder.url
        )
        async with models(tries=1, networks=[]) as opened:
            with pytest.raises(ModelError) as told:
                await opened.generate(caller(**AWS), made, ASK)
    assert told.value.cause is Cause.ADDRESS
    assert recorder.sent == []


async def test_what_a_provider_refuses_is_told_by_its_kind() -> None:
    refusals = {
        "/v1/messages": (429, {"type": "error", "error": {"type": "rate_limit_error", "message": "slow down"}}),
        ":generateContent": (400, {"error": {"code": 400, "message": "no", "status": "INVALID_ARGUMENT"}}),
        "/converse": (403, {"message": "not you"}),
    }
    with recording(refusals) as recorder:
        for made, secrets, cause in [
            (spec(Provider.ANTHROPIC, "claude-sonnet-4-6", base_url=recorder.url), {"api_key": "k"}, Cause.RATE_LIMIT),
            (spec(Provider.AI_STUDIO, "gemini-2.5-flash", base_url=recorder.url), {"api_key": "k"}, Cause.REJECTED),
            (
                spec(Provider.BEDROCK, "amazon.nova-lite-v1:0", region="us-east-1", endpoint_url=recorder.url),
                AWS,
                Cause.AUTHENTICATION,
            ),
        ]:
            with pytest.raises(ModelError) as told:
                await answered(made, Ask(messages=ASK.messages), **secrets)
            assert told.value.cause is cause, (made.provider, told.value.message)
