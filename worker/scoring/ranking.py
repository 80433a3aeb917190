"""Whether what is useful was ranked first."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel

from arcane.messaging.scoring import Verdict
from worker.scoring.toolbox import Toolbox, shaped


class Usefulness(BaseModel):
    """Whether one context was of use."""

    reason: str
    useful: bool


_USEFUL = (
    "Somebody answered `question` with `answer`. Say whether `context` was useful for getting to that answer: whether "
    "the answer, or a part of it that matters, is in it or follows from it."
)


async def ranked_usefulness(tools: Toolbox, question: str, answer: str, contexts: Sequence[str]) -> Verdict:
    """Returns the average precision of `contexts`, the best-ranked first; 0 when none was useful."""
    given = [{"question": question, "context": context, "answer": answer} for context in contexts]
    useful = [one.useful for one in await tools.ask_each(_USEFUL, given, shaped(Usefulness))]
    return Verdict(value=average_precision(useful), details={"useful": useful})


def average_precision(useful: Sequence[bool]) -> float:
    """Returns the mean, over the ranks of what is useful, of the part of useful ones up to there."""
    ranks = [rank for rank, one in enumerate(useful, start=1) if one]
    return sum(place / rank for place, rank in enumerate(ranks, start=1)) / len(ranks) if ranks else 0.0
