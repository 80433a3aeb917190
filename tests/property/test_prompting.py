"""Templates: whatever is written in them and given to them, they end, in bounds, with a text or a sentence."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from arcane.messaging.generation import ChatMessage, PromptSpec, Role, TemplateFormat
from arcane.prompting.bounds import Bounds
from arcane.prompting.errors import MissingVariable, TemplateError
from arcane.prompting.render import render, required, variables

BOUNDS = Bounds(max_characters=5_000, max_steps=2_000)
NAMES = st.sampled_from(["a", "b", "rows", "x1"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES | st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)
INPUTS = st.dictionaries(NAMES | st.text(max_size=5), VALUES, max_size=5)
# fmt: off
PIECES = st.sampled_from([
    "{{", "}}", "{{{", "}}}", "{", "}", "{{#", "{{^", "{{/", "{{!", "{{=", "=}}", "{{>", "{{&", ".", "..", "a", "b",
    "rows", "x1", "a.b", "loop.index", ":", ":>5", "!r", "[0]", "[1:]", "{%", "%}", "{#", "#}", "if", "else", "elif",
    "endif", "for", "in", "endfor", "set", "=", "==", "not", "and", "or", "is", "defined", "none", "|", "|join",
    "|upper", "|tojson", "|default('d')", "|replace('a',b)", "|map('upper')", "|list", "|sort", "(", ")", "~", "+",
    "-", "*", "/", "//", "%", "**", ",", "'x'", "1", "99", "true", ".items()", ".get('a')", "raw", "endraw", "macro",
    "include", "{{#a}}", "{{/a}}", "{{^a}}", "{{a}}", "{{.}}", "{{#rows}}", "{{/rows}}", "{a}", "{b:.2f}",
    "{% for a in rows %}", "{% endfor %}", "{% if a %}", "{% endif %}", "{% for loop in a %}", "{{ a ~ b }}",
])
# fmt: on
TEXTS = st.lists(PIECES | st.just(" ") | st.just("\n") | st.text(max_size=4), max_size=25).map(" ".join) | st.lists(
    PIECES | st.text(max_size=3), max_size=25
).map("".join)


def _prompt(form: TemplateFormat, texts: list[str]) -> PromptSpec:
    return PromptSpec(messages=tuple(ChatMessage(role=Role.USER, text=text) for text in texts), format=form)


@given(st.sampled_from(TemplateFormat), st.lists(TEXTS, max_size=3), INPUTS)
def test_a_template_ends_in_bounds_with_a_text_or_a_sentence(
    form: TemplateFormat, texts: list[str], inputs: dict[str, Any]
) -> None:
    spec = _prompt(form, texts)
    try:
        filled = render(spec, inputs, BOUNDS)
    except TemplateError as error:
        if not str(error) or error.message is None:
            raise AssertionError("nobody knows what is wrong, or where") from error
        return
    assert sum(len(one.text) for one in filled) <= BOUNDS.max_characters
    assert filled == render(spec, inputs, BOUNDS)


@given(st.sampled_from(TemplateFormat), st.lists(TEXTS, max_size=3))
def test_what_can_be_filled_can_be_read_and_what_cannot_be_read_cannot_be_filled(
    form: TemplateFormat, texts: list[str]
) -> None:
    spec = _prompt(form, texts)
    try:
        names = variables(spec)
    except TemplateError as error:
        reading = error
    else:
        assert set(required(spec)) <= set(names)
        assert len(set(names)) == len(names)
        return
    try:
        render(spec, {}, BOUNDS)
    except TemplateError:
        return
    raise AssertionError(f"{reading} and yet it was filled")


@given(st.sampled_from([TemplateFormat.MUSTACHE, TemplateFormat.F_STRING]), st.lists(TEXTS, max_size=3), VALUES)
def test_whoever_gives_every_variable_misses_none_of_them(
    form: TemplateFormat, texts: list[str], value: object
) -> None:
    spec = _prompt(form, texts)
    try:
        inputs = dict.fromkeys(variables(spec), value)
        render(spec, inputs, BOUNDS)
    except MissingVariable as error:
        if error.name.split(".")[0] not in inputs:  # what is missing may only be inside of a value
            raise AssertionError(error) from error
    except TemplateError:
        pass


@given(st.sampled_from([("{{a}}", "mustache"), ("{a}", "f-string"), ("{{ a }}", "jinja2")]), st.text(max_size=200))
def test_a_text_comes_out_as_it_went_in(template: tuple[str, str], text: str) -> None:
    spec = _prompt(TemplateFormat(template[1]), [template[0]])
    assert render(spec, {"a": text})[0].text == text
