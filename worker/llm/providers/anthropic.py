"""Anthropic's Messages API."""

from __future__ import annotations

from anthropic import AsyncAnthropic
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.providers.anthropic import AnthropicProvider

from arcane.messaging.generation import ModelSpec
from worker.llm.asking import Secrets
from worker.llm.connection import Connection, Road, needed, optional

_ANTHROPIC = "https://api.anthropic.com"


def connect(spec: ModelSpec, secrets: Secrets, road: Road) -> Connection:
    """Returns the connection; Anthropic has no vectors."""
    client = AsyncAnthropic(
        api_key=needed(secrets, "api_key", "API key"),
        base_url=optional(spec.settings, "base_url") or _ANTHROPIC,
        http_client=road.http,
        max_retries=0,
    )
    provider = AnthropicProvider(anthropic_client=client)
    return Connection(chat=lambda: AnthropicModel(spec.model, provider=provider), vectors=None)
