"""RAGAS's (NVIDIA's) response groundedness: two raters say whether the contexts support the answer."""

from __future__ import annotations

from arcane.messaging.scoring import Scale, ScorerDescription, Verdict
from worker.scoring.fields import RESPONSE, RETRIEVED
from worker.scoring.inputs import Inputs
from worker.scoring.ratings import mean_rating
from worker.scoring.scorer import Scorer, ScorerSettings
from worker.scoring.toolbox import Toolbox


class Settings(ScorerSettings):
    pass


_SUPPORTED = (
    "Rate how far `context` supports what `response` asserts: 2 when all of it, 1 when a part, 0 when nothing. What is "
    "true but not in the context is not supported."
)
_FOLLOWS = (
    "Read `context`, then `response`: rate whether one who knows the context alone could have written the response: "
    "0 when none of it follows, 1 when some does, 2 when everything does."
)


async def score(inputs: Inputs, settings: Settings, tools: Toolbox) -> Verdict:
    """Returns 0 to 1 in steps of a quarter; empty contexts support nothing."""
    response = inputs.filled_text("response")
    context = "\n".join(inputs.filled_texts("retrieved_contexts"))
    if not context.strip():
        return Verdict(value=0.0, details={"empty_contexts": True})
    material = {"response": response, "context": context}
    return await mean_rating(tools, ((_SUPPORTED, material), (_FOLLOWS, material)), (0, 1, 2))


SCORER = Scorer(
    ScorerDescription(
        key="7cadef69-f9b8-4dc7-b9eb-7245b1e3a3dc",
        name="Response groundedness (NVIDIA)",
        group="RAGAS",
        description="Do the retrieved contexts support the answer? Two raters, asked differently.",
        scale=Scale.NUMERIC,
        inputs=(RESPONSE, RETRIEVED),
        needs_model=True,
        lowest=0.0,
        highest=1.0,
    ),
    Settings,
    score,
)
