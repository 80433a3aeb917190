"""RAGAS's BLEU score: sacrebleu's, of the whole answer against the whole reference."""

from __future__ import annotations

from arcane.messaging.scoring import Scale, ScorerDescription, Verdict
from worker.scoring.fields import REFERENCE, RESPONSE
from worker.scoring.inputs import Inputs
from worker.scoring.scorer import Scorer, ScorerSettings
from worker.scoring.texts import bleu
from worker.scoring.toolbox import Toolbox


class Settings(ScorerSettings):
    pass


async def score(inputs: Inputs, settings: Settings, tools: Toolbox) -> Verdict:
    """Returns 0 to 1."""
    response, reference = inputs.text("response"), inputs.text("reference")
    return Verdict(value=await bleu(response, reference))


SCORER = Scorer(
    ScorerDescription(
        key="34704532-c2c8-403e-8114-09755a281969",
        name="BLEU (RAGAS)",
        group="RAGAS",
        description="How many of the answer's word sequences are in the reference?",
        scale=Scale.NUMERIC,
        inputs=(REFERENCE, RESPONSE),
        lowest=0.0,
        highest=1.0,
    ),
    Settings,
    score,
)
