"""A job that asks a model: the prompt is filled with the row's inputs, and what fails is told without content."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest

from arcane.messaging.generation import ChatMessage, PromptSpec, Role, TemplateFormat
from arcane.messaging.jobs import GenerateSpec
from arcane.model.deadline import Deadline
from tests.support.model_calls import KEY, models, spec_of
from tests.support.model_stub import ModelStub, Refusal
from worker.executors import JobFailed, Work
from worker.generating import Generate

pytestmark = pytest.mark.anyio

PROMPT = PromptSpec(messages=(ChatMessage(role=Role.USER, text="Translate: {{text}}"),), format=TemplateFormat.MUSTACHE)


@dataclass
class Keys:
    asked: list[UUID] = field(default_factory=list)

    async def of(self, configuration: UUID) -> Mapping[str, str]:
        self.asked.append(configuration)
        return {"api_key": KEY}


def work(keys: Keys, **inputs: Any) -> Work:
    return Work(
        job=UUID(int=1),
        run=UUID(int=2),
        organisation=UUID(int=3),
        inputs=inputs,
        attempt=1,
        deadline=Deadline.after(60),
        keys=keys,
    )


async def test_a_row_becomes_a_prompt_and_a_prompt_an_answer(model_stub: ModelStub) -> None:
    keys = Keys()
    spec = GenerateSpec(prompt=PROMPT, model=spec_of(model_stub))
    async with models() as opened:
        done = await Generate(opened).run(spec, work(keys, text="Guten Morgen"))
    assert done.generated is not None
    assert done.generated.text == "Translate: Guten Morgen"
    assert done.generated.usage.calls == 1
    assert keys.asked == [spec.model.configuration]
    assert model_stub.asked[0].key == KEY


async def test_a_row_without_a_value_fails_for_good(model_stub: ModelStub) -> None:
    async with models() as opened:
        with pytest.raises(JobFailed) as failed:
            await Generate(opened).run(GenerateSpec(prompt=PROMPT, model=spec_of(model_stub)), work(Keys()))
    assert not failed.value.retry
    assert "text" in failed.value.error.message
    assert model_stub.asked == []


@pytest.mark.parametrize(("status", "again"), [(503, True), (400, False)])
async def test_what_may_pass_is_tried_as_a_new_job_and_holds_no_content(
    model_stub: ModelStub, status: int, again: bool
) -> None:
    model_stub.otherwise = lambda asked: Refusal(status, f"cannot read: {asked.last}")
    async with models(tries=2) as opened:
        with pytest.raises(JobFailed) as failed:
            await Generate(opened).run(
                GenerateSpec(prompt=PROMPT, model=spec_of(model_stub)), work(Keys(), text="a secret of the row")
            )
    assert failed.value.retry is again
    assert "a secret of the row" not in failed.value.error.message
    assert str(status) in failed.value.error.message
