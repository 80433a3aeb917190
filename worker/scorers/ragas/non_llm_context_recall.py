"""RAGAS's context recall without a model: what part of the reference contexts has a retrieved one that is like it."""

from __future__ import annotations

from pydantic import Field

from arcane.messaging.scoring import Scale, ScorerDescription, Verdict
from worker.scoring.fields import REFERENCE_CONTEXTS, RETRIEVED
from worker.scoring.inputs import Inputs
from worker.scoring.scorer import Scorer, ScorerSettings
from worker.scoring.texts import Distance, likeness
from worker.scoring.toolbox import Toolbox


class Settings(ScorerSettings):
    threshold: float = Field(
        0.5, ge=0, le=1, title="Threshold", description="Contexts that are more like one another are the same."
    )
    distance: Distance = Field(Distance.LEVENSHTEIN, title="Distance")


async def score(inputs: Inputs, settings: Settings, tools: Toolbox) -> Verdict:
    """Returns found reference contexts over reference contexts."""
    retrieved, wanted = inputs.filled_texts("retrieved_contexts"), inputs.filled_texts("reference_contexts")
    found = 0
    for reference in wanted:
        best = max([await likeness(one, reference, settings.distance) for one in retrieved])
        found += best > settings.threshold
    return Verdict(value=found / len(wanted), details={"found": found, "wanted": len(wanted)})


SCORER = Scorer(
    ScorerDescription(
        key="4c11c803-6039-49c8-8c34-24154c92db49",
        name="Context recall by likeness",
        group="RAGAS",
        description="What part of the reference contexts was found, by how like one another the texts are?",
        scale=Scale.NUMERIC,
        inputs=(RETRIEVED, REFERENCE_CONTEXTS),
        lowest=0.0,
        highest=1.0,
    ),
    Settings,
    score,
)
