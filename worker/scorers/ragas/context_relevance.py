"""RAGAS's (NVIDIA's) context relevance: two raters say whether the retrieved contexts are about the question."""

from __future__ import annotations

from arcane.messaging.scoring import Scale, ScorerDescription, Verdict
from worker.scoring.fields import QUESTION, RETRIEVED
from worker.scoring.inputs import Inputs
from worker.scoring.ratings import mean_rating
from worker.scoring.scorer import Scorer, ScorerSettings
from worker.scoring.toolbox import Toolbox


class Settings(ScorerSettings):
    pass


_ANSWERS = (
    "Rate whether `context` holds what one needs to answer `question`: 2 for all of it, 1 for a part, 0 for nothing. "
    "Use no knowledge of your own."
)
_ABOUT = (
    "Somebody searched for `question` and got `context`. Rate how much it helps them: 0 when it is about something "
    "else, 1 when it helps in part, 2 when it is all they need. Do not answer the question yourself."
)


async def score(inputs: Inputs, settings: Settings, tools: Toolbox) -> Verdict:
    """Returns 0 to 1 in steps of a quarter; contexts that only repeat the question are worth nothing."""
    question = inputs.filled_text("user_input")
    context = "\n".join(inputs.filled_texts("retrieved_contexts"))
    if context.strip() in question.strip():
        return Verdict(value=0.0, details={"repeats_question": True})
    material = {"question": question, "context": context}
    return await mean_rating(tools, ((_ANSWERS, material), (_ABOUT, material)), (0, 1, 2))


SCORER = Scorer(
    ScorerDescription(
        key="1e819871-81f4-4248-a681-c653e1910939",
        name="Context relevance (NVIDIA)",
        group="RAGAS",
        description="Are the retrieved contexts about the question? Two raters, asked differently.",
        scale=Scale.NUMERIC,
        inputs=(QUESTION, RETRIEVED),
        needs_model=True,
        lowest=0.0,
        highest=1.0,
    ),
    Settings,
    score,
)
