"""What a configuration of each provider has: its places, its secrets and the parameters it takes.

The models here make the forms too (arcane.catalog.form): a `SecretStr` is a password field, and so on. What a field is
called is what the worker knows it by (worker.llm.providers).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, SecretStr

from arcane.catalog.form import FormField, form_of
from arcane.kit.egress_url import origin_of
from arcane.kit.schema import Schema
from arcane.messaging.generation import Provider

_PLACE = re.compile(r"[a-z0-9-]{1,40}")
_HEADER = re.compile(r"[\x21-\x7e]*")
_URI: dict[str, JsonValue] = {"format": "uri"}


def _an_address(text: str) -> str:
    if text and (origin_of(text) is None or not text.lower().startswith(("http://", "https://"))):
        raise ValueError("an address begins with http:// or https:// and names a host")
    return text


def _a_place(text: str) -> str:
    if text and not _PLACE.fullmatch(text):
        raise ValueError("letters, digits and hyphens, such as europe-west4")
    return text


def _sendable(text: str) -> str:
    if not _HEADER.fullmatch(text):
        raise ValueError("only visible ASCII characters, without spaces")
    return text


def _a_key(secret: SecretStr) -> SecretStr:
    if not _HEADER.fullmatch(secret.get_secret_value()):
        raise ValueError("a key has only visible ASCII characters, without spaces")
    return secret


def _an_account(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    try:
        whole = not text or text == "********" or json.loads(text)["type"] == "service_account"
    except (ValueError, TypeError, KeyError):
        whole = False
    if not whole:
        raise ValueError("the JSON key of a service account is wanted")
    return secret


Address = Annotated[str, AfterValidator(_an_address)]
PlaceName = Annotated[str, AfterValidator(_a_place)]
Sendable = Annotated[str, AfterValidator(_sendable)]
Key = Annotated[SecretStr, AfterValidator(_a_key)]


class _Settings(Schema):
    model_config = ConfigDict(extra="forbid")


class OpenAiSettings(_Settings):
    """OpenAI itself, or a gateway that passes on to it."""

    api_key: Key = Field(title="API key", min_length=1, max_length=1_000)
    base_url: Address = Field(
        "", title="Address", description="Empty: OpenAI's own.", max_length=1_000, json_schema_extra=_URI
    )
    organization: Sendable = Field("", title="OpenAI organisation", max_length=200)
    project: Sendable = Field("", title="OpenAI project", max_length=200)


class AzureSettings(_Settings):
    """A deployment of Azure OpenAI."""

    endpoint: Address = Field(
        title="Endpoint",
        description="Of the resource: https://name.openai.azure.com.",
        min_length=1,
        max_length=1_000,
        json_schema_extra=_URI,
    )
    deployment: Sendable = Field(
        "", title="Deployment", description="Empty: it is called like the model.", max_length=200
    )
    api_version: Sendable = Field("", title="API version", description="Empty: 2024-10-21.", max_length=40)
    api_key: Key = Field(title="API key", min_length=1, max_length=1_000)


class AnthropicSettings(_Settings):
    """Anthropic itself, or a gateway that passes on to it."""

    api_key: Key = Field(title="API key", min_length=1, max_length=1_000)
    base_url: Address = Field(
        "", title="Address", description="Empty: Anthropic's own.", max_length=1_000, json_schema_extra=_URI
    )


class BedrockSettings(_Settings):
    """Amazon Bedrock, with the keys of a user who may invoke models."""

    region: PlaceName = Field(title="Region", description="Such as eu-central-1.", min_length=1)
    endpoint_url: Address = Field(
        "",
        title="Endpoint",
        description="Empty: the region's own. For a VPC endpoint.",
        max_length=1_000,
        json_schema_extra=_URI,
    )
    aws_access_key_id: Key = Field(title="Access key ID", min_length=1, max_length=200)
    aws_secret_access_key: Key = Field(title="Secret access key", min_length=1, max_length=200)
    aws_session_token: Key = Field(
        SecretStr(""), title="Session token", description="Of temporary keys only.", max_length=4_000
    )


class VertexSettings(_Settings):
    """Gemini through Vertex AI, with a service account."""

    project: Sendable = Field("", title="Project", description="Empty: that of the service account.", max_length=200)
    location: PlaceName = Field("us-central1", title="Location", description="Such as europe-west4, or global.")
    base_url: Address = Field(
        "", title="Address", description="Empty: Google's own.", max_length=1_000, json_schema_extra=_URI
    )
    credentials: Annotated[SecretStr, AfterValidator(_an_account)] = Field(
        title="Service account key",
        description="The JSON file that Google Cloud made for it.",
        min_length=1,
        max_length=20_000,
        json_schema_extra={"multiline": True},
    )


class StudioSettings(_Settings):
    """Gemini through Google AI Studio."""

    api_key: Key = Field(title="API key", min_length=1, max_length=1_000)
    base_url: Address = Field(
        "", title="Address", description="Empty: Google's own.", max_length=1_000, json_schema_extra=_URI
    )


class OllamaSettings(_Settings):
    """A model on a machine of one's own, run by Ollama."""

    base_url: Address = Field(
        "http://127.0.0.1:11434/v1",
        title="Address",
        description="As the workers see it, with /v1. An address inside your network has to be allowed by whoever "
        "runs this instance (ARCANE_EGRESS__ALLOW_NETWORKS).",
        min_length=1,
        max_length=1_000,
        json_schema_extra=_URI,
    )
    api_key: Key = Field(
        SecretStr(""), title="API key", description="Only where a proxy asks for one.", max_length=1_000
    )


