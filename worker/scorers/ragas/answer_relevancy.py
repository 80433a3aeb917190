"""RAGAS's answer relevancy: how near to the question are the questions that the answer would be an answer to."""

from __future__ import annotations

from pydantic import BaseModel, Field

from arcane.messaging.scoring import Scale, ScorerDescription, Verdict
from worker.scoring.fields import QUESTION, RESPONSE
from worker.scoring.inputs import Inputs
from worker.scoring.scorer import Scorer, ScorerSettings
from worker.scoring.toolbox import Toolbox, shaped
from worker.scoring.vectors import cosine


class Settings(ScorerSettings):
    strictness: int = Field(3, ge=1, le=10, title="Questions", description="How many questions the model makes up.")


class MadeUp(BaseModel):
    """A question that the answer answers, and whether the answer commits itself to anything."""

    question: str
    noncommittal: bool


_MAKE_UP = (
    "Make up the `question` that `response` answers. Say in `noncommittal` whether the response evades it: it does "
    "not know, cannot say, or says nothing definite."
)


async def score(inputs: Inputs, settings: Settings, tools: Toolbox) -> Verdict:
    """Returns the mean cosine with the made-up questions; 0 when the answer is noncommittal every time."""
    question, response = inputs.filled_text("user_input"), inputs.filled_text("response")
    given = [{"response": response}] * settings.strictness
    made = [one for one in await tools.ask_each(_MAKE_UP, given, shaped(MadeUp)) if one.question]
    details = {"questions": len(made), "noncommittal": sum(one.noncommittal for one in made)}
    if all(one.noncommittal for one in made):
        return Verdict(value=0.0, details=details)
    asked, *others = await tools.embed([question, *(one.question for one in made)])
    return Verdict(value=sum(cosine(asked, other) for other in others) / len(others), details=details)


SCORER = Scorer(
    ScorerDescription(
        key="54056e81-7f85-46a9-98a5-81b75b7a0d4c",
        name="Answer relevancy",
        group="RAGAS",
        description="Is the answer about what was asked? Questions are made up from it and compared with the real one.",
        scale=Scale.NUMERIC,
        inputs=(QUESTION, RESPONSE),
        needs_model=True,
        needs_embeddings=True,
        lowest=-1.0,
        highest=1.0,
    ),
    Settings,
    score,
)
