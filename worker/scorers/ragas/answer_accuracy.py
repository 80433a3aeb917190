"""RAGAS's (NVIDIA's) answer accuracy: two raters hold the answer against the reference, and the other way round."""

from __future__ import annotations

from arcane.messaging.scoring import Scale, ScorerDescription, Verdict
from worker.scoring.fields import QUESTION, REFERENCE, RESPONSE
from worker.scoring.inputs import Inputs
from worker.scoring.ratings import mean_rating
from worker.scoring.scorer import Scorer, ScorerSettings
from worker.scoring.toolbox import Toolbox


class Settings(ScorerSettings):
    pass


_GRADE = (
    "You grade an answer to `question`. Rate how `answer` agrees with `reference`: 4 when it says the same, 2 when a "
    "part of it does, 0 when it contradicts it or is about something else. Wording and length do not count."
)
_COMPARE = (
    "Two people answered `question`. Rate how far `answer` can be accepted in place of `reference`: 4 in full, 2 in "
    "part, 0 not at all. Judge what they say, not how they say it."
)


async def score(inputs: Inputs, settings: Settings, tools: Toolbox) -> Verdict:
    """Returns 0 to 1 in steps of a quarter."""
    question = inputs.filled_text("user_input")
    response, reference = inputs.filled_text("response"), inputs.filled_text("reference")
    raters = (
        (_GRADE, {"question": question, "answer": response, "reference": reference}),
        (_COMPARE, {"question": question, "answer": reference, "reference": response}),
    )
    return await mean_rating(tools, raters, (0, 2, 4))


SCORER = Scorer(
    ScorerDescription(
        key="99795951-de16-44cb-8c1d-71d100ed36d2",
        name="Answer accuracy (NVIDIA)",
        group="RAGAS",
        description="Does the answer agree with the reference? Two raters, each with another question to answer.",
        scale=Scale.NUMERIC,
        inputs=(QUESTION, RESPONSE, REFERENCE),
        needs_model=True,
        lowest=0.0,
        highest=1.0,
    ),
    Settings,
    score,
)
