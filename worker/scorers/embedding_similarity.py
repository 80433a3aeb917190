"""The cosine between the embeddings of answer and reference: whether they mean the same."""

from __future__ import annotations

from arcane.messaging.scoring import Scale, ScorerDescription, Verdict
from worker.scoring.fields import REFERENCE, RESPONSE
from worker.scoring.inputs import Inputs
from worker.scoring.scorer import Scorer, ScorerSettings
from worker.scoring.toolbox import Toolbox
from worker.scoring.vectors import cosine


class Settings(ScorerSettings):
    pass


async def score(inputs: Inputs, settings: Settings, tools: Toolbox) -> Verdict:
    """Returns -1 to 1; most models give texts 0 to 1."""
    one, other = await tools.embed([inputs.filled_text("response"), inputs.filled_text("reference")])
    return Verdict(value=cosine(one, other))


SCORER = Scorer(
    ScorerDescription(
        key="embedding-similarity",
        name="Embedding similarity",
        group="Meaning",
        description="How near to one another are answer and reference in meaning, by their embeddings?",
        scale=Scale.NUMERIC,
        inputs=(RESPONSE, REFERENCE),
        needs_embeddings=True,
        lowest=-1.0,
        highest=1.0,
    ),
    Settings,
    score,
)
