"""Whether the answer contains texts: all of them, or any. The texts stand in the settings or in the reference."""

from __future__ import annotations

from enum import StrEnum

import msgspec
from pydantic import Field

from arcane.messaging.scoring import Scale, ScorerDescription, Verdict
from worker.scoring.errors import MissingInput
from worker.scoring.fields import REFERENCE, RESPONSE
from worker.scoring.inputs import Inputs
from worker.scoring.scorer import Scorer, ScorerSettings
from worker.scoring.toolbox import Toolbox


class Wanted(StrEnum):
    ALL = "all"
    ANY = "any"


class Settings(ScorerSettings):
    texts: list[str] = Field(
        default_factory=list,
        title="Texts",
        description="One a line. Empty: the reference of each row, which may be a list.",
        max_length=200,
    )
    wanted: Wanted = Field(Wanted.ALL, title="Contains", description="All of the texts, or any of them.")
    ignore_case: bool = Field(False, title="Ignore case")


async def score(inputs: Inputs, settings: Settings, tools: Toolbox) -> Verdict:
    """Returns 1 or 0, and in the details how many of the texts are there."""
    texts = settings.texts or inputs.texts("reference")
    if not texts:
        raise MissingInput("there is no text to look for: neither in the settings nor in `reference`")
    response = inputs.text("response")
    if settings.ignore_case:
        response, texts = response.casefold(), [text.casefold() for text in texts]
    found = sum(text in response for text in texts)
    value = found == len(texts) if settings.wanted is Wanted.ALL else found > 0
    return Verdict(value=float(value), details={"found": found, "texts": len(texts)})


SCORER = Scorer(
    ScorerDescription(
        key="contains",
        name="Contains",
        group="Text",
        description="Does the answer contain all of some texts, or any of them?",
        scale=Scale.NUMERIC,
        inputs=(RESPONSE, msgspec.structs.replace(REFERENCE, kind="texts", required=False)),
        lowest=0.0,
        highest=1.0,
    ),
    Settings,
    score,
)
