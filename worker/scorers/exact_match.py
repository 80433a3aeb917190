"""1 when the answer is the reference, 0 when it is not."""

from __future__ import annotations

from pydantic import Field

from arcane.messaging.scoring import Scale, ScorerDescription, Verdict
from worker.scoring.fields import REFERENCE, RESPONSE
from worker.scoring.inputs import Inputs
from worker.scoring.scorer import Scorer, ScorerSettings
from worker.scoring.toolbox import Toolbox


class Settings(ScorerSettings):
    ignore_case: bool = Field(False, title="Ignore case")
    ignore_whitespace: bool = Field(
        False, title="Ignore white space", description="Leading, trailing and repeated white space does not count."
    )


async def score(inputs: Inputs, settings: Settings, tools: Toolbox) -> Verdict:
    """Returns 1 or 0."""

    def normal(text: str) -> str:
        text = " ".join(text.split()) if settings.ignore_whitespace else text
        return text.casefold() if settings.ignore_case else text

    return Verdict(value=float(normal(inputs.text("response")) == normal(inputs.text("reference"))))


SCORER = Scorer(
    ScorerDescription(
        key="exact-match",
        name="Exact match",
        group="Text",
        description="Is the answer the reference, character by character?",
        scale=Scale.NUMERIC,
        inputs=(RESPONSE, REFERENCE),
        lowest=0.0,
        highest=1.0,
    ),
    Settings,
    score,
)
