"""RAGAS's tool call F1: over sets of calls, so one that was made twice counts once; rounded to four places."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from arcane.messaging.scoring import Scale, ScorerDescription, Verdict
from worker.scoring.conversation import Call, calls_made
from worker.scoring.fields import CONVERSATION, EXPECTED_CALLS
from worker.scoring.inputs import Inputs
from worker.scoring.scorer import Scorer, ScorerSettings
from worker.scoring.toolbox import Toolbox


class Settings(ScorerSettings):
    pass


async def score(inputs: Inputs, settings: Settings, tools: Toolbox) -> Verdict:
    """Returns 0 to 1; 0 where nothing was expected and nothing called."""
    made = {_same(call) for call in calls_made(inputs.messages("user_input"))}
    wanted = {_same(call) for call in inputs.calls("reference_tool_calls")}
    right = len(made & wanted)
    value = 2 * right / (len(made) + len(wanted)) if right else 0.0
    return Verdict(value=round(value, 4), details={"right": right, "made": len(made), "expected": len(wanted)})


def _same(call: Call) -> Hashable:
    return call.name, _hashable(call.arguments)


def _hashable(value: Any) -> Hashable:
    if isinstance(value, Mapping):
        return frozenset((name, _hashable(item)) for name, item in value.items())
    if isinstance(value, list | tuple):
        return tuple(_hashable(item) for item in value)
    same: Hashable = value
    return same


SCORER = Scorer(
    ScorerDescription(
        key="5d9ea1e9-9f07-43d3-b22b-0431383bdd9d",
        name="Tool call F1 (RAGAS)",
        group="RAGAS",
        description="How well do the sets of made and expected tool calls cover one another?",
        scale=Scale.NUMERIC,
        inputs=(CONVERSATION, EXPECTED_CALLS),
        lowest=0.0,
        highest=1.0,
    ),
    Settings,
    score,
)
