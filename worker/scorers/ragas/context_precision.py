"""RAGAS's context precision: whether the contexts that helped to get to the reference were ranked first."""

from __future__ import annotations

from arcane.messaging.scoring import Scale, ScorerDescription, Verdict
from worker.scoring.fields import QUESTION, REFERENCE, RETRIEVED
from worker.scoring.inputs import Inputs
from worker.scoring.ranking import ranked_usefulness
from worker.scoring.scorer import Scorer, ScorerSettings
from worker.scoring.toolbox import Toolbox


class Settings(ScorerSettings):
    pass


async def score(inputs: Inputs, settings: Settings, tools: Toolbox) -> Verdict:
    """Returns the average precision over the ranks of useful contexts."""
    question, reference = inputs.filled_text("user_input"), inputs.filled_text("reference")
    return await ranked_usefulness(tools, question, reference, inputs.filled_texts("retrieved_contexts"))


SCORER = Scorer(
    ScorerDescription(
        key="16070b12-c49f-4b3b-904f-533e4022d0f4",
        name="Context precision",
        group="RAGAS",
        description="Were the contexts that lead to the reference found first?",
        scale=Scale.NUMERIC,
        inputs=(QUESTION, REFERENCE, RETRIEVED),
        needs_model=True,
        lowest=0.0,
        highest=1.0,
    ),
    Settings,
    score,
)
