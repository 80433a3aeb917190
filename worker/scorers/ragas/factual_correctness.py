"""RAGAS's factual correctness: the claims of answer and reference, each held against the other."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, Field

from arcane.messaging.scoring import Scale, ScorerDescription, Verdict
from worker.scoring.claims import supported
from worker.scoring.fields import REFERENCE, RESPONSE
from worker.scoring.inputs import Inputs
from worker.scoring.scorer import Scorer, ScorerSettings
from worker.scoring.together import together
from worker.scoring.toolbox import Toolbox, shaped


class Measure(StrEnum):
    F1 = "f1"
    PRECISION = "precision"
    RECALL = "recall"


class Level(StrEnum):
    LOW = "low"
    HIGH = "high"


class Settings(ScorerSettings):
    measure: Measure = Field(
        Measure.F1,
        title="Measure",
        json_schema_extra={"labels": {"f1": "F measure", "precision": "Precision", "recall": "Recall"}},
    )
    beta: float = Field(
        1.0, gt=0, le=100, title="Beta", description="Of the F measure: above 1 recall counts more, below 1 precision."
    )
    atomicity: Level = Field(Level.LOW, title="Atomicity", description="How small claims are.")
    coverage: Level = Field(Level.LOW, title="Coverage", description="How much of a text is taken up in claims.")


class Claims(BaseModel):
    """What a text claims."""

    claims: list[str]


_SIZE = {
    Level.LOW: "A claim may be a whole sentence with several facts that belong together.",
    Level.HIGH: "A claim holds one fact and cannot be divided.",
}
_REACH = {
    Level.LOW: "Take up what the text is mainly about and leave details out.",
    Level.HIGH: "Take up everything the text says, details included.",
}


async def score(inputs: Inputs, settings: Settings, tools: Toolbox) -> Verdict:
    """Returns the measure over claims, rounded to two places."""
    response, reference = inputs.filled_text("response"), inputs.filled_text("reference")
    if settings.measure is Measure.PRECISION:
        ours, theirs = await _held(tools, settings, response, reference), []
    else:
        ours, theirs = await together(
            [
                lambda: _held(tools, settings, response, reference),
                lambda: _held(tools, settings, reference, response),
            ]
        )
    right, made_up, missing = sum(ours), ours.count(False), theirs.count(False)
    precision = right / (right + made_up) if right else 0.0
    recall = right / (right + missing) if right else 0.0
    weight = settings.beta**2
    f_measure = (1 + weight) * precision * recall / (weight * precision + recall) if right else 0.0
    value = {Measure.F1: f_measure, Measure.PRECISION: precision, Measure.RECALL: recall}[settings.measure]
    return Verdict(value=round(value, 2), details={"right": right, "made_up": made_up, "missing": missing})


async def _held(tools: Toolbox, settings: Settings, text: str, against: str) -> list[bool]:
    """For each claim of `text`, whether `against` supports it."""
    instructions = (
        "Take `text` apart into claims that can be checked one by one and understood alone. "
        f"{_SIZE[settings.atomicity]} {_REACH[settings.coverage]}"
    )
    claims = (await tools.ask(instructions, {"text": text}, shaped(Claims))).claims
    return await supported(tools, claims, against)


SCORER = Scorer(
    ScorerDescription(
        key="0d5a785c-748b-465f-b96f-6f9c7604f645",
        name="Factual correctness",
        group="RAGAS",
        description="Are the claims of the answer in the reference, and those of the reference in the answer?",
        scale=Scale.NUMERIC,
        inputs=(RESPONSE, REFERENCE),
        needs_model=True,
        lowest=0.0,
        highest=1.0,
    ),
    Settings,
    score,
)
