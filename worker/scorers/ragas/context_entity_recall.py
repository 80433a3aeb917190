"""RAGAS's context entity recall: what part of the things the reference names the retrieved contexts name too."""

from __future__ import annotations

from pydantic import BaseModel

from arcane.messaging.scoring import Scale, ScorerDescription, Verdict
from worker.scoring.errors import Undefined
from worker.scoring.fields import REFERENCE, RETRIEVED
from worker.scoring.inputs import Inputs
from worker.scoring.scorer import Scorer, ScorerSettings
from worker.scoring.toolbox import Toolbox, shaped


class Settings(ScorerSettings):
    pass


class Entities(BaseModel):
    """What a text names."""

    entities: list[str]


_NAMES = (
    "List every entity that `text` names: people, organisations, places, works, products, events, dates, amounts. "
    "Each once, as the text spells it; a thing named in several ways is listed under its fullest name."
)


async def score(inputs: Inputs, settings: Settings, tools: Toolbox) -> Verdict:
    """Returns shared entities over those of the reference; raises Undefined when it names none."""
    texts = [inputs.filled_text("reference"), "\n".join(inputs.filled_texts("retrieved_contexts"))]
    answers = await tools.ask_each(_NAMES, [{"text": text} for text in texts], shaped(Entities))
    wanted, found = (set(one.entities) for one in answers)
    if not wanted:
        raise Undefined("the reference names no entity")
    both = len(wanted & found)
    return Verdict(value=both / len(wanted), details={"found": both, "wanted": len(wanted)})


SCORER = Scorer(
    ScorerDescription(
        key="848d2504-19ae-4f9c-954e-366926206034",
        name="Context entity recall",
        group="RAGAS",
        description="What part of the entities that the reference names do the retrieved contexts name?",
        scale=Scale.NUMERIC,
        inputs=(REFERENCE, RETRIEVED),
        needs_model=True,
        lowest=0.0,
        highest=1.0,
    ),
    Settings,
    score,
)
