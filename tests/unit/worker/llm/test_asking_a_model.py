"""The worker asks a model: whole, streamed, by a schema, for vectors; with what it took."""

from __future__ import annotations

import json
from contextlib import aclosing

import pytest

from arcane.messaging.generation import ChatMessage, Role, Tool, ToolCall
from tests.support.model_calls import KEY, PRICE, ask, caller, models, spec_of
from tests.support.model_stub import Answer, Call, ModelStub
from tests.support.model_stub_shapes import vector_of
from worker.llm.asking import Ask
from worker.llm.errors import Cause, ModelError

pytestmark = pytest.mark.anyio

SCHEMA = {
    "type": "object",
    "properties": {"verdict": {"type": "string", "enum": ["yes", "no"]}, "why": {"type": "string"}},
    "required": ["verdict", "why"],
}
WEATHER = Tool(name="weather", description="Tells the weather.", parameters={"type": "object", "properties": {}})


async def test_an_answer_comes_with_its_tokens_its_price_and_its_time(model_stub: ModelStub) -> None:
    model_stub.then(Answer("Paris", input_tokens=1_000, output_tokens=100, cached_tokens=10))
    async with models() as opened:
        answer = await opened.generate(caller(), spec_of(model_stub, price=PRICE), ask("The capital of France?"))
    assert answer.text == "Paris"
    assert answer.finish_reason == "stop"
    assert answer.model == "stub-small"
    assert (answer.usage.input_tokens, answer.usage.output_tokens, answer.usage.cached_tokens) == (1_000, 100, 10)
    assert answer.usage.cost_usd == pytest.approx(0.003)
    assert answer.usage.calls == 1
    assert answer.usage.latency_ms > 0
    assert [one.key for one in model_stub.asked] == [KEY]


async def test_a_conversation_arrives_as_it_is(model_stub: ModelStub) -> None:
    call = ToolCall(id="c1", name="weather", arguments='{"city": "Paris"}')
    messages = (
        ChatMessage(role=Role.SYSTEM, text="Be brief."),
        ChatMessage(role=Role.USER, text="How is the weather?"),
        ChatMessage(role=Role.ASSISTANT, tool_calls=(call,)),
        ChatMessage(role=Role.TOOL, text="Sunny.", tool_call_id="c1", tool_name="weather"),
        ChatMessage(role=Role.ASSISTANT, text="It is sunny."),
        ChatMessage(role=Role.USER, text="And tomorrow?"),
    )
    async with models() as opened:
        await opened.generate(caller(), spec_of(model_stub), Ask(messages=messages, tools=(WEATHER,)))
    sent = model_stub.asked[0].body["messages"]
    assert [message["role"] for message in sent] == ["system", "user", "assistant", "tool", "assistant", "user"]
    function = sent[2]["tool_calls"][0]["function"]
    assert (function["name"], json.loads(function["arguments"])) == ("weather", {"city": "Paris"})
    assert (sent[3]["content"], sent[3]["tool_call_id"]) == ("Sunny.", "c1")


async def test_every_parameter_goes_out_under_its_name(model_stub: ModelStub) -> None:
    spec = spec_of(model_stub, parameters={"temperature": 0.1, "max_tokens": 5, "stop": "END", "seed": 3})
    more = {"temperature": 0.9, "top_p": 0.5, "frequency_penalty": 0.25, "presence_penalty": -0.25, "top_k": 4}
    async with models() as opened:
        answer = await opened.generate(caller(), spec, ask(parameters=more))
    sent = model_stub.asked[0].body
    assert {name: sent[name] for name in ("temperature", "top_p", "max_tokens", "seed", "stop")} == {
        "temperature": 0.9,
        "top_p": 0.5,
        "max_tokens": 5,
        "seed": 3,
        "stop": ["END"],
    }
    assert (sent["frequency_penalty"], sent["presence_penalty"]) == (0.25, -0.25)
    assert "top_k" not in sent
    assert answer.ignored == ("top_k",)


async def test_a_parameter_that_does_not_exist_or_cannot_be_is_refused(model_stub: ModelStub) -> None:
    async with models() as opened:
        for wrong in ({"temprature": 1}, {"temperature": 3}, {"max_tokens": 0}, {"stop": [""]}, {"seed": 1.5}):
            with pytest.raises(ModelError) as told:
                await opened.generate(caller(), spec_of(model_stub), ask(parameters=wrong))
            assert told.value.cause is Cause.SETTINGS
            assert repr(next(iter(wrong))) in told.value.message
    assert model_stub.asked == []


async def test_tools_are_offered_and_their_calls_come_back(model_stub: ModelStub) -> None:
    model_stub.then(Answer(calls=(Call("weather", {"city": "Paris"}),)))
    async with models() as opened:
        answer = await opened.generate(caller(), spec_of(model_stub), ask(tools=(WEATHER,), tool_choice="weather"))
    (call,) = answer.tool_calls
    assert (call.name, json.loads(call.arguments)) == ("weather", {"city": "Paris"})
    assert answer.finish_reason == "tool_call"
    sent = model_stub.asked[0].body
    assert sent["tools"][0]["function"]["name"] == "weather"
    assert sent["tool_choice"] != "auto"


