"""What a worker is asked to generate, and what came of it: the words backend and worker share about language models.

Nothing here is a provider's own shape; `worker.llm` translates. A key of a provider is never part of any of it
(see `arcane.messaging.jobs`).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec


class Provider(StrEnum):
    """Whose API a model is called through."""

    OPENAI = "openai"
    AZURE = "azure"
    ANTHROPIC = "anthropic"
    BEDROCK = "bedrock"
    VERTEX = "google-vertex-ai"
    AI_STUDIO = "google-ai-studio"
    OLLAMA = "ollama"
    COMPATIBLE = "openai-compatible"


class Price(msgspec.Struct, frozen=True):
    """What one million tokens cost in US dollars, where the operator knows better than the public list."""

    input_usd: float
    output_usd: float


class ModelSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Which model to call, and where. `configuration` names the stored one; the key is asked for by it.

    `settings` are the provider's own places (region, endpoint, API version, base URL), `parameters` what goes with
    every call (temperature, max_tokens, top_p, frequency_penalty, presence_penalty, stop, seed, ...).
    """

    configuration: UUID
    provider: Provider
    model: str
    settings: Mapping[str, Any] = {}
    parameters: Mapping[str, Any] = {}
    price: Price | None = None


class Role(StrEnum):
    """Who says a message of a prompt."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


class ToolCall(msgspec.Struct, frozen=True):
    """A model asks for a tool. `arguments` is the JSON text as the model wrote it."""

    id: str
    name: str
    arguments: str


class ChatMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One message. A tool's answer names the call it answers."""

    role: Role
    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""
    tool_name: str = ""


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """A tool the model may ask for; `parameters` is a JSON schema."""

    name: str
    description: str = ""
    parameters: Mapping[str, Any] = {}


class TemplateFormat(StrEnum):
    """How variables stand in a template."""

    MUSTACHE = "mustache"
    F_STRING = "f-string"
    JINJA2 = "jinja2"
    NONE = "none"


class PromptSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a prompt, whole: what it says, with which tools, and in which form the answer is wanted.

    `response_schema` is a JSON schema; None asks for text.
    """

    messages: tuple[ChatMessage, ...]
    format: TemplateFormat
    tools: tuple[Tool, ...] = ()
    tool_choice: str = "auto"
    response_schema: Mapping[str, Any] | None = None
    parameters: Mapping[str, Any] = {}


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """What calls took. `cost_usd` is None where no price is known: never a guess of zero."""

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cost_usd: float | None = None
    calls: int = 0
    latency_ms: float = 0.0

    def __add__(self, other: Usage) -> Usage:
        """Returns both together; the cost is unknown when that of a call is."""
        costs = [one.cost_usd for one in (self, other) if one.calls]
        unknown = any(cost is None for cost in costs)
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            cost_usd=None if unknown or not costs else sum(cost for cost in costs if cost is not None),
            calls=self.calls + other.calls,
            latency_ms=self.latency_ms + other.latency_ms,
        )


class Generated(msgspec.Struct, frozen=True, kw_only=True):
    """What a model answered. `structured` is the answer read by the schema that was asked for.

    `ignored` names the parameters that were asked for and that this provider does not have.
    """

    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    structured: Any = None
    finish_reason: str = ""
    model: str = ""
    usage: Usage = Usage()
    ignored: tuple[str, ...] = ()


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """A part of an answer while it comes: some text, or at the very end the `whole` of it."""

    text: str = ""
    whole: Generated | None = None