class CompatibleSettings(_Settings):
    """Anything that speaks OpenAI's chat API: vLLM, LM Studio, LiteLLM, a gateway of one's own."""

    base_url: Address = Field(
        title="Address",
        description="What stands before /chat/completions, as the workers see it: https://host/v1.",
        min_length=1,
        max_length=1_000,
        json_schema_extra=_URI,
    )
    api_key: Key = Field(SecretStr(""), title="API key", description="If it asks for one.", max_length=1_000)
    structured: Literal["native", "tool"] = Field(
        "native",
        title="JSON answers",
        description="How it is told which form an answer shall have.",
        json_schema_extra={"labels": {"native": "Response format (json_schema)", "tool": "A tool that it has to call"}},
    )


class _Parameters(Schema):
    model_config = ConfigDict(extra="forbid")

    temperature: float | None = Field(None, title="Temperature", ge=0, le=2, description="Empty: the model's own.")
    top_p: float | None = Field(None, title="Top P", ge=0, le=1)
    max_tokens: int | None = Field(None, title="Most tokens of an answer", ge=1, le=10_000_000)
    stop: list[Annotated[str, Field(min_length=1, max_length=200)]] | None = Field(
        None, title="Stop at", description="One text a line.", max_length=16
    )
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high"] | None = Field(
        None,
        title="Reasoning",
        json_schema_extra={
            "labels": {"none": "None", "minimal": "Minimal", "low": "Low", "medium": "Medium", "high": "High"}
        },
    )


class OpenAiParameters(_Parameters):
    """What OpenAI's chat API takes."""

    frequency_penalty: float | None = Field(None, title="Frequency penalty", ge=-2, le=2)
    presence_penalty: float | None = Field(None, title="Presence penalty", ge=-2, le=2)
    seed: int | None = Field(None, title="Seed", ge=-(2**63), le=2**63 - 1)
    parallel_tool_calls: bool | None = Field(None, title="Several tool calls at once")


class ClaudeParameters(_Parameters):
    """What Anthropic and Bedrock take."""

    temperature: float | None = Field(None, title="Temperature", ge=0, le=1, description="Empty: the model's own.")
    top_k: int | None = Field(None, title="Top K", ge=1, le=1_000_000)


