"""Every scorer gives what its golden cases say. A new scorer is one file, and its golden cases."""

from __future__ import annotations

import math

import pytest

from tests.support.golden_scores import Golden, files, goldens
from tests.support.scripted_models import COST_USD
from worker.scoring.errors import ScoringFailed
from worker.scoring.judging import Judge
from worker.scoring.registry import Registry, modules

REGISTRY = Registry.load()
CASES = list(goldens())
EXACT = {
    name for name, scorer in modules() if not scorer.description.needs_model and not scorer.description.needs_embeddings
}


@pytest.mark.anyio
@pytest.mark.parametrize("golden", CASES, ids=lambda golden: golden.id)
async def test_a_scorer_gives_what_its_golden_cases_say(golden: Golden) -> None:
    models, told = golden.models, golden.told
    if "error" in told:
        with pytest.raises(ScoringFailed) as caught:
            await Judge(REGISTRY).verdict(golden.spec, told["inputs"], models)
        assert (caught.value.kind, caught.value.retry) == (told["error"], False)
        assert told["message"] in str(caught.value)
        assert "hidden" not in told or told["hidden"] not in str(caught.value)
    else:
        verdict = await Judge(REGISTRY).verdict(golden.spec, told["inputs"], models)
        near = 1e-12 if golden.module in EXACT else 1e-7
        assert verdict.value == pytest.approx(golden.value, rel=0, abs=near)
        for part in ("label", "reasoning", "details"):
            if part in told:
                assert getattr(verdict, part) == told[part]
        assert models.unsaid == 0
        calls = len(models.asked)
        assert verdict.usage.calls >= calls
        assert not calls or math.isclose(verdict.usage.cost_usd or 0.0, verdict.usage.calls * COST_USD)
    if "calls" in told:
        assert len(models.asked) == told["calls"]
    for text in told.get("asked", ()):
        assert any(text in message.text for messages in models.asked for message in messages)


def test_every_scorer_has_golden_cases_and_every_case_a_scorer() -> None:
    assert {name: scorer.description.key for name, scorer in modules()} == {
        golden.module: golden.key for golden in CASES
    }
    assert {golden.module for golden in CASES} == set(files())


def test_every_ragas_metric_was_held_against_ragas() -> None:
    compared = {golden.module for golden in CASES if "ragas" in golden.told and "differs" not in golden.told}
    ours = {name for name, _ in modules() if name.startswith("ragas/")}
    assert len(ours) == 23
    assert compared == ours


def test_a_case_that_differs_from_ragas_says_why() -> None:
    for golden in CASES:
        if golden.module.startswith("ragas/"):
            assert isinstance(golden.told["ragas"], int | float) or golden.told["differs"], golden.id
