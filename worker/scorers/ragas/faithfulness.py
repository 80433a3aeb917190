"""RAGAS's faithfulness: what part of the answer's statements the retrieved contexts support."""

from __future__ import annotations

from arcane.messaging.scoring import Scale, ScorerDescription, Verdict
from worker.scoring.claims import statements_of, supported
from worker.scoring.errors import Undefined
from worker.scoring.fields import QUESTION, RESPONSE, RETRIEVED
from worker.scoring.inputs import Inputs
from worker.scoring.scorer import Scorer, ScorerSettings
from worker.scoring.toolbox import Toolbox


class Settings(ScorerSettings):
    pass


async def score(inputs: Inputs, settings: Settings, tools: Toolbox) -> Verdict:
    """Returns supported statements over statements; raises Undefined for an answer that states nothing."""
    question, response = inputs.filled_text("user_input"), inputs.filled_text("response")
    context = "\n".join(inputs.filled_texts("retrieved_contexts"))
    statements = await statements_of(tools, response, question)
    if not statements:
        raise Undefined("the answer states nothing that could be held against the contexts")
    verdicts = await supported(tools, statements, context)
    details = {"statements": len(verdicts), "supported": sum(verdicts)}
    return Verdict(value=sum(verdicts) / len(verdicts), details=details)


SCORER = Scorer(
    ScorerDescription(
        key="ea8c28c7-18c1-40c7-bdf6-b834eddb5be1",
        name="Faithfulness",
        group="RAGAS",
        description="What part of what the answer states is supported by the retrieved contexts?",
        scale=Scale.NUMERIC,
        inputs=(QUESTION, RESPONSE, RETRIEVED),
        needs_model=True,
        lowest=0.0,
        highest=1.0,
    ),
    Settings,
    score,
)
