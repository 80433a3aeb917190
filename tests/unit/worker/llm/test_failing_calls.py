"""What fails is tried again where that may help, told in a sentence where it does not, and not waited for too long."""

from __future__ import annotations

import time
from contextlib import aclosing
from uuid import UUID

import anyio
import pytest

from arcane.messaging.generation import Provider
from tests.support.model_calls import KEY, ask, caller, models, spec_of
from tests.support.model_stub import Answer, ModelStub, Refusal, Stall
from worker.llm.errors import Cause, ModelError
from worker.llm.models import Models

pytestmark = pytest.mark.anyio

PROMPT = "a prompt that nobody else may read"


@pytest.mark.parametrize("status", [429, 500, 502, 503, 529])
async def test_what_may_pass_is_tried_again(model_stub: ModelStub, status: int) -> None:
    model_stub.then(Refusal(status), Refusal(status), Answer("at last"))
    async with models() as opened:
        assert (await opened.generate(caller(), spec_of(model_stub), ask())).text == "at last"
    assert len(model_stub.asked) == 3


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (400, Cause.REJECTED),
        (401, Cause.AUTHENTICATION),
        (403, Cause.AUTHENTICATION),
        (404, Cause.NOT_FOUND),
        (422, Cause.REJECTED),
    ],
)
async def test_what_does_not_pass_is_told_at_once(model_stub: ModelStub, status: int, cause: Cause) -> None:
    refusal = Refusal(status, f"wrong key {KEY} for: {PROMPT}", "some_code")
    model_stub.otherwise = lambda _: refusal
    async with models() as opened:
        with pytest.raises(ModelError) as told:
            await opened.generate(caller(), spec_of(model_stub), ask(PROMPT))
    assert told.value.cause is cause
    assert not told.value.later
    assert str(status) in told.value.message
    assert PROMPT not in told.value.message
    assert KEY not in told.value.message + told.value.detail
    assert len(model_stub.asked) == 1


async def test_it_gives_up_after_its_tries(model_stub: ModelStub) -> None:
    model_stub.otherwise = lambda _: Refusal(503)
    async with models(tries=3) as opened:
        with pytest.raises(ModelError) as told:
            await opened.generate(caller(), spec_of(model_stub), ask())
    assert told.value.cause is Cause.UNAVAILABLE
    assert told.value.later
    assert len(model_stub.asked) == 3


async def test_a_provider_that_says_when_is_left_alone_until_then_by_everybody_with_that_key(
    model_stub: ModelStub,
) -> None:
    model_stub.then(Refusal(429, retry_after_s=1))
    spec = spec_of(model_stub)
    async with models() as opened, anyio.create_task_group() as group:
        group.start_soon(opened.generate, caller(), spec, ask("first"))
        await model_stub.until_asked()
        await anyio.sleep(0.2)
        group.start_soon(opened.generate, caller(), spec, ask("second"))
        other = await opened.generate(caller(api_key="another"), spec, ask("other"))
    assert other.text == "other"
    first = model_stub.asked[0].at
    later = {one.last: one.at - first for one in model_stub.asked[1:]}
    assert later["first"] >= 1.0
    assert later["second"] >= 1.0
    assert later["other"] < later["second"]


async def test_a_wait_that_is_longer_than_the_deadline_is_not_begun(model_stub: ModelStub) -> None:
    model_stub.then(Refusal(429, retry_after_s=60))
    begun = time.monotonic()
    async with models() as opened:
        with pytest.raises(ModelError) as told:
            await opened.generate(caller(20), spec_of(model_stub), ask())
    assert told.value.cause is Cause.RATE_LIMIT
    assert told.value.retry_after_s == 60
    assert time.monotonic() - begun < 15


async def test_a_model_that_stalls_is_given_up_at_the_deadline_and_hung_up_on(model_stub: ModelStub) -> None:
    model_stub.otherwise = lambda _: Stall()
    async with models() as opened:
        with pytest.raises(ModelError) as told:
            await opened.generate(caller(3), spec_of(model_stub), ask())
        assert told.value.cause is Cause.DEADLINE
        await model_stub.until_abandoned()


