"""RAGAS's ROUGE score: the F measure over the longest common sequence of stemmed words."""

from __future__ import annotations

from arcane.messaging.scoring import Scale, ScorerDescription, Verdict
from worker.scoring.fields import REFERENCE, RESPONSE
from worker.scoring.inputs import Inputs
from worker.scoring.scorer import Scorer, ScorerSettings
from worker.scoring.texts import Rouge, rouge
from worker.scoring.toolbox import Toolbox


class Settings(ScorerSettings):
    pass


async def score(inputs: Inputs, settings: Settings, tools: Toolbox) -> Verdict:
    """Returns 0 to 1."""
    response, reference = inputs.text("response"), inputs.text("reference")
    found = await rouge(response, reference, Rouge.ROUGE_L)
    return Verdict(value=found.fmeasure, details={"precision": found.precision, "recall": found.recall})


SCORER = Scorer(
    ScorerDescription(
        key="b75661d8-0d69-41d2-abdb-f99800b98391",
        name="ROUGE (RAGAS)",
        group="RAGAS",
        description="How long is the longest sequence of words that answer and reference have in common?",
        scale=Scale.NUMERIC,
        inputs=(REFERENCE, RESPONSE),
        lowest=0.0,
        highest=1.0,
    ),
    Settings,
    score,
)
