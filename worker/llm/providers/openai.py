"""OpenAI, Azure OpenAI, Ollama, and whatever else speaks OpenAI's chat API."""

from __future__ import annotations

from openai import AsyncAzureOpenAI, AsyncOpenAI
from pydantic_ai.embeddings.openai import OpenAIEmbeddingModel
from pydantic_ai.models.ollama import OllamaModel
from pydantic_ai.profiles.openai import OpenAIModelProfile
from pydantic_ai.providers.azure import AzureProvider
from pydantic_ai.providers.ollama import OllamaProvider
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider

from arcane.messaging.generation import ModelSpec, Provider
from worker.llm.asking import Secrets
from worker.llm.connection import Connection, Road, needed, optional
from worker.llm.providers.openai_chat import lean
from worker.llm.providers.openai_model import LeanChatModel

_OPENAI = "https://api.openai.com/v1"
_AZURE_VERSION = "2024-10-21"
_NO_KEY = "none"  # the SDK insists on a key, servers of one's own do not


def connect(spec: ModelSpec, secrets: Secrets, road: Road) -> Connection:
    """Returns the connection of one of the four providers."""
    if spec.provider is Provider.AZURE:
        return _azure(spec, secrets, road)
    if spec.provider is Provider.OLLAMA:
        return _ollama(spec, secrets, road)
    if spec.provider is Provider.COMPATIBLE:
        return _compatible(spec, secrets, road)
    client = AsyncOpenAI(
        api_key=needed(secrets, "api_key", "API key"),
        base_url=optional(spec.settings, "base_url") or _OPENAI,
        organization=optional(spec.settings, "organization") or "",
        project=optional(spec.settings, "project") or "",
        http_client=road.http,
        max_retries=0,
    )
    provider = OpenAIProvider(openai_client=lean(client, road.http))
    return Connection(
        chat=lambda: LeanChatModel(spec.model, provider=provider),
        vectors=lambda: OpenAIEmbeddingModel(spec.model, provider=provider),
    )


def _azure(spec: ModelSpec, secrets: Secrets, road: Road) -> Connection:
    endpoint = needed(spec.settings, "endpoint", "endpoint")
    key = needed(secrets, "api_key", "API key")
    version = optional(spec.settings, "api_version") or _AZURE_VERSION
    deployment = optional(spec.settings, "deployment") or spec.model
    client = AsyncAzureOpenAI(
        azure_endpoint=endpoint.rstrip("/"),
        api_key=key,
        api_version=version,
        http_client=road.http,
        max_retries=0,
    )
    provider = AzureProvider(openai_client=lean(client, road.http))
    profile = provider.model_profile(spec.model)  # a deployment's own name says nothing of what it can
    return Connection(
        chat=lambda: LeanChatModel(deployment, provider=provider, profile=profile),
        vectors=lambda: OpenAIEmbeddingModel(deployment, provider=provider),
    )


def _ollama(spec: ModelSpec, secrets: Secrets, road: Road) -> Connection:
    client = _client_of_ones_own(spec, secrets, road)
    provider = OllamaProvider(openai_client=client)
    return Connection(
        chat=lambda: OllamaModel(spec.model, provider=provider),
        vectors=lambda: OpenAIEmbeddingModel(spec.model, provider=provider),
    )


def _compatible(spec: ModelSpec, secrets: Secrets, road: Road) -> Connection:
    """Most of these servers know `max_tokens` and not its successor; which structured form they know is a setting."""
    provider = OpenAICompatibleProvider(
        "openai-compatible",
        openai_client=_client_of_ones_own(spec, secrets, road),
        profile=OpenAIModelProfile(
            openai_chat_supports_max_completion_tokens=False, supports_json_schema_output=True, supports_tools=True
        ),
    )
    return Connection(
        chat=lambda: LeanChatModel(spec.model, provider=provider),
        vectors=lambda: OpenAIEmbeddingModel(spec.model, provider=provider),
        structured=optional(spec.settings, "structured"),
    )


def _client_of_ones_own(spec: ModelSpec, secrets: Secrets, road: Road) -> AsyncOpenAI:
    client = AsyncOpenAI(
        api_key=optional(secrets, "api_key") or _NO_KEY,
        base_url=needed(spec.settings, "base_url", "address"),
        organization="",
        project="",
        http_client=road.http,
        max_retries=0,
    )
    return lean(client, road.http)
