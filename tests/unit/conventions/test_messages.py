"""One reader for every JSON shape that messages come in."""

from typing import Any

import pytest

from arcane.conventions import Blob, Message, Other, Part, Reasoning, Role, Text, ToolCall, ToolResult, Uri
from arcane.conventions.indexed import unflatten
from arcane.conventions.messages import messages_from, part_from


@pytest.mark.parametrize(
    ("block", "part"),
    [
        ({"type": "text", "content": "a"}, Text("a")),
        ({"type": "text", "text": "a"}, Text("a")),
        ({"text": "a"}, Text("a")),
        ({"type": "output_text", "text": "a"}, Text("a")),
        ({"type": "thinking", "thinking": "a"}, Reasoning("a")),
        ({"type": "reasoning"}, Reasoning("")),
        ({"type": "tool_use", "id": "1", "name": "f", "input": {"x": 1}}, ToolCall("f", {"x": 1}, "1")),
        ({"type": "tool-call", "toolCallId": "1", "toolName": "f", "args": "{}"}, ToolCall("f", {}, "1")),
        ({"type": "function", "function": {"name": "f", "arguments": "no json"}}, ToolCall("f", "no json")),
        ({"function": {"name": "f"}}, ToolCall("f")),
        ({"functionCall": {"name": "f", "args": {"x": 1}}}, ToolCall("f", {"x": 1})),
        ({"tool_call": {"id": "1", "function": {"name": "f", "arguments": "[1]"}}}, ToolCall("f", [1], "1")),
        ({"type": "tool_result", "tool_use_id": "1", "content": "ok"}, ToolResult("ok", "1")),
        ({"type": "tool_call_response", "id": "1", "response": {"a": 1}}, ToolResult({"a": 1}, "1")),
        ({"functionResponse": {"name": "f", "response": 3}}, ToolResult(3, "", "f")),
        ({"type": "tool-result", "toolCallId": "1", "output": {"type": "text", "value": "v"}}, ToolResult("v", "1")),
        (
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}},
            Blob("aGk=", "image/png"),
        ),
        ({"type": "image", "source": {"type": "url", "url": "https://e.example/i"}}, Uri("https://e.example/i")),
        ({"type": "image_url", "image_url": {"url": "https://e.example/i"}}, Uri("https://e.example/i")),
        ({"type": "image", "image": "aGk=", "mediaType": "image/png"}, Blob("aGk=", "image/png")),
        ({"type": "file", "data": "data:text/plain;base64,aGk=", "mediaType": "x"}, Blob("aGk=", "text/plain")),
        ({"type": "blob", "mime_type": "audio/wav", "data": "aGk="}, Blob("aGk=", "audio/wav")),
        ({"type": "uri", "uri": "gs://b/o"}, Uri("gs://b/o")),
        ({"message_content": {"type": "text", "text": "a"}}, Text("a")),
        ({"type": "refusal", "why": 1}, Other({"type": "refusal", "why": 1})),
        ({"type": 7, "text": 8}, Other({"type": 7, "text": 8})),
    ],
)
def test_block(block: dict[str, Any], part: Part) -> None:
    assert part_from(block) == part


@pytest.mark.parametrize(
    ("value", "messages"),
    [
        (None, ()),
        ("", ()),
        ([], ()),
        ("Hi", (Message(Role.USER, (Text("Hi"),)),)),
        ('"Hi"', (Message(Role.USER, (Text("Hi"),)),)),
        ("17", (Message(Role.USER, (Text("17"),)),)),
        (17, (Message(Role.USER, (Text("17"),)),)),
        ("true", (Message(Role.USER, (Text("true"),)),)),
        ([None, "Hi"], (Message(Role.USER, (Text("Hi"),)),)),
        ({"messages": [{"role": "human", "content": "Hi"}]}, (Message(Role.USER, (Text("Hi"),)),)),
        (
            {"role": "user", "content": ["a", {"type": "text", "text": "b"}]},
            (Message(Role.USER, (Text("a"), Text("b"))),),
        ),
        ([[{"type": "ai", "data": {"content": "Hi"}}]], (Message(Role.ASSISTANT, (Text("Hi"),)),)),
        ([{"id": ["langchain"], "kwargs": {"content": "Hi", "type": "ai"}}], (Message(Role.ASSISTANT, (Text("Hi"),)),)),
        ([{"role": "model", "parts": [{"text": "Hi"}]}], (Message(Role.ASSISTANT, (Text("Hi"),)),)),
        (
            [{"role": "developer", "content": "Be kind", "name": "ops"}],
            (Message(Role.SYSTEM, (Text("Be kind"),), "ops"),),
        ),
        (
            [
                {
                    "role": "assistant",
                    "content": None,
                    "reasoning_content": "hm",
                    "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "{}"}}],
                }
            ],
            (Message(Role.ASSISTANT, (Reasoning("hm"), ToolCall("f", {}, "1"))),),
        ),
        (
            [{"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}}],
            (Message(Role.ASSISTANT, (ToolCall("f", {}),)),),
        ),
        (
            [{"role": "assistant", "function_call_name": "f", "function_call_arguments_json": "[]"}],
            (Message(Role.ASSISTANT, (ToolCall("f", []),)),),
        ),
        ([{"role": "function", "name": "f", "content": "ok"}], (Message(Role.TOOL, (ToolResult("ok", "", "f"),)),)),
        (
            [{"role": "tool", "content": [{"type": "tool-result", "toolCallId": "1", "result": 3}]}],
            (Message(Role.TOOL, (ToolResult(3, "1"),)),),
        ),
        ([{"role": "narrator", "content": "Once"}], (Message(Role.USER, (Text("Once"),)),)),
        ([{"weather": "cold"}], (Message(Role.USER, (Other({"weather": "cold"}),)),)),
        ([{"role": "user"}], (Message(Role.USER),)),
        (
            {"choices": [{"message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}]},
            (Message(Role.ASSISTANT, (Text("Hi"),), finish_reason="stop"),),
        ),
    ],
)
def test_messages(value: object, messages: tuple[Message, ...]) -> None:
    assert messages_from(value, Role.USER) == messages


def test_indexes_sort_as_numbers_and_gaps_close() -> None:
    assert unflatten({"p.10.a": 10, "p.2.a": 2, "other": 1}, "p.") == [{"a": 2}, {"a": 10}]


def test_a_key_that_is_both_value_and_prefix_keeps_what_is_below() -> None:
    assert unflatten({"p.0.a": "text", "p.0.a.b": 1}, "p.") == [{"a": {"b": 1}}]
    assert unflatten({"p.0.a.b": 1, "p.0.a": "text"}, "p.") == [{"a": {"b": 1}}]


def test_no_list_under_the_prefix_is_an_empty_list() -> None:
    assert unflatten({"p.x": 1}, "p.") == []
