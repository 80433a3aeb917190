"""What holds for any text: bounds, symmetry where there is one, and no text that breaks a scorer."""

from __future__ import annotations

import contextlib
import importlib
import math
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcane.messaging.scoring import ScorerSpec, Verdict
from tests.support.golden_scores import MODEL
from tests.support.scripted_models import ScriptedModels
from worker.scoring.conversation import messages_of
from worker.scoring.errors import ScoringFailed
from worker.scoring.inputs import Inputs
from worker.scoring.judging import Judge
from worker.scoring.ranking import average_precision
from worker.scoring.registry import Registry
from worker.scoring.scorer import AnyScorer
from worker.scoring.vectors import cosine

REGISTRY = Registry.load()
TEXT = st.text(max_size=60) | st.text(alphabet="ab c.\n", max_size=60)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
PLAIN = [
    scorer
    for scorer in REGISTRY.scorers.values()
    if not (scorer.description.needs_model or scorer.description.needs_embeddings or scorer.description.code_setting)
]
LIBRARIES = (
    "jsonschema",
    "jsonschema.exceptions",
    "referencing",
    "rapidfuzz.distance",
    "rapidfuzz.distance.LCSseq",
    "rouge_score.tokenizers",
    "sacrebleu",
)
SETTINGS = {"regex": {"pattern": "a+"}, "json-schema": {"json_schema": '{"type": "object"}'}}
SYMMETRIC = ["levenshtein", "exact-match"]


def judged(key: str, inputs: dict[str, Any], **settings: Any) -> Verdict:
    scorer = REGISTRY.find(key)
    spec = ScorerSpec(key=key, scale=scorer.description.scale, settings=SETTINGS.get(key, {}) | settings, model=MODEL)
    scoring = Judge(REGISTRY).verdict(spec, inputs, ScriptedModels())
    try:
        scoring.send(None)  # no loop: with its libraries there, a scorer of short texts waits for nothing
    except StopIteration as done:
        verdict: Verdict = done.value
        return verdict
    raise AssertionError("it waited")


@pytest.fixture(scope="module", autouse=True)
def libraries() -> None:
    for name in LIBRARIES:
        importlib.import_module(name)


def checked(scorer: AnyScorer, inputs: dict[str, Any]) -> None:
    """A verdict within the bounds that are announced, or a reason why there is none."""
    with contextlib.suppress(ScoringFailed):
        value = judged(scorer.description.key, inputs).value
        lowest, highest = scorer.description.lowest, scorer.description.highest
        assert math.isfinite(value)
        assert lowest is None or value >= lowest
        assert highest is None or value <= highest


def refusal(read: Callable[[], object]) -> str | None:
    """Why something cannot be read, None when it can."""
    try:
        read()
    except ScoringFailed as exc:
        return str(exc)
    return None


@pytest.mark.parametrize("scorer", PLAIN, ids=lambda scorer: scorer.description.name)
@given(response=TEXT, reference=TEXT)
def test_no_text_breaks_a_scorer_or_leaves_its_bounds(scorer: AnyScorer, response: str, reference: str) -> None:
    names = {one.name for one in scorer.description.inputs} | {"response", "reference"}
    checked(scorer, {name: response if name.startswith("re") and name != "reference" else reference for name in names})


@pytest.mark.parametrize("scorer", PLAIN, ids=lambda scorer: scorer.description.name)
@given(documents=st.lists(JSON, min_size=6, max_size=6))
def test_no_json_breaks_a_scorer(scorer: AnyScorer, documents: list[Any]) -> None:
    checked(scorer, {one.name: document for one, document in zip(scorer.description.inputs, documents, strict=False)})


@pytest.mark.parametrize("key", SYMMETRIC)
@given(one=TEXT, other=TEXT)
def test_it_does_not_matter_which_text_comes_first(key: str, one: str, other: str) -> None:
    forth = judged(key, {"response": one, "reference": other}).value
    assert forth == judged(key, {"response": other, "reference": one}).value


@pytest.mark.parametrize("key", ["levenshtein", "exact-match", "rouge", "chrf", "bleu"])
@given(text=st.lists(st.text(alphabet="abcxyz", min_size=1, max_size=6), min_size=4, max_size=12).map(" ".join))
def test_a_text_is_as_like_itself_as_can_be(key: str, text: str) -> None:
    assert judged(key, {"response": text, "reference": text}).value == pytest.approx(1.0)


@given(st.lists(st.booleans(), max_size=30))
def test_average_precision_is_1_when_all_that_is_useful_comes_first(useful: list[bool]) -> None:
    value = average_precision(useful)
    assert 0 <= value <= 1
    assert value <= average_precision(sorted(useful, reverse=True))
    assert average_precision(sorted(useful, reverse=True)) == (1.0 if any(useful) else 0.0)


@given(st.lists(st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3)), min_size=1, max_size=8))
def test_a_cosine_is_symmetric_and_within_its_bounds(pairs: list[tuple[float, float]]) -> None:
    one, other = zip(*pairs, strict=True)
    try:
        value = cosine(one, other)
    except ScoringFailed:
        return
    assert -1 <= value <= 1
    assert value == cosine(other, one)


@given(JSON)
def test_any_json_is_a_conversation_or_is_refused_by_name(document: Any) -> None:
    assert "user_input" in (refusal(lambda: messages_of("user_input", document)) or "user_input")


@given(JSON)
def test_any_value_is_a_text_a_list_and_a_number_or_is_refused_by_name(value: Any) -> None:
    inputs = Inputs({"x": value})
    for read in (inputs.text, inputs.texts, inputs.number, inputs.document, inputs.calls):
        assert "`x`" in (refusal(partial(read, "x")) or "`x`")
