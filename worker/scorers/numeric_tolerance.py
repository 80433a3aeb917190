"""1 when a number is near enough to the reference."""

from __future__ import annotations

import msgspec
import re2
from pydantic import Field

from arcane.messaging.scoring import Scale, ScorerDescription, Verdict
from worker.scoring.errors import UnreadableInput
from worker.scoring.fields import REFERENCE, RESPONSE
from worker.scoring.inputs import Inputs
from worker.scoring.scorer import Scorer, ScorerSettings
from worker.scoring.toolbox import Toolbox

_NUMBER = re2.compile(r"[-+]?(?:\d+(?:,\d{3})*(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d+)?")


class Settings(ScorerSettings):
    absolute: float = Field(0.0, ge=0, title="Absolute tolerance", description="Largest difference that is right.")
    relative: float = Field(
        0.0, ge=0, title="Relative tolerance", description="Largest part of the reference: 0.01 is one per cent."
    )
    in_text: bool = Field(
        False, title="Find the number", description="The last number that stands in the answer is the one that counts."
    )


async def score(inputs: Inputs, settings: Settings, tools: Toolbox) -> Verdict:
    """Returns 1 or 0. A difference within either tolerance is right; an answer without a number is wrong."""
    wanted = inputs.number("reference")
    try:
        number = _last(inputs) if settings.in_text else inputs.number("response")
    except UnreadableInput:
        return Verdict(value=0.0, details={"number": False})
    allowed = max(settings.absolute, settings.relative * abs(wanted))
    return Verdict(value=float(abs(number - wanted) <= allowed), details={"number": True})


def _last(inputs: Inputs) -> float:
    numbers = _NUMBER.findall(inputs.text("response"))
    if not numbers:
        raise UnreadableInput("the input `response` holds no number")
    return float(numbers[-1].replace(",", ""))


SCORER = Scorer(
    ScorerDescription(
        key="numeric-tolerance",
        name="Number within a tolerance",
        group="Structure",
        description="Is the number of the answer near enough to the reference?",
        scale=Scale.NUMERIC,
        inputs=(RESPONSE, msgspec.structs.replace(REFERENCE, kind="number")),
        lowest=0.0,
        highest=1.0,
    ),
    Settings,
    score,
)
