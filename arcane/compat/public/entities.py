"""Entities for the published clients: how a span's attributes say what it is, as Arcane itself reads them.

The original let people write these rules; here they are those of `arcane.conventions` (docs/adr/0024), so a program
that sorts spans by them sorts as the pages do. They are the same for everybody, and an entity's id never changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final
from uuid import UUID, uuid5

from fastapi import APIRouter, Request
from starlette.responses import Response

from arcane.access.permissions import ENTITIES_READ
from arcane.compat.public.answering import PublicRoute
from arcane.conventions import REGISTRY, Dialect, Kind
from arcane.kit.actor import Actor
from arcane.kit.guard import key_requires
from arcane.kit.http import json_response
from arcane.kit.problems import NotFound

router = APIRouter(prefix="/entities", route_class=PublicRoute, include_in_schema=False)

Reader = Annotated[Actor, key_requires(ENTITIES_READ)]

_SPACE: Final = UUID("6f1c7a52-9d0b-5c8e-8a34-2f6f3f7d9b10")
_SINCE: Final = "2026-11-21T00:00:00Z"
"""When the rules were first told; they change with a release, not with time."""


@dataclass(frozen=True, slots=True)
class _Told:
    """What is said of a dialect's messages, and how it is called."""

    title: str
    messages: Mapping[str, Any]


def _flat(messages: str, tool_calls: str) -> dict[str, str]:
    """Returns the patterns of the names of attributes; the first group is the number of the message."""
    calls = rf"{messages}{tool_calls}"
    return {
        "rolePattern": rf"^{messages}role$",
        "contentPattern": rf"^{messages}content$",
        "namePattern": rf"^{messages}name$",
        "toolMessageCallIdPattern": rf"^{messages}tool_call_id$",
        "toolCallIdPattern": rf"^{calls}id$",
        "toolCallFunctionNamePattern": rf"^{calls}(?:function\.)?name$",
        "toolCallFunctionArgumentPattern": rf"^{calls}(?:function\.)?arguments$",
    }


def _flat_matching(before: str, after: str, tool_calls: str) -> dict[str, Any]:
    keys = {
        "flatInputMessageMatchingKeys": _flat(before, tool_calls),
        "flatOutputMessageMatchingKeys": _flat(after, tool_calls),
    }
    return {"type": "flat", "flatMessageMatchingConfiguration": keys}


_TOLD: Final[Mapping[str, _Told]] = {
    "openinference": _Told(
        "OpenInference",
        _flat_matching(
            r"llm\.input_messages\.(\d+)\.message\.",
            r"llm\.output_messages\.(\d+)\.message\.",
            r"tool_calls\.\d+\.tool_call\.",
        ),
    ),
    "openllmetry": _Told(
        "OpenLLMetry",
        _flat_matching(r"gen_ai\.prompt\.(\d+)\.", r"gen_ai\.completion\.(\d+)\.", r"tool_calls\.\d+\."),
    ),
    "otel_genai": _Told(
        "OpenTelemetry",
        {
            "type": "canonical",
            "canonicalMessageMatchingConfiguration": {
                "inputAttributeKey": "gen_ai.input.messages",
                "outputAttributeKey": "gen_ai.output.messages",
            },
        },
    ),
}
_TYPES: Final[Mapping[Kind, str]] = {
    Kind.LLM: "model",
    Kind.TOOL: "tool",
    Kind.EMBEDDING: "embedding",
    Kind.RETRIEVER: "retriever",
    Kind.GUARDRAIL: "guardrail",
    Kind.EVALUATOR: "evaluator",
    Kind.AGENT: "agent",
}
_ICONS: Final[Mapping[Kind, str]] = {
    Kind.CHAIN: "link",
    Kind.WORKFLOW: "workflow",
    Kind.TASK: "list-checks",
    Kind.MEMORY: "brain",
    Kind.RERANKER: "arrow-up-down",
    Kind.PROMPT: "message-square-text",
}
_MODEL_FIELDS: Final = ("request_model", "response_model", "provider")
_HIGHLIGHTED: Final[Mapping[Kind, tuple[str, ...]]] = {
    Kind.LLM: (*_MODEL_FIELDS, "input", "output"),
    Kind.EMBEDDING: (*_MODEL_FIELDS, "input"),
    Kind.RERANKER: _MODEL_FIELDS,
    Kind.TOOL: ("tool", "tool_call_id"),
    Kind.AGENT: ("agent",),
}
_TITLES: Final = {
    "request_model": "Model asked for",
    "response_model": "Model that answered",
    "provider": "Provider",
    "input": "Input tokens",
    "output": "Output tokens",
    "tool": "Tool",
    "tool_call_id": "Tool call",
    "agent": "Agent",
}


@router.get("")
async def list_entities(request: Request, actor: Reader) -> Response:
    """Returns every entity, by dialect, in the order in which dialects are believed."""
    return json_response(list(_ENTITIES.values()))


@router.get("/{entity}")
async def get_entity(request: Request, entity: str, actor: Reader) -> Response:
    """Returns one entity."""
    found = _ENTITIES.get(entity.lower())
    if found is None:
        raise NotFound("there is no such entity")
    return json_response(found)


def entities() -> Iterator[dict[str, Any]]:
    """Yields an entity for every value by which a span says outright what it is."""
    for dialect in REGISTRY:
        told = _TOLD.get(dialect.name)
        if told is not None:
            for attribute, words in dialect.words.items():
                for value, kind in words.items():
                    yield _entity(dialect, told, (attribute, value), kind)


def _entity(dialect: Dialect, told: _Told, match: tuple[str, str], kind: Kind) -> dict[str, Any]:
    attribute, value = match
    external_id = f"{dialect.name}:{attribute}={value}"
    entity_type = _TYPES.get(kind, "custom")
    return {
        "id": str(uuid5(_SPACE, external_id)),
        "name": f"{told.title}: {value}",
        "description": f"A span whose {attribute} is {value}.",
        "type": kind.value if entity_type == "custom" else entity_type,
        "matchingAttributeName": attribute,
        "matchingPatternType": "value",
        "matchingPattern": None,
        "matchingValue": value,
        "entityType": entity_type,
        "entityHighlights": list(_highlights(dialect, kind)),
        "messageMatching": told.messages if kind is Kind.LLM else None,
        "iconId": _ICONS.get(kind),
        "externalId": external_id,
        "createdAt": _SINCE,
        "updatedAt": _SINCE,
    }


def _highlights(dialect: Dialect, kind: Kind) -> Iterator[dict[str, str]]:
    """Yields the attributes that say the most; a dialect that has none of its own writes those of OpenTelemetry."""
    last = REGISTRY[-1]
    for name in _HIGHLIGHTED.get(kind, ()):
        number = name in ("input", "output")
        keys = next((keys for one in (dialect, last) if (keys := _keys(one, name))), ())
        for key in keys:
            yield {"title": _TITLES[name], "key": key, "valueType": "number" if number else "string"}


def _keys(dialect: Dialect, name: str) -> tuple[str, ...]:
    tokens = {"input": dialect.tokens.input, "output": dialect.tokens.output}
    return tokens[name] if name in tokens else dialect.fields.get(name, ())


_ENTITIES: Final = {one["id"]: one for one in entities()}
