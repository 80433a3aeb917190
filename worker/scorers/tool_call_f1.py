"""F1 over tool calls, in any order: the harmonic mean of how many made ones were expected and the other way round."""

from __future__ import annotations

from collections import Counter

from pydantic import Field

from arcane.messaging.scoring import Scale, ScorerDescription, Verdict
from worker.scoring.inputs import Inputs
from worker.scoring.scorer import Scorer, ScorerSettings
from worker.scoring.toolbox import Toolbox
from worker.scoring.toolcalls import CALLS, made, written


class Settings(ScorerSettings):
    arguments: bool = Field(True, title="Arguments count", description="Otherwise the names alone are compared.")


async def score(inputs: Inputs, settings: Settings, tools: Toolbox) -> Verdict:
    """Returns 0 to 1; where nothing was expected and nothing called, that is right."""
    found = Counter(written(call, arguments=settings.arguments) for call in made(inputs))
    wanted = Counter(written(call, arguments=settings.arguments) for call in inputs.calls("reference_tool_calls"))
    right, all_of_them = (found & wanted).total(), found.total() + wanted.total()
    details = {"right": right, "made": found.total(), "expected": wanted.total()}
    return Verdict(value=2 * right / all_of_them if all_of_them else 1.0, details=details)


SCORER = Scorer(
    ScorerDescription(
        key="tool-call-f1",
        name="Tool-call F1",
        group="Agents",
        description="How well do the tool calls that were made cover the expected ones, in any order?",
        scale=Scale.NUMERIC,
        inputs=CALLS,
        lowest=0.0,
        highest=1.0,
    ),
    Settings,
    score,
)
