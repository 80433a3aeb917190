"""Versions before they are stored: what is wrong with them, and whether they say the same."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from arcane.messaging.generation import ChatMessage, PromptSpec, Role, TemplateFormat, Tool, ToolCall
from arcane.prompts.drafts import PromptKind, VersionDraft, check, read, stored, text_prompt
from arcane.prompts.problems import InvalidPrompt
from arcane.settings import PromptSettings

MODEL = UUID(int=1)
USER = ChatMessage(role=Role.USER, text="Hello {{name}}")


def draft(*messages: ChatMessage, kind: PromptKind = PromptKind.CHAT, **members: Any) -> VersionDraft:
    spec = PromptSpec(**{"messages": messages or (USER,), "format": TemplateFormat.MUSTACHE, **members})
    return VersionDraft(spec=spec, model_configuration_id=MODEL, kind=kind)


def faults(of: VersionDraft, **settings: Any) -> list[str]:
    try:
        check(of, PromptSettings.model_validate(settings), "#/version")
    except InvalidPrompt as problem:
        return [error.pointer.removeprefix("#/version") for error in problem.errors]
    return []


def deep(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(levels):
        schema = {"type": "array", "items": schema}
    return schema


GOOD_SCHEMA = {
    "type": "object",
    "title": "Answer",
    "properties": {
        "kind": {"enum": ["a", "b"]},
        "rows": {"type": "array", "items": {"$ref": "#/$defs/row"}, "minItems": 1},
        "maybe": {"anyOf": [{"type": "number", "minimum": 0.5}, {"type": ["string", "null"]}]},
    },
    "required": ["kind"],
    "additionalProperties": False,
    "$defs": {"row": {"type": "object"}},
}


def test_a_good_prompt_has_no_faults() -> None:
    call = ToolCall(id="1", name="look", arguments="{}")
    conversation = (
        ChatMessage(role=Role.SYSTEM, text="Be kind."),
        USER,
        ChatMessage(role=Role.ASSISTANT, tool_calls=(call,)),
        ChatMessage(role=Role.TOOL, tool_call_id="1", tool_name="look"),
    )
    tools = (Tool(name="look", parameters=GOOD_SCHEMA), Tool(name="see"))
    for choice in ("auto", "none", "required", "look"):
        assert faults(draft(*conversation, tools=tools, tool_choice=choice, response_schema=GOOD_SCHEMA)) == []
    assert faults(VersionDraft(spec=text_prompt("{{a}}", TemplateFormat.MUSTACHE), model_configuration_id=MODEL)) == []


@pytest.mark.parametrize(
    ("messages", "members", "pointers"),
    [
        ([USER, ChatMessage(role=Role.USER, text=" ")], {}, ["/messages/1/text"]),
        ([USER, ChatMessage(role=Role.USER, text="{{#a}}")], {}, ["/messages/1/text"]),
        ([ChatMessage(role=Role.TOOL, text="x")], {}, ["/messages/0/tool_call_id"]),
        ([ChatMessage(role=Role.USER, text="x", tool_calls=(ToolCall("1", "a", ""),))], {}, ["/messages/0/tool_calls"]),
        ([USER, USER], {"kind": PromptKind.TEXT}, ["/messages"]),
        ([ChatMessage(role=Role.SYSTEM, text="x")], {"kind": PromptKind.TEXT}, ["/messages"]),
        ([ChatMessage(role=Role.USER, text="{% include 'a' %}")], {"format": TemplateFormat.JINJA2},
         ["/messages/0/text"]),
        ([USER], {"messages": ()}, ["/messages"]),
        ([USER], {"tools": (Tool(name="a b"), Tool(name="c"), Tool(name="c"))}, ["/tools/0/name", "/tools/2/name"]),
        ([USER], {"tool_choice": "nothing"}, ["/tool_choice"]),
        ([USER], {"tool_choice": "required"}, ["/tool_choice"]),
        ([USER], {"response_schema": {"type": "array"}}, ["/response_schema/type"]),
        ([USER], {"response_schema": {"type": "thing", "required": "a"}},
         ["/response_schema/type", "/response_schema/required", "/response_schema/type"]),
        ([USER], {"response_schema": {"properties": {"a/b": {"minLength": -1}, "c": 3}}},
         ["/response_schema/properties/c", "/response_schema/properties/a~1b/minLength"]),
        ([USER], {"response_schema": {"properties": [], "anyOf": [], "oneOf": [1]}},
         ["/response_schema/anyOf", "/response_schema/properties", "/response_schema/oneOf/0"]),
        ([USER], {"tools": (Tool(name="a", parameters=deep(40)),)}, ["/tools/0/parameters" + "/items" * 33]),
        ([USER], {"parameters": {"stop": "\x00"}}, [""]),
        ([USER], {"parameters": {"long": "x" * 2_000}}, [""]),
    ],
)  # fmt: skip
def test_every_fault_is_pointed_at(messages: list[ChatMessage], members: dict[str, Any], pointers: list[str]) -> None:
    assert faults(draft(*messages, **members), version_bytes=2_000) == pointers


def test_there_are_as_many_messages_as_the_settings_say() -> None:
    assert faults(draft(USER, USER, USER), messages=2) == ["/messages"]


def test_drafts_that_say_the_same_have_one_digest() -> None:
    one = draft(USER, parameters={"a": 1, "b": 2})
    assert one.digest == draft(USER, parameters={"b": 2, "a": 1}).digest
    others = [
        draft(USER),
        draft(USER, kind=PromptKind.TEXT),
        draft(USER, format=TemplateFormat.NONE),
        draft(USER, USER),
    ]
    assert len({one.digest, *(other.digest for other in others)}) == 5
    assert read(stored(one.spec)) == one.spec
