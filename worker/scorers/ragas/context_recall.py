"""RAGAS's context recall with a model: what part of the reference can be traced to the retrieved contexts."""

from __future__ import annotations

from pydantic import BaseModel

from arcane.messaging.scoring import Scale, ScorerDescription, Verdict
from worker.scoring.errors import Undefined
from worker.scoring.fields import QUESTION, REFERENCE, RETRIEVED
from worker.scoring.inputs import Inputs
from worker.scoring.scorer import Scorer, ScorerSettings
from worker.scoring.toolbox import Toolbox, shaped


class Settings(ScorerSettings):
    pass


class Sentence(BaseModel):
    """One sentence of the reference, and whether the context has it."""

    sentence: str
    reason: str
    attributed: bool


class Sentences(BaseModel):
    """All sentences of the reference."""

    sentences: list[Sentence]


_ATTRIBUTE = (
    "Go through `answer`, an answer to `question`, sentence by sentence. For each sentence say whether it can be "
    "attributed to `context`: the context states it, or it follows from what the context states."
)


async def score(inputs: Inputs, settings: Settings, tools: Toolbox) -> Verdict:
    """Returns attributed sentences over sentences; raises Undefined when the model finds no sentence."""
    given = {
        "question": inputs.filled_text("user_input"),
        "context": "\n".join(inputs.filled_texts("retrieved_contexts")),
        "answer": inputs.filled_text("reference"),
    }
    sentences = (await tools.ask(_ATTRIBUTE, given, shaped(Sentences))).sentences
    if not sentences:
        raise Undefined("the model found no sentence in the reference")
    attributed = sum(one.attributed for one in sentences)
    details = {"sentences": len(sentences), "attributed": attributed}
    return Verdict(value=attributed / len(sentences), details=details)


SCORER = Scorer(
    ScorerDescription(
        key="c90f0364-481b-4bd5-a162-50897300d5e1",
        name="Context recall",
        group="RAGAS",
        description="What part of the reference can be traced to the retrieved contexts?",
        scale=Scale.NUMERIC,
        inputs=(QUESTION, REFERENCE, RETRIEVED),
        needs_model=True,
        lowest=0.0,
        highest=1.0,
    ),
    Settings,
    score,
)
