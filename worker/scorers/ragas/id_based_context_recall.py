"""RAGAS's context recall by ids: what part of the ids that should have been found was found."""

from __future__ import annotations

from arcane.messaging.scoring import Scale, ScorerDescription, Verdict
from worker.scoring.fields import REFERENCE_IDS, RETRIEVED_IDS
from worker.scoring.inputs import Inputs
from worker.scoring.scorer import Scorer, ScorerSettings
from worker.scoring.toolbox import Toolbox


class Settings(ScorerSettings):
    pass


async def score(inputs: Inputs, settings: Settings, tools: Toolbox) -> Verdict:
    """Returns found ids over wanted ids, each counted once."""
    found, wanted = set(inputs.texts("retrieved_context_ids")), set(inputs.filled_texts("reference_context_ids"))
    hits = len(found & wanted)
    return Verdict(value=hits / len(wanted), details={"found": hits, "wanted": len(wanted)})


SCORER = Scorer(
    ScorerDescription(
        key="a41e87f7-2061-4d8e-83de-f49d219d450e",
        name="Context recall by id",
        group="RAGAS",
        description="What part of the contexts that should have been found was found, by their ids?",
        scale=Scale.NUMERIC,
        inputs=(RETRIEVED_IDS, REFERENCE_IDS),
        lowest=0.0,
        highest=1.0,
    ),
    Settings,
    score,
)
