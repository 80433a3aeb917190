"""How like the reference the answer is, letter by letter: 1 less the edits needed over the longer length."""

from __future__ import annotations

from pydantic import Field

from arcane.messaging.scoring import Scale, ScorerDescription, Verdict
from worker.scoring.fields import REFERENCE, RESPONSE
from worker.scoring.inputs import Inputs
from worker.scoring.scorer import Scorer, ScorerSettings
from worker.scoring.texts import Distance, likeness
from worker.scoring.toolbox import Toolbox


class Settings(ScorerSettings):
    ignore_case: bool = Field(False, title="Ignore case")


async def score(inputs: Inputs, settings: Settings, tools: Toolbox) -> Verdict:
    """Returns 1 for the same text, 0 for one that shares nothing."""
    response, reference = inputs.text("response"), inputs.text("reference")
    if settings.ignore_case:
        response, reference = response.casefold(), reference.casefold()
    return Verdict(value=await likeness(response, reference, Distance.LEVENSHTEIN))


SCORER = Scorer(
    ScorerDescription(
        key="levenshtein",
        name="Edit distance",
        group="Text",
        description="How like the reference is the answer, by insertions, deletions and replacements of letters?",
        scale=Scale.NUMERIC,
        inputs=(RESPONSE, REFERENCE),
        lowest=0.0,
        highest=1.0,
    ),
    Settings,
    score,
)
