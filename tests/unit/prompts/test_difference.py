"""What changed between two versions."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from arcane.messaging.generation import ChatMessage, PromptSpec, Role, TemplateFormat, Tool, ToolCall
from arcane.prompts.difference import Change, compared, pieces
from arcane.prompts.drafts import PromptKind
from arcane.prompts.views import VersionView

SYSTEM = ChatMessage(role=Role.SYSTEM, text="Be kind and short.")
USER = ChatMessage(role=Role.USER, text="{{question}}")


def version(*messages: ChatMessage, model: int = 1, **members: Any) -> VersionView:
    return VersionView(
        id=UUID(int=9),
        prompt_id=UUID(int=8),
        number=0,
        kind=PromptKind.CHAT,
        description="",
        spec=PromptSpec(**{"messages": messages, "format": TemplateFormat.MUSTACHE, **members}),
        model_configuration_id=UUID(int=model),
        created_by="Ada",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def woven(before: str, after: str) -> str:
    marks = {Change.SAME: "", Change.ADDED: "+", Change.REMOVED: "-"}
    return "".join(f"{marks[one.change]}[{one.text}]" for one in pieces(before, after))


def test_words_are_compared() -> None:
    assert woven("Be kind and short.", "Be kind, and very short.") == "[Be kind]+[,][ and ]+[very ][short.]"


def test_messages_that_stayed_are_found_again() -> None:
    added = ChatMessage(role=Role.ASSISTANT, text="I will.")
    said = compared(version(SYSTEM, USER), version(added, SYSTEM, USER)).messages
    assert [(one.change, one.role) for one in said] == [
        (Change.ADDED, "assistant"),
        (Change.SAME, "system"),
        (Change.SAME, "user"),
    ]


def test_a_message_that_changed_is_one_and_a_role_that_changed_is_two() -> None:
    changed = ChatMessage(role=Role.SYSTEM, text="Be kind.")
    assert [one.change for one in compared(version(SYSTEM, USER), version(changed, USER)).messages] == [
        Change.CHANGED,
        Change.SAME,
    ]
    other = ChatMessage(role=Role.USER, text=SYSTEM.text)
    assert [one.change for one in compared(version(SYSTEM), version(other)).messages] == [Change.REMOVED, Change.ADDED]


def test_tools_parameters_and_the_model_are_compared_one_by_one() -> None:
    before = version(USER, parameters={"temperature": 0, "seed": 1}, tools=(Tool(name="look"), Tool(name="go")))
    after = version(
        USER,
        model=2,
        parameters={"temperature": 1, "top_p": 0.5, "seed": 1},
        tools=(Tool(name="look", description="Looks"),),
        response_schema={"type": "object"},
        tool_choice="look",
        format=TemplateFormat.JINJA2,
    )
    found = {one.name: (one.before, one.after) for one in compared(before, after).fields}
    assert found["parameters.temperature"] == ("0", "1")
    assert found["parameters.top_p"] == (None, "0.5")
    assert found["tools.go"][1] is None
    assert found["format"] == ("mustache", "jinja2")
    assert set(found) == {
        "parameters.temperature", "parameters.top_p", "tools.go", "tools.look", "format", "response_schema",
        "tool_choice", "model_configuration_id",
    }  # fmt: skip


def test_calls_of_tools_count() -> None:
    def calls(arguments: str) -> ChatMessage:
        return ChatMessage(role=Role.ASSISTANT, tool_calls=(ToolCall("1", "look", arguments),))

    assert compared(version(calls("{}")), version(calls("{}"))).empty
    assert not compared(version(calls("{}")), version(calls('{"a": 1}'))).empty


@given(st.text(alphabet="ab \n.", max_size=60), st.text(alphabet="ab \n.", max_size=60))
def test_both_texts_can_be_read_off_the_pieces(before: str, after: str) -> None:
    found = pieces(before, after)
    assert "".join(one.text for one in found if one.change is not Change.ADDED) == before
    assert "".join(one.text for one in found if one.change is not Change.REMOVED) == after


def test_long_texts_are_compared_by_lines_and_very_long_ones_whole() -> None:
    lines = [f"line {number} says a word\n" for number in range(2_000)]
    other = [*lines[:1_000], "something else\n", *lines[1_000:]]
    assert [one.change for one in pieces("".join(lines), "".join(other))] == [Change.SAME, Change.ADDED, Change.SAME]
    assert [one.change for one in pieces("a\n" * 4_000, "a\n" * 4_001)] == [Change.REMOVED, Change.ADDED]