class GeminiParameters(_Parameters):
    """What Gemini takes."""

    top_k: int | None = Field(None, title="Top K", ge=1, le=1_000_000)
    frequency_penalty: float | None = Field(None, title="Frequency penalty", ge=-2, le=2)
    presence_penalty: float | None = Field(None, title="Presence penalty", ge=-2, le=2)
    seed: int | None = Field(None, title="Seed", ge=-(2**31), le=2**31 - 1)


@dataclass(frozen=True, slots=True)
class ProviderKind:
    """A provider as people choose it. `addresses` are the settings that decide where its secrets are sent."""

    provider: Provider
    title: str
    summary: str
    settings: type[BaseModel]
    parameters: type[BaseModel]
    addresses: tuple[str, ...]
    example: str

    @property
    def key(self) -> str:
        """What it is stored and asked for by."""
        return self.provider.value

    @property
    def fields(self) -> tuple[FormField, ...]:
        """The form of its settings."""
        return _form(self.settings)

    @property
    def parameter_fields(self) -> tuple[FormField, ...]:
        """The form of its parameters."""
        return _form(self.parameters)

    def leads_elsewhere(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
        """True when secrets entered for `before` would be sent to another place with `after`."""
        return any(_origin(before, name) != _origin(after, name) for name in self.addresses)


def _origin(settings: Mapping[str, Any], name: str) -> object:
    text = str(settings.get(name) or "")
    return origin_of(text) if text else None


@cache
def _form(model: type[BaseModel]) -> tuple[FormField, ...]:
    return form_of(model)


KINDS: tuple[ProviderKind, ...] = (
    ProviderKind(
        Provider.OPENAI,
        title="OpenAI",
        summary="GPT models and embeddings, from OpenAI itself.",
        settings=OpenAiSettings,
        parameters=OpenAiParameters,
        addresses=("base_url",),
        example="gpt-5-mini",
    ),
    ProviderKind(
        Provider.AZURE,
        title="Azure OpenAI",
        summary="Models of OpenAI, deployed in an Azure resource of yours.",
        settings=AzureSettings,
        parameters=OpenAiParameters,
        addresses=("endpoint",),
        example="gpt-4o",
    ),
    ProviderKind(
        Provider.ANTHROPIC,
        title="Anthropic",
        summary="Claude, from Anthropic itself.",
        settings=AnthropicSettings,
        parameters=ClaudeParameters,
        addresses=("base_url",),
        example="claude-sonnet-4-6",
    ),
    ProviderKind(
        Provider.BEDROCK,
        title="Amazon Bedrock",
        summary="The models that AWS offers in your region, through Converse.",
        settings=BedrockSettings,
        parameters=ClaudeParameters,
        addresses=("endpoint_url",),
        example="amazon.nova-lite-v1:0",
    ),
    ProviderKind(
        Provider.VERTEX,
        title="Google Vertex AI",
        summary="Gemini in a Google Cloud project of yours.",
        settings=VertexSettings,
        parameters=GeminiParameters,
        addresses=("base_url",),
        example="gemini-2.5-flash",
    ),
    ProviderKind(
        Provider.AI_STUDIO,
        title="Google AI Studio",
        summary="Gemini with an API key.",
        settings=StudioSettings,
        parameters=GeminiParameters,
        addresses=("base_url",),
        example="gemini-2.5-flash",
    ),
    ProviderKind(
        Provider.OLLAMA,
        title="Ollama",
        summary="A model on a machine of your own.",
        settings=OllamaSettings,
        parameters=OpenAiParameters,
        addresses=("base_url",),
        example="qwen3",
    ),
    ProviderKind(
        Provider.COMPATIBLE,
        title="OpenAI-compatible",
        summary="Anything else that speaks OpenAI's chat API: vLLM, LM Studio, LiteLLM, a gateway.",
        settings=CompatibleSettings,
        parameters=OpenAiParameters,
        addresses=("base_url",),
        example="my-model",
    ),
)


def kind_of(key: str) -> ProviderKind | None:
    """Returns the provider called `key`, None when there is none."""
    return next((kind for kind in KINDS if kind.key == key), None)
