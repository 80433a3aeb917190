"""RAGAS's context utilisation: whether the contexts that the answer made use of were ranked first."""

from __future__ import annotations

from arcane.messaging.scoring import Scale, ScorerDescription, Verdict
from worker.scoring.fields import QUESTION, RESPONSE, RETRIEVED
from worker.scoring.inputs import Inputs
from worker.scoring.ranking import ranked_usefulness
from worker.scoring.scorer import Scorer, ScorerSettings
from worker.scoring.toolbox import Toolbox


class Settings(ScorerSettings):
    pass


async def score(inputs: Inputs, settings: Settings, tools: Toolbox) -> Verdict:
    """Returns the average precision over the ranks of useful contexts."""
    question, response = inputs.filled_text("user_input"), inputs.filled_text("response")
    return await ranked_usefulness(tools, question, response, inputs.filled_texts("retrieved_contexts"))


SCORER = Scorer(
    ScorerDescription(
        key="04b24ff4-a6f2-4d41-bde7-76bf7bd668b1",
        name="Context utilisation",
        group="RAGAS",
        description="Were the contexts that the answer made use of found first?",
        scale=Scale.NUMERIC,
        inputs=(QUESTION, RESPONSE, RETRIEVED),
        needs_model=True,
        lowest=0.0,
        highest=1.0,
    ),
    Settings,
    score,
)
