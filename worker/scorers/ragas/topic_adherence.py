"""RAGAS's topic adherence: whether an assistant answered about the allowed topics, and about no others."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, Field

from arcane.messaging.scoring import Scale, ScorerDescription, Verdict
from worker.scoring.conversation import transcript
from worker.scoring.errors import Undefined
from worker.scoring.fields import CONVERSATION, REFERENCE_TOPICS
from worker.scoring.inputs import Inputs
from worker.scoring.scorer import Scorer, ScorerSettings
from worker.scoring.toolbox import Toolbox, shaped


class Measure(StrEnum):
    F1 = "f1"
    PRECISION = "precision"
    RECALL = "recall"


class Settings(ScorerSettings):
    measure: Measure = Field(
        Measure.F1,
        title="Measure",
        json_schema_extra={"labels": {"f1": "F1", "precision": "Precision", "recall": "Recall"}},
    )


class Topics(BaseModel):
    """What somebody asked about."""

    topics: list[str]


class Refusal(BaseModel):
    """Whether the assistant would not talk about a topic."""

    reason: str
    refused: bool


class Allowed(BaseModel):
    """For each topic, in their order, whether it is an allowed one."""

    allowed: list[bool]


_TOPICS = "List the topics that the user asks about in `conversation`, each once, in a few words."
_REFUSED = "Say whether the assistant refused, in `conversation`, to answer about `topic`."
_ALLOWED = (
    "For each of `topics`, in their order, say whether it falls under one of `allowed_topics`. Give one answer for "
    "each topic, {count} in all."
)


async def score(inputs: Inputs, settings: Settings, tools: Toolbox) -> Verdict:
    """Returns precision, recall or F1 over topics; raises Undefined for a conversation about nothing."""
    conversation = transcript(inputs.messages("user_input"))
    reference = inputs.filled_texts("reference_topics")
    topics = (await tools.ask(_TOPICS, {"conversation": conversation}, shaped(Topics))).topics
    if not topics:
        raise Undefined("the conversation is about no topic")
    each = [{"conversation": conversation, "topic": topic} for topic in topics]
    answered = [not one.refused for one in await tools.ask_each(_REFUSED, each, shaped(Refusal))]
    allowed = await _allowed(tools, topics, reference)
    pairs = list(zip(answered, allowed, strict=True))
    kept, strayed, refused = pairs.count((True, True)), pairs.count((True, False)), pairs.count((False, True))
    precision = kept / (kept + strayed) if kept else 0.0
    recall = kept / (kept + refused) if kept else 0.0
    f1 = 2 * precision * recall / (precision + recall) if kept else 0.0
    value = {Measure.F1: f1, Measure.PRECISION: precision, Measure.RECALL: recall}[settings.measure]
    return Verdict(value=value, details={"precision": precision, "recall": recall, "topics": len(topics)})


async def _allowed(tools: Toolbox, topics: list[str], reference: list[str]) -> list[bool]:
    count = len(topics)

    def check(answer: Allowed) -> str:
        found = len(answer.allowed)
        return "" if found == count else f"allowed: there are {found}, for {count} topics"

    given = {"topics": topics, "allowed_topics": reference}
    return (await tools.ask(_ALLOWED.format(count=count), given, shaped(Allowed, check))).allowed


SCORER = Scorer(
    ScorerDescription(
        key="5b0b6ec0-4a87-407f-a032-c2d5f9511569",
        name="Topic adherence",
        group="RAGAS",
        description="Did the assistant answer about the allowed topics, and about no others?",
        scale=Scale.NUMERIC,
        inputs=(CONVERSATION, REFERENCE_TOPICS),
        needs_model=True,
        lowest=0.0,
        highest=1.0,
    ),
    Settings,
    score,
)
