"""RAGAS's string similarity without a model: 1 less the normalised edit distance."""

from __future__ import annotations

from pydantic import Field

from arcane.messaging.scoring import Scale, ScorerDescription, Verdict
from worker.scoring.fields import REFERENCE, RESPONSE
from worker.scoring.inputs import Inputs
from worker.scoring.scorer import Scorer, ScorerSettings
from worker.scoring.texts import Distance, likeness
from worker.scoring.toolbox import Toolbox


class Settings(ScorerSettings):
    distance: Distance = Field(Distance.LEVENSHTEIN, title="Distance")


async def score(inputs: Inputs, settings: Settings, tools: Toolbox) -> Verdict:
    """Returns 1 for the same text, 0 for one that shares nothing."""
    response, reference = inputs.text("response"), inputs.text("reference")
    return Verdict(value=await likeness(reference, response, settings.distance))


SCORER = Scorer(
    ScorerDescription(
        key="6eb8a58c-4419-4500-bdec-7b9b2f3fa5a8",
        name="String similarity",
        group="RAGAS",
        description="How like the reference is the answer, letter by letter?",
        scale=Scale.NUMERIC,
        inputs=(REFERENCE, RESPONSE),
        lowest=0.0,
        highest=1.0,
    ),
    Settings,
    score,
)