async def test_silence_longer_than_the_longest_is_a_timeout_and_tried_again(model_stub: ModelStub) -> None:
    model_stub.then(Stall())
    async with models(call_timeout_s=1.0) as opened:
        answer = await opened.generate(caller(), spec_of(model_stub), ask("still there?"))
    assert answer.text == "still there?"
    assert len(model_stub.asked) == 2


async def test_a_connection_that_breaks_in_an_answer_is_tried_again(model_stub: ModelStub) -> None:
    model_stub.then(Answer("cut", cut_after=20), Answer("whole"))
    async with models() as opened:
        assert (await opened.generate(caller(), spec_of(model_stub), ask())).text == "whole"


async def test_a_stream_that_breaks_after_words_were_read_is_an_error(model_stub: ModelStub) -> None:
    model_stub.then(Answer("one two three four", cut_after=3))
    got: list[str] = []

    async def read(opened: Models) -> None:
        async with aclosing(opened.stream(caller(), spec_of(model_stub), ask())) as pieces:
            async for piece in pieces:
                got.append(piece.text)

    async with models() as opened:
        with pytest.raises(ModelError) as told:
            await read(opened)
    assert got == ["one", " two"]
    assert told.value.cause is Cause.CONNECTION
    assert len(model_stub.asked) == 1


async def test_a_stream_that_is_refused_at_first_is_tried_again(model_stub: ModelStub) -> None:
    model_stub.then(Refusal(503), Answer("here"))
    async with models() as opened, aclosing(opened.stream(caller(), spec_of(model_stub), ask())) as pieces:
        assert (await anext(pieces)).text == "here"


async def test_a_stream_that_nobody_reads_on_is_hung_up_on(model_stub: ModelStub) -> None:
    model_stub.then(Answer("word " * 500, between_s=0.05))
    async with models() as opened:
        async with aclosing(opened.stream(caller(), spec_of(model_stub), ask())) as pieces:
            await anext(pieces)
        await model_stub.until_abandoned()


async def test_no_more_calls_are_out_at_once_than_one_key_or_one_organisation_may_have(model_stub: ModelStub) -> None:
    model_stub.latency_s = 0.1
    async with models(calls_per_key=3) as opened, anyio.create_task_group() as group:
        for number in range(9):
            group.start_soon(opened.generate, caller(organisation=UUID(int=number)), spec_of(model_stub), ask())
    assert model_stub.busiest == 3
    model_stub.busiest = 0
    async with models(calls_per_organisation=2) as opened, anyio.create_task_group() as group:
        for number in range(6):
            group.start_soon(opened.generate, caller(api_key=f"k{number}"), spec_of(model_stub), ask())
    assert model_stub.busiest == 2


async def test_a_model_on_an_address_of_ours_is_not_called(model_stub: ModelStub) -> None:
    async with models(networks=[]) as opened:
        for host in ("127.0.0.1", "localhost", "[::1]", "169.254.169.254", "10.0.0.1", "2130706433"):
            port = model_stub.url.rpartition(":")[2]
            spec = spec_of(model_stub, settings={"base_url": f"http://{host}:{port}"})
            with pytest.raises(ModelError) as told:
                await opened.generate(caller(), spec, ask())
            assert told.value.cause is Cause.ADDRESS, host
            assert host.strip("[]") in told.value.message
    assert model_stub.asked == []


async def test_a_configuration_without_its_key_never_uses_the_one_of_the_machine(
    model_stub: ModelStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "the operator's own")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "the operator's own")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "the operator's own")
    monkeypatch.setenv("GOOGLE_API_KEY", "the operator's own")
    async with models() as opened:
        for provider in Provider:
            settings = {"base_url": model_stub.url, "endpoint": model_stub.url, "region": "eu-central-1"}
            spec = spec_of(model_stub, provider=provider, settings=settings)
            if provider in (Provider.OLLAMA, Provider.COMPATIBLE):
                await opened.generate(caller(nothing="here"), spec, ask())
                continue
            with pytest.raises(ModelError) as told:
                await opened.generate(caller(nothing="here"), spec, ask())
            assert told.value.cause is Cause.SETTINGS, provider
    assert all("operator" not in str(one.headers) for one in model_stub.asked)
