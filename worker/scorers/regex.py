"""1 when a regular expression (RE2: its time grows with the text, whatever the expression) finds something."""

from __future__ import annotations

from enum import StrEnum

import re2
from pydantic import Field, field_validator

from arcane.messaging.scoring import Scale, ScorerDescription, Verdict
from worker.scoring.fields import RESPONSE
from worker.scoring.inputs import Inputs
from worker.scoring.scorer import Scorer, ScorerSettings
from worker.scoring.toolbox import Toolbox


class Where(StrEnum):
    ANYWHERE = "anywhere"
    WHOLE = "whole"


class Settings(ScorerSettings):
    pattern: str = Field(
        title="Expression", description="An RE2 expression; (?i) at its start ignores case.", max_length=2_000
    )
    where: Where = Field(Where.ANYWHERE, title="Must match", description="Anywhere in the answer, or all of it.")
    forbidden: bool = Field(False, title="Forbidden", description="The answer is right when it does not match.")

    @field_validator("pattern")
    @classmethod
    def compiles(cls, pattern: str) -> str:
        try:
            re2.compile(pattern)
        except re2.error as exc:
            raise ValueError(f"not an RE2 expression: {exc}") from None
        return pattern


async def score(inputs: Inputs, settings: Settings, tools: Toolbox) -> Verdict:
    """Returns 1 or 0."""
    expression = re2.compile(settings.pattern)
    find = expression.fullmatch if settings.where is Where.WHOLE else expression.search
    matches = find(inputs.text("response")) is not None
    return Verdict(value=float(matches != settings.forbidden))


SCORER = Scorer(
    ScorerDescription(
        key="regex",
        name="Regular expression",
        group="Text",
        description="Does the answer match an expression, or avoid it?",
        scale=Scale.NUMERIC,
        inputs=(RESPONSE,),
        lowest=0.0,
        highest=1.0,
    ),
    Settings,
    score,
)
