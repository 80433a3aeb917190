"""What is asked of a model, on whose behalf, and what comes back that is not a whole answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from uuid import UUID

from arcane.messaging.generation import ChatMessage, ModelSpec, Tool, Usage
from arcane.model.deadline import Deadline

Secrets: TypeAlias = Mapping[str, str]
"""A provider's secrets by the name of their setting (`api_key`, `aws_secret_access_key`, ...)."""

SecretsOf: TypeAlias = Callable[[ModelSpec], Awaitable[Secrets]]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who pays, where the secrets come from, and until when anybody waits."""

    organisation: UUID
    secrets: SecretsOf
    deadline: Deadline


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Messages that are ready to send. `parameters` go before those of the ModelSpec.

    `tool_choice` is auto, none, required, or a tool's name. With a `schema` the answer is JSON that fits it.
    """

    messages: Sequence[ChatMessage]
    tools: Sequence[Tool] = ()
    tool_choice: str = "auto"
    schema: Mapping[str, Any] | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """A vector for each text, in their order."""

    vectors: tuple[tuple[float, ...], ...]
    model: str = ""
    usage: Usage = field(default_factory=Usage)
