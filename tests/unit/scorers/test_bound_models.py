"""Scorers with the worker's own model layer, over HTTP to a scripted server."""

from __future__ import annotations

import pytest

from arcane.messaging.scoring import Label, Scale, ScorerSpec, Verdict
from tests.support.model_calls import caller, models, spec_of
from tests.support.model_stub import Answer, ModelStub, Refusal
from worker.llm.errors import ModelError
from worker.scoring.bound import BoundModels
from worker.scoring.errors import AnswerDoesNotFit
from worker.scoring.judging import Judge
from worker.scoring.registry import Registry

pytestmark = pytest.mark.anyio
REGISTRY = Registry.load()
LABELS = (Label("wrong", 0.0), Label("right", 1.0))
ROW = {"user_input": "Capital of France?", "response": "Paris", "reference": "Paris"}


async def judged(stub: ModelStub, key: str, **settings: object) -> Verdict:
    scale = Scale.ORDINAL if key == "llm-judge" else Scale.NUMERIC
    labels = LABELS if key == "llm-judge" else ()
    model = spec_of(stub)
    spec = ScorerSpec(key=key, scale=scale, labels=labels, settings=settings, model=model, embedding=model)
    async with models(tries=1) as opened:
        return await Judge(REGISTRY).verdict(spec, ROW, BoundModels(opened, caller(), spec))


async def test_a_judge_gives_reasons_and_a_label_and_what_it_took(model_stub: ModelStub) -> None:
    model_stub.then(Answer(structured={"reasoning": "It is.", "label": "right"}, input_tokens=100, output_tokens=7))
    verdict = await judged(model_stub, "llm-judge")
    assert (verdict.value, verdict.label, verdict.reasoning) == (1.0, "right", "It is.")
    assert (verdict.usage.calls, verdict.usage.input_tokens, verdict.usage.output_tokens) == (1, 100, 7)
    assert "Capital of France?" in model_stub.chats[0].text


async def test_an_answer_that_is_no_answer_is_asked_for_once_more(model_stub: ModelStub) -> None:
    model_stub.then(Answer("Right, I would say."), Answer(structured={"reasoning": "It is.", "label": "right"}))
    assert (await judged(model_stub, "llm-judge")).label == "right"
    model_stub.then(Answer("Right."), Answer("Right!"))
    with pytest.raises(AnswerDoesNotFit):
        await judged(model_stub, "llm-judge")


async def test_whether_an_error_of_the_provider_may_pass_is_for_its_error_to_say(model_stub: ModelStub) -> None:
    for status, later in ((503, True), (401, False)):
        model_stub.then(Refusal(status))
        with pytest.raises(ModelError) as caught:
            await judged(model_stub, "llm-judge")
        assert caught.value.later is later


async def test_embeddings_come_from_the_embedding_model(model_stub: ModelStub) -> None:
    assert (await judged(model_stub, "embedding-similarity")).value == pytest.approx(1.0)
