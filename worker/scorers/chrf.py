"""chrF of the answer against the reference, as sacrebleu measures it: sequences of letters, so any language goes."""

from __future__ import annotations

from pydantic import Field

from arcane.messaging.scoring import Scale, ScorerDescription, Verdict
from worker.scoring.fields import REFERENCE, RESPONSE
from worker.scoring.inputs import Inputs
from worker.scoring.scorer import Scorer, ScorerSettings
from worker.scoring.texts import chrf
from worker.scoring.toolbox import Toolbox


class Settings(ScorerSettings):
    words: bool = Field(False, title="Words count too", description="Pairs of words as well: chrF++.")


async def score(inputs: Inputs, settings: Settings, tools: Toolbox) -> Verdict:
    """Returns 0 to 1."""
    order = 2 if settings.words else 0
    return Verdict(value=await chrf(inputs.text("response"), inputs.text("reference"), word_order=order))


SCORER = Scorer(
    ScorerDescription(
        key="chrf",
        name="chrF",
        group="Text",
        description="How many sequences of up to six letters do answer and reference have in common?",
        scale=Scale.NUMERIC,
        inputs=(RESPONSE, REFERENCE),
        lowest=0.0,
        highest=1.0,
    ),
    Settings,
    score,
)
