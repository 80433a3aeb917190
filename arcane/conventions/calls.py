"""How a model was called: with which parameters, and which tools it could ask for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from arcane.conventions.read import mapping, parsed

_PARAMETERS: Final = {
    "temperature": "gen_ai.request.temperature",
    "top_p": "gen_ai.request.top_p",
    "max_tokens": "gen_ai.request.max_tokens",
    "frequency_penalty": "gen_ai.request.frequency_penalty",
    "presence_penalty": "gen_ai.request.presence_penalty",
    "stop": "gen_ai.request.stop_sequences",
    "seed": "gen_ai.request.seed",
}
_OTHER_NAMES: Final = {
    "max_completion_tokens": "max_tokens",
    "max_output_tokens": "max_tokens",
    "stop_sequences": "stop",
}
_INVOCATION: Final = "llm.invocation_parameters"
_DEFINITIONS: Final = "gen_ai.tool.definitions"
_NUMBERED: Final = re.compile(r"llm\.tools\.(\d{1,4})\.tool\.json_schema")
_MOST_TOOLS: Final = 128


class ToolDefinition(msgspec.Struct, frozen=True):
    """A tool that the model could ask for; `parameters` is a JSON schema."""

    name: str
    description: str
    parameters: dict[str, Any]


class CallSettings(msgspec.Struct, frozen=True):
    """What a model call was asked with, besides its messages; what the span does not say is not there."""

    parameters: dict[str, Any]
    tools: tuple[ToolDefinition, ...]


def call_settings(attributes: Mapping[str, Any]) -> CallSettings:
    """Returns the parameters and tools that a span of a model call names."""
    found = {name: _plain(attributes[key]) for name, key in _PARAMETERS.items() if key in attributes}
    for name, value in mapping(attributes.get(_INVOCATION)).items():
        usual = _OTHER_NAMES.get(name, name)
        if usual in _PARAMETERS and value is not None:
            found.setdefault(usual, value)
    return CallSettings(found, tuple(_tools(attributes))[:_MOST_TOOLS])


def _tools(attributes: Mapping[str, Any]) -> list[ToolDefinition]:
    said = parsed(attributes.get(_DEFINITIONS))
    listed = list(said) if isinstance(said, list | tuple) else []
    numbered = sorted((int(match[1]), key) for key in attributes if (match := _NUMBERED.fullmatch(key)))
    listed += [attributes[key] for _, key in numbered]
    return [tool for one in listed if (tool := _tool(one)) is not None]


def _tool(said: object) -> ToolDefinition | None:
    """A definition of its own, or wrapped as the OpenAI API has it."""
    given = mapping(said)
    given = mapping(given.get("function")) or given
    name, description = given.get("name"), given.get("description")
    schema = mapping(given.get("parameters") or given.get("input_schema"))
    if not isinstance(name, str) or not name:
        return None
    return ToolDefinition(name, description if isinstance(description, str) else "", schema)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
