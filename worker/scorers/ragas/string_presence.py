"""RAGAS's string presence: 1 when the reference stands in the answer."""

from __future__ import annotations

from arcane.messaging.scoring import Scale, ScorerDescription, Verdict
from worker.scoring.fields import REFERENCE, RESPONSE
from worker.scoring.inputs import Inputs
from worker.scoring.scorer import Scorer, ScorerSettings
from worker.scoring.toolbox import Toolbox


class Settings(ScorerSettings):
    pass


async def score(inputs: Inputs, settings: Settings, tools: Toolbox) -> Verdict:
    """Returns 1 or 0."""
    response, reference = inputs.text("response"), inputs.text("reference")
    return Verdict(value=float(reference in response))


SCORER = Scorer(
    ScorerDescription(
        key="a0fed9fb-075f-4c9d-9be9-093879ec04ad",
        name="String presence",
        group="RAGAS",
        description="Is the reference a part of the answer?",
        scale=Scale.NUMERIC,
        inputs=(REFERENCE, RESPONSE),
        lowest=0.0,
        highest=1.0,
    ),
    Settings,
    score,
)
