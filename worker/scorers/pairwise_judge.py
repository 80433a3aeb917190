"""Which of two answers is better, asked twice with their places exchanged: who goes by the place prefers neither."""

from __future__ import annotations

from typing import Literal

import msgspec
from pydantic import BaseModel, Field

from arcane.messaging.scoring import Label, Scale, ScorerDescription, ScorerInput, Verdict
from worker.scoring.fields import QUESTION, REFERENCE, RESPONSE
from worker.scoring.inputs import Inputs
from worker.scoring.scorer import Scorer, ScorerSettings
from worker.scoring.toolbox import Toolbox, shaped

_OPTIONAL = ("user_input", "reference")


class Settings(ScorerSettings):
    criteria: str = Field(
        "The better answer is the one that is right, complete, and to the point.",
        title="Criteria",
        description="What makes an answer the better one.",
        min_length=1,
        max_length=20_000,
        json_schema_extra={"multiline": True},
    )


class Preference(BaseModel):
    """Reasons come first: a choice that was made before them would only be defended."""

    reasoning: str
    better: Literal["first", "second", "neither"]


_INSTRUCTIONS = (
    "Compare two answers, `first` and `second`, by these criteria:\n{criteria}\n"
    "Neither the order nor the length of the answers says anything about which is better. "
    "Say `neither` when they are equally good or bad."
)
_POINTS = {"first": 1.0, "neither": 0.5, "second": 0.0}


async def score(inputs: Inputs, settings: Settings, tools: Toolbox) -> Verdict:
    """Returns 1 when `response` wins, 0 when `baseline` does, 0.5 for a tie or when the judge goes by the place."""
    shared = {name: inputs.text(name) for name in _OPTIONAL if inputs.has(name)}
    ours, theirs = inputs.text("response"), inputs.text("baseline")
    instructions = _INSTRUCTIONS.format(criteria=settings.criteria)
    straight, swapped = await tools.ask_each(
        instructions,
        [shared | {"first": ours, "second": theirs}, shared | {"first": theirs, "second": ours}],
        shaped(Preference),
    )
    one, two = _POINTS[straight.better], 1.0 - _POINTS[swapped.better]
    value = one if one == two else 0.5
    return Verdict(
        value=value,
        label={1.0: "better", 0.5: "tie", 0.0: "worse"}[value],
        reasoning=f"{straight.reasoning}\n\nThe other way round: {swapped.reasoning}",
        details={"agreed": one == two},
    )


SCORER = Scorer(
    ScorerDescription(
        key="pairwise-judge",
        name="Better of two",
        group="Judges",
        description="Is the answer better than a baseline? A model is asked twice, with the places exchanged.",
        scale=Scale.ORDINAL,
        inputs=(
            RESPONSE,
            ScorerInput(name="baseline", kind="text", description="The answer to compare with."),
            msgspec.structs.replace(QUESTION, required=False),
            msgspec.structs.replace(REFERENCE, required=False),
        ),
        needs_model=True,
        labels=(Label("worse", 0.0), Label("tie", 0.5), Label("better", 1.0)),
        lowest=0.0,
        highest=1.0,
    ),
    Settings,
    score,
)
