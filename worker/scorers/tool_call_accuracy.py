"""What part of the expected tool calls was made, in order or in any; calls that nobody expected count against it."""

from __future__ import annotations

from collections import Counter

from pydantic import Field

from arcane.messaging.scoring import Scale, ScorerDescription, Verdict
from worker.scoring.inputs import Inputs
from worker.scoring.lazily import library
from worker.scoring.scorer import Scorer, ScorerSettings
from worker.scoring.toolbox import Toolbox
from worker.scoring.toolcalls import CALLS, made, written


class Settings(ScorerSettings):
    in_order: bool = Field(True, title="In order", description="Only calls in the expected order count.")
    arguments: bool = Field(True, title="Arguments count", description="Otherwise the names alone are compared.")


async def score(inputs: Inputs, settings: Settings, tools: Toolbox) -> Verdict:
    """Returns the calls that are right over those that were made or expected, whichever are more."""
    found = [written(call, arguments=settings.arguments) for call in made(inputs)]
    wanted = [written(call, arguments=settings.arguments) for call in inputs.calls("reference_tool_calls")]
    if settings.in_order:
        right = (await library("rapidfuzz.distance.LCSseq")).similarity(found, wanted)
    else:
        right = (Counter(found) & Counter(wanted)).total()
    most = max(len(found), len(wanted))
    details = {"right": right, "made": len(found), "expected": len(wanted)}
    return Verdict(value=right / most if most else 1.0, details=details)


SCORER = Scorer(
    ScorerDescription(
        key="tool-call-accuracy",
        name="Tool-call accuracy",
        group="Agents",
        description="Were the expected tools called, with the expected arguments, in order?",
        scale=Scale.NUMERIC,
        inputs=CALLS,
        lowest=0.0,
        highest=1.0,
    ),
    Settings,
    score,
)
