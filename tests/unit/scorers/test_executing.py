"""A job that scores ends with a verdict, or with an error that says whether it may pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest

from arcane.kit.ids import new_id
from arcane.messaging.jobs import ScoreSpec
from arcane.messaging.scoring import Scale, ScorerSpec
from arcane.model.deadline import Deadline
from tests.support.model_calls import KEY, ORGANISATION, models, spec_of
from tests.support.model_stub import Answer, ModelStub, Refusal
from worker.executors import Done, JobFailed, Work
from worker.scoring.executing import Scoring
from worker.scoring.judging import Judge
from worker.scoring.registry import Registry

pytestmark = pytest.mark.anyio
JUDGE = Judge(Registry.load())
ROW = {"user_input": "Capital of France?", "response": "Paris", "reference": "Paris"}


class OneKey:
    async def of(self, configuration: UUID) -> Mapping[str, str]:
        return {"api_key": KEY}


async def done(spec: ScorerSpec, inputs: Mapping[str, Any]) -> Done:
    work = Work(
        job=new_id(),
        run=new_id(),
        organisation=ORGANISATION,
        inputs=inputs,
        attempt=1,
        deadline=Deadline.after(60),
        keys=OneKey(),
    )
    async with models(tries=1) as opened:
        return await Scoring(JUDGE, opened).run(ScoreSpec(scorer=spec), work)


async def test_a_verdict_is_what_comes_of_it() -> None:
    found = await done(ScorerSpec(key="exact-match", scale=Scale.NUMERIC), ROW)
    assert found.verdict is not None
    assert found.verdict.value == 1.0


async def test_what_a_row_lacks_is_final_and_named() -> None:
    with pytest.raises(JobFailed) as caught:
        await done(ScorerSpec(key="exact-match", scale=Scale.NUMERIC), {"response": "Paris"})
    assert (caught.value.error.kind, caught.value.retry) == ("missing-input", False)
    assert "`reference`" in caught.value.error.message


async def test_a_model_that_answers_nothing_of_use_is_paid_all_the_same(model_stub: ModelStub) -> None:
    spec = ScorerSpec(key="llm-judge", scale=Scale.NUMERIC, model=spec_of(model_stub))
    model_stub.then(Answer(structured={"verdict": "fine"}), Answer(structured={"verdict": "fine"}))
    with pytest.raises(JobFailed) as caught:
        await done(spec, ROW)
    error = caught.value.error
    assert (error.kind, error.usage.calls) == ("answer-does-not-fit", 2)
    assert error.usage.input_tokens > 0


async def test_a_judge_asks_with_the_jobs_key_and_what_may_pass_is_tried_again(model_stub: ModelStub) -> None:
    spec = ScorerSpec(key="llm-judge", scale=Scale.NUMERIC, model=spec_of(model_stub))
    model_stub.then(Answer(structured={"reasoning": "Yes.", "score": 1}), Refusal(503), Refusal(401))
    found = await done(spec, ROW)
    assert found.verdict is not None
    assert (found.verdict.value, model_stub.chats[0].key) == (1.0, KEY)
    for retry in (True, False):
        with pytest.raises(JobFailed) as caught:
            await done(spec, ROW)
        assert caught.value.retry is retry
