"""The LLM view of a span: one vocabulary over all dialects."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Kind(StrEnum):
    """What a span is to somebody who builds with LLMs."""

    AGENT = "agent"
    LLM = "llm"
    TOOL = "tool"
    RETRIEVER = "retriever"
    EMBEDDING = "embedding"
    RERANKER = "reranker"
    GUARDRAIL = "guardrail"
    EVALUATOR = "evaluator"
    CHAIN = "chain"
    WORKFLOW = "workflow"
    TASK = "task"
    MEMORY = "memory"
    PROMPT = "prompt"
    SPAN = "span"  # carries LLM attributes, and none that says what it is


MODEL_CALLS = frozenset({Kind.LLM, Kind.EMBEDDING, Kind.RERANKER})
# Reading a member of an enum takes a call in Python 3.11: what is read for every span is read here, once.
AGENT, TOOL = Kind.AGENT, Kind.TOOL


class CostSource(StrEnum):
    """Where a cost comes from."""

    REPORTED = "reported"  # stands on the span
    PRICED = "priced"  # tokens times the list price of the model at the span's time


REPORTED, PRICED = CostSource.REPORTED, CostSource.PRICED


class Tokens(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Tokens in one shape whatever the dialect: `input` includes the cached ones, `output` includes reasoning.

    `cache_creation_1h` is the part of `cache_creation` that is kept for an hour.
    """

    input: int
    output: int
    total: int
    cached_input: int = 0
    cache_creation: int = 0
    cache_creation_1h: int = 0
    reasoning: int = 0


class Cost(msgspec.Struct, frozen=True, gc=False):
    """US dollars, and where the figure comes from."""

    usd: float
    source: CostSource


class LlmView(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What a span says about an LLM application. A field is None (left out in JSON) where the span does not say.

    `aggregate`: the tokens repeat those of the spans below, so they are shown and neither priced nor summed twice.
    `time_to_first_token` is in nanoseconds.
    """

    kind: Kind
    dialect: str
    operation: str | None = None
    request_model: str | None = None
    response_model: str | None = None
    provider: str | None = None
    agent: str | None = None
    tool: str | None = None
    tool_call_id: str | None = None
    conversation_id: str | None = None
    session_id: str | None = None
    user_id: str | None = None
    tokens: Tokens | None = None
    cost: Cost | None = None
    time_to_first_token: int | None = None
    finish_reasons: tuple[str, ...] = ()
    aggregate: bool = False

    @property
    def model(self) -> str | None:
        """The model that answered, else the one that was asked for."""
        return self.response_model or self.request_model

    @property
    def is_model_call(self) -> bool:
        """True for one request to a model, false for what wraps requests."""
        return self.kind in MODEL_CALLS and not self.aggregate
