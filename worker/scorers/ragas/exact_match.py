"""RAGAS's exact match: 1 when the answer is the reference."""

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
    return Verdict(value=float(reference == response))


SCORER = Scorer(
    ScorerDescription(
        key="ceeaa1d8-58d0-4bde-9bb6-b9380163b706",
        name="Exact match (RAGAS)",
        group="RAGAS",
        description="Is the answer the reference, character by character?",
        scale=Scale.NUMERIC,
        inputs=(REFERENCE, RESPONSE),
        lowest=0.0,
        highest=1.0,
    ),
    Settings,
    score,
)
