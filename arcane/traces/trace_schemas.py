"""What the endpoints answer about one trace, as the OpenAPI document shows it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, JsonValue

from arcane.conventions import Kind
from arcane.traces.schemas import TRACE_ID_EXAMPLE, AttributeValues, Nanoseconds, Out, SourceOut, Timestamp


class EventOut(Out):
    """Something that happened during a span; `offset_ns` counts from the start of the trace."""

    name: str
    time: Timestamp
    offset_ns: int
    attributes: AttributeValues


class LinkOut(Out):
    """A pointer to a span of this or another trace."""

    trace_id: str
    span_id: str
    attributes: AttributeValues


class TokensOut(Out):
    """Tokens; `input` includes cached ones, `output` includes reasoning. What is zero may be left out."""

    input: int
    output: int
    total: int
    cached_input: int = 0
    cache_creation: int = 0
    cache_creation_1h: int = 0
    reasoning: int = 0


class CostOut(Out):
    """US dollars, as the span reports them or as the list price of the model says."""

    usd: float
    source: Literal["reported", "priced"]


class LlmViewOut(Out):
    """What a span says about an LLM application; what it does not say is left out."""

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
    tokens: TokensOut | None = None
    cost: CostOut | None = None
    time_to_first_token: int | None = None
    finish_reasons: list[str] = Field(default_factory=list)
    aggregate: bool = False


class LlmTotalsOut(Out):
    """What a trace adds up to, every token once; what is zero or empty may be left out."""

    model_calls: int = 0
    tool_calls: int = 0
    tokens: TokensOut = TokensOut(input=0, output=0, total=0)
    cost_usd: float = 0.0
    cost_reported_usd: float = 0.0
    cost_priced_usd: float = 0.0
    unpriced_calls: int = 0
    models: list[str] = Field(default_factory=list)
    agents: list[str] = Field(default_factory=list)
    tools: list[str] = Field(default_factory=list)
    conversation_ids: list[str] = Field(default_factory=list)
    user_ids: list[str] = Field(default_factory=list)


class SpanOut(Out):
    """A span. `resource`, `scope` and `sources` are indexes into the trace's tables of these names."""

    span_id: str
    parent_span_id: Annotated[str | None, Field(description="Null at a root.")]
    name: str
    kind: str
    start: Timestamp
    offset_ns: Annotated[int, Field(description="Nanoseconds from the start of the trace.")]
    duration_ns: Nanoseconds
    status: str
    status_message: str
    resource: int
    scope: int
    sources: list[int]
    attributes: AttributeValues
    events: list[EventOut]
    links: list[LinkOut]
    llm: LlmViewOut | None


class ScopeOut(Out):
    """The library that recorded spans."""

    name: str
    version: str
    attributes: AttributeValues


class ResourceOut(Out):
    """What produced spans."""

    attributes: AttributeValues


class RootOut(Out):
    """The span a trace begins with."""

    span_id: str
    name: str
    service: str


class TraceOut(Out):
    """A trace as all datasources together have it. Spans stand in order of start."""

    trace_id: Annotated[str, Field(examples=[TRACE_ID_EXAMPLE])]
    start: Timestamp
    end: Timestamp
    duration_ns: Nanoseconds
    root: Annotated[RootOut | None, Field(description="Null where no root was received.")]
    span_count: int
    error_count: int
    complete: Annotated[bool, Field(description="True when every datasource answered in full.")]
    sources: list[SourceOut]
    warnings: list[str]
    llm: LlmTotalsOut
    resources: list[ResourceOut]
    scopes: list[ScopeOut]
    spans: list[SpanOut]


class MessageOut(Out):
    """A message. Each part has a `type` and the fields of that type; what is empty is left out.

    Types: text, reasoning, tool_call, tool_result, blob, uri, document, other.
    """

    role: Literal["system", "user", "assistant", "tool"]
    parts: list[dict[str, JsonValue]] = Field(default_factory=list)
    name: str = ""
    finish_reason: str = ""


class ExchangeOut(Out):
    """What went into a span and what came out."""

    input: list[MessageOut]
    output: list[MessageOut]
