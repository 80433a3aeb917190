"""A prompt filled: its messages, its bounds, and what it says when it cannot be."""

from __future__ import annotations

import pickle

import pytest

from arcane.messaging.generation import ChatMessage, PromptSpec, Role, TemplateFormat, ToolCall
from arcane.prompting.bounds import Bounds, Budget
from arcane.prompting.errors import MissingVariable, Place, TemplateError, TooMuch
from arcane.prompting.render import render, required, variables
from tests.unit.prompting.prompts import prompt, said


def test_a_prompt_without_a_format_is_said_as_it_stands() -> None:
    spec = prompt(TemplateFormat.NONE, "{{a}} {b} {% if %}")
    assert variables(spec) == required(spec) == []
    assert render(spec, {"a": 1}) == spec.messages


def test_only_texts_are_templates() -> None:
    call = ToolCall(id="1", name="look", arguments='{"q": "{{q}}"}')
    messages = (
        ChatMessage(role=Role.SYSTEM, text="{{a}}"),
        ChatMessage(role=Role.ASSISTANT, text="", tool_calls=(call,)),
        ChatMessage(role=Role.TOOL, text="{{b}}", tool_call_id="1", tool_name="look"),
    )
    filled = render(PromptSpec(messages=messages, format=TemplateFormat.MUSTACHE), {"a": 1, "b": 2})
    assert [one.text for one in filled] == ["1", "", "2"]
    assert filled[1] == messages[1]
    assert filled[2].tool_call_id == "1"


def test_an_error_says_which_message_it_is_in() -> None:
    spec = prompt(TemplateFormat.MUSTACHE, "{{a}}", "{{a}}\n {{b}}")
    with pytest.raises(MissingVariable) as caught:
        render(spec, {"a": "x"})
    assert (caught.value.message, caught.value.place) == (1, Place(2, 2))
    assert str(caught.value) == "Message 2, line 2, column 2: “b” has no value."


@pytest.mark.parametrize("form", [TemplateFormat.MUSTACHE, TemplateFormat.F_STRING, TemplateFormat.JINJA2])
def test_values_are_said_and_never_read_as_templates(form: TemplateFormat) -> None:
    text = {TemplateFormat.F_STRING: "{a}"}.get(form, "{{a}}")
    assert said(form, text, a="{{b}} {b} {% raw %}") == "{{b}} {b} {% raw %}"


@pytest.mark.parametrize("form", list(TemplateFormat))
def test_a_filled_prompt_has_a_size(form: TemplateFormat) -> None:
    text = {TemplateFormat.F_STRING: "{a}", TemplateFormat.NONE: "x" * 60}.get(form, "{{a}}")
    with pytest.raises(TooMuch, match="longer than 100 characters"):
        render(prompt(form, text, text), {"a": "x" * 60}, Bounds(max_characters=100))


@pytest.mark.parametrize("form", list(TemplateFormat))
def test_a_template_has_a_size(form: TemplateFormat) -> None:
    spec = prompt(form, "x" * 11)
    for read in (variables, required, lambda one, bounds: render(one, {}, bounds)):
        with pytest.raises(TooMuch, match="can be 10 characters long"):
            read(spec, Bounds(max_template=10))


def test_time_is_up_when_the_clock_says_so() -> None:
    times = iter([0.0, 1.0, 5.5])
    budget = Budget(Bounds(seconds=5.0), clock=lambda: next(times))
    budget.step()
    with pytest.raises(TooMuch):
        budget.step()


def test_what_is_repeated_is_counted_over_the_whole_prompt() -> None:
    spec = prompt(TemplateFormat.MUSTACHE, *["{{#a}}{{/a}}"] * 3)
    render(spec, {"a": list(range(30))}, Bounds(max_steps=100))
    with pytest.raises(TooMuch, match="repeats too much"):
        render(spec, {"a": list(range(34))}, Bounds(max_steps=100))


def test_an_object_that_is_too_deep_is_an_error_and_no_crash() -> None:
    deep: object = []
    for _ in range(5000):
        deep = [deep]
    for form, text in (
        (TemplateFormat.MUSTACHE, "{{a}}"),
        (TemplateFormat.F_STRING, "{a}"),
        (TemplateFormat.JINJA2, "{{a}}"),
    ):
        with pytest.raises(TemplateError):
            said(form, text, a=deep)


def test_a_sentence_can_be_said_in_another_language() -> None:
    error = MissingVariable("q", Place(1, 2))
    error.message = 0
    told = error.told()
    assert (told.template, told.values["sentence"].template) == (  # type: ignore[attr-defined]
        "Message %(message)d, line %(line)d, column %(column)d: %(sentence)s",
        "“%(name)s” has no value.",
    )
    assert pickle.loads(pickle.dumps(told)) == told
