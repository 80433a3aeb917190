"""Prompts for the published clients, in the shapes of the original product."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import Response

from arcane.access.permissions import PROMPTS_READ
from arcane.compat.public.answering import PublicRoute
from arcane.compat.public.paging import whole
from arcane.kit.actor import Actor
from arcane.kit.guard import key_requires
from arcane.kit.http import json_response
from arcane.messaging.generation import ChatMessage, Provider, Role, TemplateFormat
from arcane.prompts.drafts import PromptKind
from arcane.prompts.service import PromptService
from arcane.prompts.views import PromptView, VersionView

router = APIRouter(prefix="/prompts", route_class=PublicRoute, include_in_schema=False)

Reader = Annotated[Actor, key_requires(PROMPTS_READ)]

_FORMATS: Final = {
    TemplateFormat.MUSTACHE: "MUSTACHE",
    TemplateFormat.F_STRING: "F_STRING",
    TemplateFormat.NONE: "NONE",
    TemplateFormat.JINJA2: "JINJA2",
}
_PARAMETERS_OF: Final[Mapping[Provider, str]] = {
    Provider.OPENAI: "openai",
    Provider.AZURE: "azure_openai",
    Provider.ANTHROPIC: "anthropic",
    Provider.VERTEX: "google-vertex-ai",
    Provider.AI_STUDIO: "google-ai-studio",
    Provider.BEDROCK: "bedrock",
    Provider.OLLAMA: "openai",
    Provider.COMPATIBLE: "openai",
}
"""What the original called the parameters of each provider; the last two it did not know."""


@router.get("")
async def list_prompts(request: Request, actor: Reader) -> Response:
    """Returns the project's prompts, by name."""
    found = await whole(lambda page: _prompts(request).page(actor, page))
    return json_response({"data": [_prompt(view) for view in found]})


@router.get("/{prompt}")
async def get_prompt(request: Request, prompt: str, actor: Reader) -> Response:
    """Returns a prompt by its id or name."""
    return json_response({"data": _prompt(await _prompts(request).get(actor, prompt))})


@router.get("/{prompt}/versions")
async def list_versions(request: Request, prompt: str, actor: Reader) -> Response:
    """Returns the versions of a prompt, newest first."""
    prompts = _prompts(request)
    view = await prompts.get(actor, prompt)
    found = await whole(lambda page: prompts.versions(actor, prompt, page))
    providers = await _providers(prompts, actor, found)
    return json_response({"data": [_version(view, version, providers) for version in found]})


@router.get("/{prompt}/latest")
async def get_latest_version(request: Request, prompt: str, actor: Reader) -> Response:
    """Returns the promoted version, or the newest where none is."""
    prompts = _prompts(request)
    view, version = await prompts.get(actor, prompt), await prompts.version(actor, prompt)
    return json_response({"data": _version(view, version, await _providers(prompts, actor, [version]))})


def _prompts(request: Request) -> PromptService:
    prompts: PromptService = request.app.state.prompts
    return prompts


def _prompt(view: PromptView) -> dict[str, Any]:
    return {
        "id": view.id,
        "name": view.name,
        "description": view.description or None,
        "metadata": view.extra or None,
        "promotedVersionId": view.promoted.version_id if view.promoted else None,
        "createdAt": view.created_at,
        "updatedAt": view.updated_at,
    }


def _version(prompt: PromptView, version: VersionView, providers: Mapping[UUID, Provider]) -> dict[str, Any]:
    spec = version.spec
    return {
        "id": version.id,
        "promptId": prompt.id,
        "promptName": prompt.name,
        "versionName": version.name,
        "description": version.description or None,
        "modelConfigurationId": version.model_configuration_id,
        "template": _template(version),
        "templateType": "STR" if version.kind is PromptKind.TEXT else "CHAT",
        "templateFormat": _FORMATS[spec.format],
        "invocationParameters": _parameters(providers[version.model_configuration_id], spec.parameters),
        "tools": [_tool(msgspec.to_builtins(tool)) for tool in spec.tools] or None,
        "responseFormat": _response_format(spec.response_schema),
        "createdAt": version.created_at,
        "updatedAt": version.created_at,
    }


async def _providers(prompts: PromptService, actor: Actor, versions: Iterable[VersionView]) -> dict[UUID, Provider]:
    """Returns the provider of each model configuration that the versions name, each looked up once."""
    assert actor.organisation_id is not None  # noqa: S101 - a key's actor is in its project
    async with prompts.database.transaction(actor.tenant) as session:
        return {
            one: (await prompts.models.spec(session, actor.organisation_id, one)).provider
            for one in {version.model_configuration_id for version in versions}
        }


def _parameters(provider: Provider, parameters: Mapping[str, Any]) -> dict[str, Any]:
    kind = _PARAMETERS_OF[provider]
    return {"type": kind, kind: dict(parameters)}


def _template(version: VersionView) -> dict[str, Any]:
    messages = version.spec.messages
    if version.kind is PromptKind.TEXT:
        return {"type": "string", "template": messages[0].text}
    return {"type": "chat", "messages": [{"role": one.role, "content": _content(one)} for one in messages]}


def _content(message: ChatMessage) -> str | list[dict[str, Any]]:
    if message.role is Role.TOOL:
        return [{"toolResult": {"toolCallId": message.tool_call_id, "result": message.text}}]
    if not message.tool_calls:
        return message.text
    said = [{"text": message.text}] if message.text else []
    return said + [
        {"toolCall": {"toolCallId": call.id, "toolCall": {"name": call.name, "arguments": call.arguments}}}
        for call in message.tool_calls
    ]


def _tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "function", "function": dict(tool)}


def _response_format(schema: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if schema is None:
        return None
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": dict(schema)}}
