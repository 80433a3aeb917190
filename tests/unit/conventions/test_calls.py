"""With which parameters and tools a model was called, in the words that tools of the trade use."""

from __future__ import annotations

import json
from typing import Any

import pytest

from arcane.conventions import ToolDefinition, call_settings

_SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
_WEATHER = ToolDefinition("weather", "Now", _SCHEMA)


def test_parameters_of_genai_spans_are_read_under_their_own_names() -> None:
    attributes = {
        "gen_ai.request.temperature": 0.2,
        "gen_ai.request.max_tokens": 100,
        "gen_ai.request.stop_sequences": ("END",),
        "gen_ai.request.model": "m",
    }
    assert call_settings(attributes).parameters == {"temperature": 0.2, "max_tokens": 100, "stop": ["END"]}


def test_invocation_parameters_are_read_and_what_is_none_is_left_out() -> None:
    told = {"temperature": 0.3, "max_completion_tokens": 50, "stream": True, "top_p": None, "model": "m"}
    assert call_settings({"llm.invocation_parameters": json.dumps(told)}).parameters == {
        "temperature": 0.3,
        "max_tokens": 50,
    }


@pytest.mark.parametrize(
    "attributes",
    [
        {"gen_ai.tool.definitions": json.dumps([{"name": "weather", "description": "Now", "parameters": _SCHEMA}])},
        {
            "gen_ai.tool.definitions": [
                {"type": "function", "function": {"name": "weather", "description": "Now", "parameters": _SCHEMA}}
            ]
        },
        {
            "llm.tools.0.tool.json_schema": json.dumps(
                {"name": "weather", "description": "Now", "input_schema": _SCHEMA}
            )
        },
    ],
    ids=["genai", "wrapped", "openinference"],
)
def test_tools_are_read_however_they_are_written(attributes: dict[str, Any]) -> None:
    assert call_settings(attributes).tools == (_WEATHER,)


def test_numbered_tools_keep_their_order() -> None:
    attributes = {f"llm.tools.{n}.tool.json_schema": json.dumps({"name": f"t{n}"}) for n in (10, 2, 0)}
    assert [tool.name for tool in call_settings(attributes).tools] == ["t0", "t2", "t10"]


@pytest.mark.parametrize(
    "said", ["not JSON", "[1, null, {}]", '{"name": "one"}', 7, '[{"name": 3}]', '[{"function": {"name": ""}}]']
)
def test_what_is_no_tool_is_none(said: object) -> None:
    assert call_settings({"gen_ai.tool.definitions": said, "llm.invocation_parameters": said}).tools == ()
