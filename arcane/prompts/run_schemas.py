"""What the endpoints of runs take and answer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import ConfigDict, Field, model_validator

from arcane.kit.schema import Schema
from arcane.messaging.generation import Generated
from arcane.prompts.running import SpanReference
from arcane.prompts.schemas import Reference, ToolCallBody, VersionIn

_HEX = r"^[0-9a-f]{1,32}$"


class SpanIn(Schema):
    """The span whose conversation a draft began with: such a run keeps no text."""

    model_config = ConfigDict(extra="forbid")

    trace_id: Annotated[str, Field(pattern=_HEX)]
    span_id: Annotated[str, Field(pattern=_HEX)]

    def reference(self) -> SpanReference:
        """Returns it as the service takes it."""
        return SpanReference(trace_id=self.trace_id, span_id=self.span_id)


class RunIn(Schema):
    """What to run: a stored prompt's version (the promoted one unless `version` says another), or a draft."""

    model_config = ConfigDict(extra="forbid")

    prompt: Annotated[str, Field(max_length=200, description="Id or name.", examples=["Support answer"])] = ""
    version: Reference = ""
    draft: VersionIn | None = None
    model_configuration_id: Annotated[
        UUID | None, Field(description="Another model of the organisation than the version's own.")
    ] = None
    inputs: Annotated[dict[str, Any], Field(max_length=1_000, examples=[{"question": "Where is my parcel?"}])] = {}
    span: SpanIn | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.draft is None and not self.prompt:
            raise ValueError("name a prompt, or send a draft")
        if self.draft is not None and self.version:
            raise ValueError("a draft is no stored version: name one or the other")
        if self.span is not None and self.draft is None:
            raise ValueError("only a draft begins with a span")
        return self


class UsageOut(Schema):
    """What the run took; `cost_usd` is null where no price is known."""

    model_config = ConfigDict(from_attributes=True)

    input_tokens: int
    output_tokens: int
    cached_tokens: int
    cost_usd: float | None
    latency_ms: float


class AnswerOut(Schema):
    """The answer of a model; `structured` is the answer read by the schema that was asked for."""

    run_id: UUID
    text: str
    tool_calls: list[ToolCallBody]
    structured: Any
    finish_reason: str
    model: str
    usage: UsageOut

    @classmethod
    def of(cls, run_id: UUID, generated: Generated) -> AnswerOut:
        """Returns `generated` as it is shown."""
        return cls(
            run_id=run_id,
            text=generated.text,
            tool_calls=[ToolCallBody.model_validate(call) for call in generated.tool_calls],
            structured=generated.structured,
            finish_reason=generated.finish_reason,
            model=generated.model,
            usage=UsageOut.model_validate(generated.usage),
        )


class RunOut(Schema):
    """One run of the history. Inputs and output are null when it began with a span, or they were too long."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    prompt_id: UUID | None
    version_id: UUID | None
    version_number: int | None
    digest: Annotated[str, Field(description="The same for drafts that say the same.")]
    span: dict[str, str] | None
    model_configuration_id: UUID
    model: str
    status: Annotated[str, Field(examples=["done"])]
    error: str
    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    latency_ms: float | None
    inputs: dict[str, Any] | None
    output: str | None
    cut: bool
    created_by: str
    created_at: datetime
    ended_at: datetime | None


class RunPage(Schema):
    """Some of the runs, newest first."""

    model_config = ConfigDict(from_attributes=True)

    items: list[RunOut]
    next: str | None
