"""BLEU of the answer against the reference, as sacrebleu measures it."""

from __future__ import annotations

from pydantic import Field

from arcane.messaging.scoring import Scale, ScorerDescription, Verdict
from worker.scoring.fields import REFERENCE, RESPONSE
from worker.scoring.inputs import Inputs
from worker.scoring.scorer import Scorer, ScorerSettings
from worker.scoring.texts import bleu
from worker.scoring.toolbox import Toolbox


class Settings(ScorerSettings):
    ignore_case: bool = Field(False, title="Ignore case")


async def score(inputs: Inputs, settings: Settings, tools: Toolbox) -> Verdict:
    """Returns 0 to 1."""
    response, reference = inputs.text("response"), inputs.text("reference")
    return Verdict(value=await bleu(response, reference, lowercase=settings.ignore_case))


SCORER = Scorer(
    ScorerDescription(
        key="bleu",
        name="BLEU",
        group="Text",
        description="How many of the answer's word sequences, up to four words, are in the reference?",
        scale=Scale.NUMERIC,
        inputs=(RESPONSE, REFERENCE),
        lowest=0.0,
        highest=1.0,
    ),
    Settings,
    score,
)
