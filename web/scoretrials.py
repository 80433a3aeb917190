"""Trying a score from its form: which inputs there are to fill in, and what was entered into them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from arcane.messaging.scoring import ScorerInput
from arcane.scores.inputs import BadTemplate, inputs_of
from arcane.scores.views import KnownScorer, ScoreView

PREFIX = "try:"
"""What the names of the fields begin with: a scorer's settings have names of their own."""


def read_inputs(scorer: KnownScorer | None, settings: Mapping[str, Any]) -> tuple[ScorerInput, ...]:
    """Returns what the scorer reads with these settings; what it always reads where they cannot be read."""
    if scorer is None:
        return ()
    try:
        return inputs_of(scorer.description, settings)
    except BadTemplate:
        return scorer.description.inputs


def entered_inputs(inputs: Sequence[ScorerInput], form: Mapping[str, str]) -> dict[str, Any]:
    """Returns what was entered, by variable. An empty field is no input, so that the scorer says what it lacks."""
    texts = {one: form.get(f"{PREFIX}{one.name}", "") for one in inputs}
    return {one.name: _value(one.kind, text) for one, text in texts.items() if text.strip()}


def stored_body(score: ScoreView) -> dict[str, Any]:
    """Returns a stored score as the API takes it: nobody changes a built-in one, and its form says nothing."""
    ordinal = score.ordinal
    return {
        "name": score.name,
        "scale": score.scale,
        "labels": [{"label": one.label, "value": one.value} for one in score.labels],
        "ordinal": None
        if ordinal is None
        else {"acceptable_set": list(ordinal.acceptable_set), "threshold_rank": ordinal.threshold_rank},
        "lowest": score.lowest,
        "highest": score.highest,
        "lower_is_better": score.lower_is_better,
        "scorer": score.scorer,
        "settings": dict(score.settings),
        "model_id": score.models.model_id,
        "embedding_id": score.models.embedding_id,
    }


def _value(kind: str, text: str) -> Any:
    """A text is what it is; everything else may be JSON, and is a text where it is not."""
    if kind == "text":
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
