"""RAGAS's noise sensitivity: what part of the answer's statements is wrong because of what a context says.

A context is relevant when it supports a statement of the reference. A statement of the answer is wrong when the
reference does not support it; it is counted when a relevant (or, as chosen, only an irrelevant) context does.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from pydantic import Field

from arcane.messaging.scoring import Scale, ScorerDescription, Verdict
from worker.scoring.claims import statements_of, supported
from worker.scoring.errors import Undefined
from worker.scoring.fields import QUESTION, REFERENCE, RESPONSE, RETRIEVED
from worker.scoring.inputs import Inputs
from worker.scoring.scorer import Scorer, ScorerSettings
from worker.scoring.together import together
from worker.scoring.toolbox import Toolbox


class Noise(StrEnum):
    RELEVANT = "relevant"
    IRRELEVANT = "irrelevant"


class Settings(ScorerSettings):
    noise: Noise = Field(
        Noise.RELEVANT, title="Noise in", description="Contexts that are relevant to the reference, or the others."
    )


async def score(inputs: Inputs, settings: Settings, tools: Toolbox) -> Verdict:
    """Returns wrong statements that noise explains over statements; lower is better."""
    question, response = inputs.filled_text("user_input"), inputs.filled_text("response")
    reference, contexts = inputs.filled_text("reference"), inputs.filled_texts("retrieved_contexts")
    wanted, told = await together(
        [lambda: statements_of(tools, reference, question), lambda: statements_of(tools, response, question)]
    )
    if not told:
        raise Undefined("the answer states nothing")
    if not wanted:
        raise Undefined("the reference states nothing")
    pairs = [(statements, context) for context in contexts for statements in (wanted, told)]
    held = await together(
        [lambda s=s, c=c: supported(tools, s, c) for s, c in [*pairs, (told, reference)]]  # type: ignore[misc]
    )
    right = held.pop()
    relevant = [any(one) for one in held[0::2]]
    counted = _explained(held[1::2], relevant, settings.noise)
    wrong = sum(one and not other for one, other in zip(counted, right, strict=True))
    return Verdict(value=wrong / len(told), details={"statements": len(told), "wrong": len(told) - sum(right)})


def _explained(by_context: Sequence[Sequence[bool]], relevant: Sequence[bool], noise: Noise) -> list[bool]:
    """Returns for each statement whether contexts of the kind that is looked at explain it, and no others do."""
    kept = [[row for row, is_relevant in zip(by_context, relevant, strict=True) if is_relevant is side]
            for side in (True, False)]  # fmt: skip
    count = len(by_context[0])
    by_relevant, by_others = ([any(row[place] for row in rows) for place in range(count)] for rows in kept)
    if noise is Noise.RELEVANT:
        return by_relevant
    return [other and not one for one, other in zip(by_relevant, by_others, strict=True)]


SCORER = Scorer(
    ScorerDescription(
        key="d57720d3-4d82-40c8-9e17-a4768e1f5126",
        name="Noise sensitivity",
        group="RAGAS",
        description="What part of the answer is wrong because a retrieved context led it astray? Lower is better.",
        scale=Scale.NUMERIC,
        inputs=(QUESTION, RESPONSE, REFERENCE, RETRIEVED),
        needs_model=True,
        lowest=0.0,
        highest=1.0,
        lower_is_better=True,
    ),
    Settings,
    score,
)
