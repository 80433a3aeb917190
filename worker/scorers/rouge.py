"""ROUGE of the answer against the reference: words, pairs of words, or the longest common sequence of words."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from arcane.messaging.scoring import Scale, ScorerDescription, Verdict
from worker.scoring.fields import REFERENCE, RESPONSE
from worker.scoring.inputs import Inputs
from worker.scoring.scorer import Scorer, ScorerSettings
from worker.scoring.texts import Rouge, rouge
from worker.scoring.toolbox import Toolbox


class Measure(StrEnum):
    FMEASURE = "fmeasure"
    PRECISION = "precision"
    RECALL = "recall"


class Settings(ScorerSettings):
    kind: Rouge = Field(
        Rouge.ROUGE_L,
        title="Compared",
        json_schema_extra={
            "labels": {"rouge1": "Words", "rouge2": "Pairs of words", "rougeL": "The longest sequence of words"}
        },
    )
    measure: Measure = Field(
        Measure.FMEASURE,
        title="Measure",
        json_schema_extra={"labels": {"fmeasure": "F measure", "precision": "Precision", "recall": "Recall"}},
    )
    stems: bool = Field(True, title="English stems", description="'walked' and 'walking' are the same word.")


async def score(inputs: Inputs, settings: Settings, tools: Toolbox) -> Verdict:
    """Returns 0 to 1, and precision and recall in the details."""
    found = await rouge(inputs.text("response"), inputs.text("reference"), settings.kind, stems=settings.stems)
    value: float = getattr(found, settings.measure.value)
    return Verdict(value=value, details={"precision": found.precision, "recall": found.recall})


SCORER = Scorer(
    ScorerDescription(
        key="rouge",
        name="ROUGE",
        group="Text",
        description="How many words, in order, do answer and reference have in common?",
        scale=Scale.NUMERIC,
        inputs=(RESPONSE, REFERENCE),
        lowest=0.0,
        highest=1.0,
    ),
    Settings,
    score,
)
