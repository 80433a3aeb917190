"""Two raters who are asked differently: their mean is steadier than either."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from arcane.messaging.scoring import Verdict
from worker.scoring.together import together
from worker.scoring.toolbox import Toolbox, shaped


class Rating(BaseModel):
    """A place on a short scale."""

    reason: str
    rating: int


async def mean_rating(
    tools: Toolbox, raters: Sequence[tuple[str, Mapping[str, Any]]], allowed: tuple[int, ...]
) -> Verdict:
    """Returns the mean of the raters, each with instructions and material, as a part of the highest rating."""
    words = ", ".join(map(str, allowed))

    def check(answer: Rating) -> str:
        return "" if answer.rating in allowed else f"rating: is to be one of {words}"

    form = shaped(Rating, check)
    answers = await together([lambda r=rater: tools.ask(r[0], r[1], form) for rater in raters])  # type: ignore[misc]
    ratings = [one.rating for one in answers]
    return Verdict(
        value=sum(ratings) / len(ratings) / max(allowed),
        reasoning="\n\n".join(one.reason for one in answers),
        details={"ratings": ratings},
    )
