"""RAGAS's agent goal accuracy with a reference: whether what an agent brought about is what was wanted."""

from __future__ import annotations

from pydantic import BaseModel

from arcane.messaging.scoring import Scale, ScorerDescription, Verdict
from worker.scoring.conversation import transcript
from worker.scoring.errors import MissingInput
from worker.scoring.fields import CONVERSATION, REFERENCE
from worker.scoring.inputs import Inputs
from worker.scoring.scorer import Scorer, ScorerSettings
from worker.scoring.toolbox import Toolbox, shaped


class Settings(ScorerSettings):
    pass


class Workflow(BaseModel):
    """What the user wanted of the agent, and how things stand at the end."""

    user_goal: str
    end_state: str


class Comparison(BaseModel):
    """Whether two outcomes are the same."""

    reason: str
    same: bool


_OUTCOME = (
    "Read `conversation`, between a user and an agent with tools. Say in `user_goal` what the user wanted, and in "
    "`end_state` what the agent had brought about at the end; what it only promised was not brought about."
)
_COMPARE = "Say whether `arrived` is the outcome that was `desired`. Only the outcome counts, not the way there."


async def score(inputs: Inputs, settings: Settings, tools: Toolbox) -> Verdict:
    """Returns 1 when the reference's outcome was reached, else 0."""
    conversation = transcript(inputs.messages("user_input"))
    if not conversation:
        raise MissingInput("the input `user_input` has no messages")
    reference = inputs.filled_text("reference")
    outcome = await tools.ask(_OUTCOME, {"conversation": conversation}, shaped(Workflow))
    compared = await tools.ask(_COMPARE, {"desired": reference, "arrived": outcome.end_state}, shaped(Comparison))
    return Verdict(value=float(compared.same), reasoning=compared.reason)


SCORER = Scorer(
    ScorerDescription(
        key="0b0dcd87-1c11-41e9-ad93-39911014c120",
        name="Agent goal accuracy",
        group="RAGAS",
        description="Did the agent bring about what the reference says?",
        scale=Scale.NUMERIC,
        inputs=(CONVERSATION, REFERENCE),
        needs_model=True,
        lowest=0.0,
        highest=1.0,
    ),
    Settings,
    score,
)
