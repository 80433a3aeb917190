"""RAGAS's chrF score: sacrebleu's, of the whole answer against the whole reference."""

from __future__ import annotations

from arcane.messaging.scoring import Scale, ScorerDescription, Verdict
from worker.scoring.fields import REFERENCE, RESPONSE
from worker.scoring.inputs import Inputs
from worker.scoring.scorer import Scorer, ScorerSettings
from worker.scoring.texts import chrf
from worker.scoring.toolbox import Toolbox


class Settings(ScorerSettings):
    pass


async def score(inputs: Inputs, settings: Settings, tools: Toolbox) -> Verdict:
    """Returns 0 to 1; 0 when either text is blank."""
    response, reference = inputs.text("response"), inputs.text("reference")
    return Verdict(value=await chrf(response, reference))


SCORER = Scorer(
    ScorerDescription(
        key="edea8a30-999c-4b0e-9779-dc680d83a9c0",
        name="chrF (RAGAS)",
        group="RAGAS",
        description="How many sequences of letters do answer and reference have in common?",
        scale=Scale.NUMERIC,
        inputs=(REFERENCE, RESPONSE),
        lowest=0.0,
        highest=1.0,
    ),
    Settings,
    score,
)