async def test_a_tool_that_is_not_there_cannot_be_chosen(model_stub: ModelStub) -> None:
    async with models() as opened:
        with pytest.raises(ModelError, match="'wether'"):
            await opened.generate(caller(), spec_of(model_stub), ask(tools=(WEATHER,), tool_choice="wether"))


@pytest.mark.parametrize("form", ["native", "tool"])
async def test_a_schema_is_kept_to_in_the_form_that_the_server_knows(model_stub: ModelStub, form: str) -> None:
    model_stub.then(Answer(structured={"verdict": "yes", "why": "it fits"}))
    spec = spec_of(model_stub, settings={"base_url": model_stub.url, "structured": form})
    async with models() as opened:
        answer = await opened.structured(caller(), spec, ask().messages, SCHEMA)
    assert answer.structured == {"verdict": "yes", "why": "it fits"}
    assert answer.tool_calls == ()
    assert ("response_format" in model_stub.asked[0].body) == (form == "native")


async def test_an_answer_that_does_not_fit_is_asked_for_again(model_stub: ModelStub) -> None:
    model_stub.then(
        "no JSON",
        Answer(structured={"verdict": "perhaps", "why": ""}),
        Answer(structured={"verdict": "no", "why": "x"}),
    )
    async with models() as opened:
        answer = await opened.structured(caller(), spec_of(model_stub), ask().messages, SCHEMA)
        assert answer.structured["verdict"] == "no"
        model_stub.otherwise = lambda _: Answer("never JSON")
        with pytest.raises(ModelError, match="not JSON"):
            await opened.structured(caller(), spec_of(model_stub), ask().messages, SCHEMA)
    assert len(model_stub.asked) == 3 + 4


async def test_an_answer_that_is_nested_without_end_is_none(model_stub: ModelStub) -> None:
    nested = {"type": "object"}
    async with models(tries=1) as opened:
        for levels, fits in ((100, True), (101, False), (50_000, False)):
            model_stub.then(Answer('{"a":' + "[" * (levels - 1) + "]" * (levels - 1) + "}"))
            if fits:
                assert (await opened.structured(caller(), spec_of(model_stub), ask().messages, nested)).structured
                continue
            with pytest.raises(ModelError) as failed:
                await opened.structured(caller(), spec_of(model_stub), ask().messages, nested)
            assert failed.value.cause is Cause.UNREADABLE


async def test_no_server_can_say_more_tokens_than_can_be_added_up(model_stub: ModelStub) -> None:
    model_stub.then(Answer("Paris", input_tokens=10**30, output_tokens=-5))
    async with models() as opened:
        answer = await opened.generate(caller(), spec_of(model_stub, price=PRICE), ask("The capital of France?"))
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (10**12, 0)
    assert answer.usage.cost_usd is not None
    assert answer.usage.cost_usd > 0


async def test_a_stream_brings_the_words_as_they_come_and_the_whole_at_the_end(model_stub: ModelStub) -> None:
    model_stub.then(Answer("one two three", input_tokens=9, output_tokens=3))
    async with models() as opened, aclosing(opened.stream(caller(), spec_of(model_stub, price=PRICE), ask())) as pieces:
        got = [piece async for piece in pieces]
    assert [piece.text for piece in got[:-1]] == ["one", " two", " three"]
    whole = got[-1].whole
    assert whole is not None
    assert whole.text == "one two three"
    assert (whole.usage.input_tokens, whole.usage.output_tokens) == (9, 3)
    assert whole.usage.cost_usd == pytest.approx((9 * 2 + 3 * 10) / 1e6)


async def test_a_stream_of_tool_calls_ends_with_them_whole(model_stub: ModelStub) -> None:
    model_stub.then(Answer(calls=(Call("weather", {"city": "Paris"}), Call("weather", {"city": "Rome"}))))
    async with (
        models() as opened,
        aclosing(opened.stream(caller(), spec_of(model_stub), ask(tools=(WEATHER,)))) as pieces,
    ):
        whole = [piece async for piece in pieces][-1].whole
    assert whole is not None
    assert [json.loads(call.arguments)["city"] for call in whole.tool_calls] == ["Paris", "Rome"]


async def test_texts_become_vectors_in_their_order(model_stub: ModelStub) -> None:
    texts = [f"text {number}" for number in range(7)]
    async with models(texts_per_call=3) as opened:
        found = await opened.embed(caller(), spec_of(model_stub, model="stub-embedding", price=PRICE), texts)
    assert [list(vector) for vector in found.vectors] == [pytest.approx(vector_of(text), abs=1e-6) for text in texts]
    assert len(model_stub.asked) == 3
    assert found.usage.calls == 3
    assert found.usage.input_tokens > 0
    assert found.usage.cost_usd == pytest.approx(found.usage.input_tokens * 2 / 1e6)


async def test_a_model_without_a_price_costs_nobody_knows_what(model_stub: ModelStub) -> None:
    async with models() as opened:
        answer = await opened.generate(caller(), spec_of(model_stub), ask())
    assert answer.usage.cost_usd is None
