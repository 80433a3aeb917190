"""RAGAS's tool call accuracy: the expected tools in the expected order, by what part of their arguments is right.

Another sequence of names than the expected one is worth 0. Arguments are compared as texts: 1 and "1" are the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from arcane.messaging.scoring import Scale, ScorerDescription, Verdict
from worker.scoring.conversation import Call, calls_made
from worker.scoring.fields import CONVERSATION, EXPECTED_CALLS
from worker.scoring.inputs import Inputs
from worker.scoring.scorer import Scorer, ScorerSettings
from worker.scoring.toolbox import Toolbox


class Settings(ScorerSettings):
    strict_order: bool = Field(True, title="In order")


async def score(inputs: Inputs, settings: Settings, tools: Toolbox) -> Verdict:
    """Returns the mean part of right arguments; 1 where nothing was expected and nothing called."""
    made = list(calls_made(inputs.messages("user_input")))
    wanted = list(inputs.calls("reference_tool_calls"))
    if not settings.strict_order:
        made, wanted = sorted(made, key=_order), sorted(wanted, key=_order)
    details = {"made": len(made), "expected": len(wanted)}
    if not made and not wanted:
        return Verdict(value=1.0, details=details)
    if [call.name for call in made] != [call.name for call in wanted]:
        return Verdict(value=0.0, details=details)
    right = [_right(one.arguments, other.arguments) for one, other in zip(made, wanted, strict=True)]
    return Verdict(value=sum(right) / len(right), details=details)


def _right(made: Mapping[str, Any], wanted: Mapping[str, Any]) -> float:
    if not wanted:
        return 0.0 if made else 1.0
    return sum(name in made and str(made[name]) == str(value) for name, value in wanted.items()) / len(wanted)


def _order(call: Call) -> tuple[str, ...]:
    return (call.name, *(part for name in sorted(call.arguments) for part in (name, str(call.arguments[name]))))


SCORER = Scorer(
    ScorerDescription(
        key="a52fe55c-5a19-476d-be53-6844891ee435",
        name="Tool call accuracy (RAGAS)",
        group="RAGAS",
        description="Were the expected tools called, in order, and with what part of the expected arguments?",
        scale=Scale.NUMERIC,
        inputs=(CONVERSATION, EXPECTED_CALLS),
        lowest=0.0,
        highest=1.0,
    ),
    Settings,
    score,
)
