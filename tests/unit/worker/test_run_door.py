"""The worker's door for prompts that somebody waits for: signed, once, streamed, and ended by hanging up."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import anyio
import httpx
import msgspec
import pytest
from pydantic import SecretStr

from arcane.kit.clock import SystemClock
from arcane.messaging.envelope import Envelope
from arcane.messaging.generation import ChatMessage, PromptSpec, Role, TemplateFormat
from arcane.messaging.running import (
    RUN_PATH,
    TRY_PATH,
    RunDone,
    RunEvent,
    RunFailed,
    RunJudged,
    RunRequest,
    RunText,
    TryRequest,
    packed,
    seal,
)
from arcane.messaging.scoring import Scale, ScorerSpec
from arcane.messaging.signature import SignedRequest, signed_headers, worker_signer
from tests.support.model_calls import KEY, models, spec_of
from tests.support.model_stub import Answer, ModelStub, Refusal
from worker.api import Door
from worker.health import Health
from worker.scoring.judging import Judge
from worker.scoring.registry import Registry
from worker.serving import listening, serve
from worker.settings import WorkerSettings

pytestmark = pytest.mark.anyio

JUDGE = Judge(Registry.load())
SHARED = "a-key-that-only-this-test-uses-0123456789"
PROMPT = PromptSpec(messages=(ChatMessage(role=Role.USER, text="Say {{word}}"),), format=TemplateFormat.MUSTACHE)


@dataclass(frozen=True)
class Opened:
    """A door on a port, and somebody who knocks."""

    client: httpx.AsyncClient  # noqa: TID251 - of the door under test
    stub: ModelStub

    def request(self, **more: Any) -> tuple[bytes, dict[str, str]]:
        run = uuid4()
        body = RunRequest(
            run=run,
            organisation=UUID(int=1),
            prompt=PROMPT,
            model=spec_of(self.stub),
            inputs={"word": "hello"},
            deadline_s=60.0,
            sealed=seal(SHARED, run, {"api_key": KEY}),
        )
        now = datetime.now(UTC)
        content = msgspec.json.encode(Envelope.around(msgspec.structs.replace(body, **more), id=run, sent_at=now))
        return content, signed_headers(worker_signer(SHARED), SignedRequest("POST", RUN_PATH, content), now)

    async def tried(self, secrets: Mapping[UUID, Mapping[str, str]], **more: Any) -> list[RunEvent]:
        run, now = uuid4(), datetime.now(UTC)
        sealed = seal(SHARED, run, packed(secrets))
        body = TryRequest(run=run, organisation=UUID(int=1), sealed=sealed, **{"deadline_s": 60.0, **more})
        content = msgspec.json.encode(Envelope.around(body, id=run, sent_at=now))
        headers = signed_headers(worker_signer(SHARED), SignedRequest("POST", TRY_PATH, content), now)
        return _read(await self.client.post(TRY_PATH, content=content, headers=headers))

    async def events(self, **more: Any) -> list[RunEvent]:
        content, headers = self.request(**more)
        answer = await self.client.post(RUN_PATH, content=content, headers=headers)
        return _read(answer)


def _read(answer: httpx.Response) -> list[RunEvent]:
    assert answer.status_code == 200, answer.text
    lines = [line.removeprefix("data: ") for line in answer.text.splitlines() if line.startswith("data: ")]
    return [msgspec.json.decode(line, type=RunEvent) for line in lines]


@asynccontextmanager
async def door(stub: ModelStub, **settings: Any) -> AsyncIterator[Opened]:
    bound = listening("127.0.0.1", 0)
    own = WorkerSettings(key=SecretStr(SHARED), **settings)
    async with models(tries=1) as opened, anyio.create_task_group() as group:
        group.start_soon(serve, Door(Health(lambda: True), opened, JUDGE, own, SystemClock(), opened.meters), bound)
        address = f"http://127.0.0.1:{bound.getsockname()[1]}"
        async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=60) as client:  # noqa: TID251
            yield Opened(client, stub)
        group.cancel_scope.cancel()


async def test_the_answer_comes_in_pieces_and_whole_at_the_end(model_stub: ModelStub) -> None:
    async with door(model_stub) as opened:
        events = await opened.events()
    assert [event.text for event in events if isinstance(event, RunText)] == ["Say", " hello"]
    last = events[-1]
    assert isinstance(last, RunDone)
    assert last.generated.text == "Say hello"
    assert model_stub.asked[0].key == KEY


async def test_what_was_asked_is_counted_without_a_word_of_it(model_stub: ModelStub) -> None:
    model_stub.then(Refusal(503))
    async with door(model_stub) as opened:
        await opened.events()
        await opened.events()
        answer = await opened.client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    counted = dict(line.rsplit(" ", 1) for line in answer.text.splitlines() if not line.startswith("#"))
    provider = 'provider="openai-compatible"'
    calls = "arcane_worker_model_calls_total"
    assert counted[f'{calls}{{outcome="answered",{provider}}}'] == "1.0"
    assert counted[f'{calls}{{outcome="unavailable",{provider}}}'] == "1.0"
    assert counted[f"arcane_worker_model_call_seconds_count{{{provider}}}"] == "2.0"
    assert float(counted[f'arcane_worker_model_tokens_total{{direction="output",{provider}}}']) > 0
    for secret in ("hello", KEY, "stub", str(UUID(int=1))):
        assert secret not in answer.text


async def test_what_fails_is_the_last_event(model_stub: ModelStub) -> None:
    model_stub.then(Refusal(503))
    async with door(model_stub) as opened:
        (failed,) = await opened.events()
        (unfilled,) = await opened.events(inputs={})
    assert isinstance(failed, RunFailed)
    assert (failed.cause, failed.retry) == ("unavailable", True)
    assert isinstance(unfilled, RunFailed)
    assert "word" in unfilled.message


async def test_hanging_up_ends_the_call_at_the_provider(model_stub: ModelStub) -> None:
    model_stub.then(Answer("word " * 500, between_s=0.05))
    async with door(model_stub) as opened:
        content, headers = opened.request()
        async with opened.client.stream("POST", RUN_PATH, content=content, headers=headers) as answer:
            lines = answer.aiter_lines()
            assert (await anext(lines)).startswith("data: ")
            await lines.aclose()
        await model_stub.until_abandoned()


async def test_a_scorer_is_tried_with_the_keys_of_its_models(model_stub: ModelStub) -> None:
    spec = ScorerSpec(key="llm-judge", scale=Scale.NUMERIC, model=spec_of(model_stub))
    assert spec.model is not None
    model_stub.then(Answer(structured={"reasoning": "It is.", "score": 1}), Refusal(401))
    async with door(model_stub) as opened:
        asked = {"scorer": spec, "inputs": {"user_input": "1+1?", "response": "2", "reference": "2"}}
        secrets = {spec.model.configuration: {"api_key": KEY}, uuid4(): {"api_key": "of another model"}}
        (judged,) = await opened.tried(secrets, **asked)
        (refused,) = await opened.tried(secrets, **asked)
        (lacking,) = await opened.tried({}, **{**asked, "inputs": {}})
        (late,) = await opened.tried(secrets, **asked, deadline_s=0.0)
    assert isinstance(judged, RunJudged)
    assert (judged.verdict.value, judged.verdict.reasoning, judged.verdict.usage.calls) == (1.0, "It is.", 1)
    assert model_stub.chats[0].key == KEY
    assert [isinstance(one, RunFailed) and one.cause for one in (refused, lacking, late)] == [
        "authentication", "missing-input", "deadline",
    ]  # fmt: skip


async def test_what_is_signed_for_one_path_is_not_taken_at_another(model_stub: ModelStub) -> None:
    async with door(model_stub) as opened:
        content, headers = opened.request()
        assert (await opened.client.post(TRY_PATH, content=content, headers=headers)).status_code == 401


async def test_a_request_is_taken_once_and_only_from_a_holder_of_the_key(model_stub: ModelStub) -> None:
    async with door(model_stub) as opened:
        content, headers = opened.request()
        assert (await opened.client.post(RUN_PATH, content=content, headers=headers)).status_code == 200
        assert (await opened.client.post(RUN_PATH, content=content, headers=headers)).status_code == 409
        assert (await opened.client.post(RUN_PATH, content=content)).status_code == 401
        late = datetime.now(UTC) - timedelta(minutes=5)
        old = signed_headers(worker_signer(SHARED), SignedRequest("POST", RUN_PATH, content), late)
        assert (await opened.client.post(RUN_PATH, content=content, headers=old)).status_code == 401
        other, signed = opened.request(sealed=seal(SHARED, uuid4(), {"api_key": "of another run"}))
        assert (await opened.client.post(RUN_PATH, content=other, headers=signed)).status_code == 400
        assert (await opened.client.get(RUN_PATH)).status_code == 405
    assert len(model_stub.asked) == 1


async def test_more_than_a_worker_runs_at_once_is_for_another_one(model_stub: ModelStub) -> None:
    model_stub.then(Answer("word " * 500, between_s=0.05))
    async with door(model_stub, prompts_at_once=1, prompt_bytes_max=4096) as opened:
        content, headers = opened.request()
        async with opened.client.stream("POST", RUN_PATH, content=content, headers=headers) as answer:
            assert answer.status_code == 200
            content, headers = opened.request()
            assert (await opened.client.post(RUN_PATH, content=content, headers=headers)).status_code == 503
        content, headers = opened.request(inputs={"word": "x" * 5000})
        assert (await opened.client.post(RUN_PATH, content=content, headers=headers)).status_code == 413


async def test_it_says_that_it_is_well(model_stub: ModelStub) -> None:
    async with door(model_stub) as opened:
        assert (await opened.client.get("/health")).json() == {"status": "ok"}
        assert (await opened.client.get("/health/ready")).json() == {"status": "ready"}
        assert (await opened.client.get("/nothing")).status_code == 404
