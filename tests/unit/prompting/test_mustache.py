"""Mustache, after the chapters of its specification; and where prompts differ from it on purpose."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from arcane.messaging.generation import TemplateFormat
from arcane.prompting.errors import MissingVariable, Place, TemplateSyntax
from arcane.prompting.render import required, variables
from tests.unit.prompting.prompts import prompt
from tests.unit.prompting.prompts import said as said_in

said = partial(said_in, TemplateFormat.MUSTACHE)

INTERPOLATION: list[tuple[str, dict[str, Any], str]] = [
    ("no tags at all {} }}", {}, "no tags at all {} }}"),
    ("Hello, {{who}}!\n", {"who": "world"}, "Hello, world!\n"),
    ("{{marks}} {{{marks}}} {{&marks}} {{& marks }}", {"marks": '& " < >'}, " ".join(['& " < >'] * 4)),
    ("{{n}} {{f}} {{yes}} {{{n}}}", {"n": 85, "f": 1.21, "yes": True}, "85 1.21 true 85"),
    ("[{{nothing}}]", {"nothing": None}, "[]"),
    ("{{a.b.c}} {{#a.b}}{{c}}{{/a.b}}", {"a": {"b": {"c": "deep"}}}, "deep deep"),
    ("{{#a}}{{b.name}}{{/a}}", {"a": {"b": {"name": "near"}}, "b": {"name": "far"}}, "near"),
    ("{{#a}}{{b}}{{/a}}", {"a": {"c": 1}, "b": "outside"}, "outside"),
    ("| {{x}} |{{ x }}|{{  x}}|", {"x": "-"}, "| - |-|-|"),
    ("  {{x}}\n", {"x": "-"}, "  -\n"),
    ("{{x}}", {"x": "{{y}}", "y": "never"}, "{{y}}"),
    ("{{rows}} {{one}}", {"rows": ["ä", 1, None], "one": {"k": True}}, '["ä", 1, null] {"k": true}'),
]
SECTIONS: list[tuple[str, dict[str, Any], str]] = [
    ("{{#yes}}said{{/yes}}{{#no}}never{{/no}}", {"yes": True, "no": False}, "said"),
    ("{{#nothing}}never{{/nothing}}{{#absent}}never{{/absent}}.", {"nothing": None}, "."),
    ("{{#text}}{{.}} {{/text}}", {"text": "said once"}, "said once "),
    ("{{#rows}}{{n}},{{/rows}}", {"rows": [{"n": 1}, {"n": 2}]}, "1,2,"),
    ("{{#rows}}{{.}};{{/rows}}", {"rows": ["a", 2, 3.5]}, "a;2;3.5;"),
    ("{{#rows}}({{#.}}{{.}}{{/.}}){{/rows}}", {"rows": [[1, 2], ["a"]]}, "(12)(a)"),
    ("{{#.}}{{x}}{{/.}}", {"x": "whole"}, "whole"),
    ("{{#empty}}never{{/empty}}", {"empty": []}, ""),
    ("{{#a}}{{#a}}{{x}}{{/a}}{{/a}}", {"a": {"x": 1}}, "1"),
    ("{{#y}}1\n{{/y}}\n", {"y": True}, "1\n"),
    ("a\n{{#y}}\nb\n{{/y}}\nc\n", {"y": True}, "a\nb\nc\n"),
    ("a\n  {{#y}}  \nb\n\t{{/y}}\nc", {"y": True}, "a\nb\nc"),
    ("a\r\n{{#y}}\r\nb\r\n{{/y}}\r\nc", {"y": True}, "a\r\nb\r\nc"),
    ("  {{#y}}\nx{{/y}}\n/", {"y": True}, "x\n/"),
    ("#{{#y}}\n/\n  {{/y}}", {"y": True}, "#\n/\n"),
    (" | {{#y}}\t|\t{{/y}} | \n", {"y": True}, " | \t|\t | \n"),
    ("|{{# y }}={{/ y }}|", {"y": True}, "|=|"),
]
INVERTED: list[tuple[str, dict[str, Any], str]] = [
    ("{{^no}}said{{/no}}{{^yes}}never{{/yes}}", {"yes": True, "no": False}, "said"),
    ("{{^nothing}}1{{/nothing}}{{^absent}}2{{/absent}}{{^empty}}3{{/empty}}", {"nothing": None, "empty": []}, "123"),
    ("{{^rows}}never{{/rows}}", {"rows": [{"n": 1}]}, ""),
    ("{{^a.b.c}}none{{/a.b.c}}", {"a": {}}, "none"),
    ("a\n{{^n}}\nb\n{{/n}}\nc\n", {"n": False}, "a\nb\nc\n"),
    ("{{^n}}{{x}}{{/n}}", {"n": False, "x": "from around"}, "from around"),
]
COMMENTS: list[tuple[str, dict[str, Any], str]] = [
    ("a{{! nobody\nreads this }}b", {}, "ab"),
    ("a\n  {{! alone }}\nb", {}, "a\nb"),
    ("a {{! not alone }}\nb", {}, "a \nb"),
    ("{{! = }}{{!x}}{{x}}", {"x": 1}, "1"),
]
DELIMITERS: list[tuple[str, dict[str, Any], str]] = [
    ("{{=<% %>=}}(<%x%> {{x}})", {"x": 1}, "(1 {{x}})"),
    ("({{=[ ]=}}[x])", {"x": 1}, "(1)"),
    ("{{= | | =}}\n|#y|\n|x|\n|/y|\n|={{ }}=|\n{{x}}", {"x": 1, "y": True}, "1\n1"),
    ("{{#y}}{{=| |=}}|x|{{x}}|/y|", {"x": 1, "y": True}, "1{{x}}"),
    ("a\n{{=@ @=}}\nb", {}, "a\nb"),
]


@pytest.mark.parametrize(
    ("template", "inputs", "expected"), [*INTERPOLATION, *SECTIONS, *INVERTED, *COMMENTS, *DELIMITERS]
)
def test_it_says_what_the_specification_says(template: str, inputs: dict[str, Any], expected: str) -> None:
    assert said(template, **inputs) == expected


@pytest.mark.parametrize("template", ["{{>other}}", "{{> other }}", "{{<parent}}{{/parent}}", "{{$block}}{{/block}}"])
def test_partials_and_blocks_are_refused(template: str) -> None:
    with pytest.raises(TemplateSyntax, match="a version of a prompt is whole by itself"):
        said(template)


@pytest.mark.parametrize(
    ("template", "name", "place"),
    [
        ("Hi {{who}}", "who", Place(1, 4)),
        ("a\nb {{a.b}}", "a.b", Place(2, 3)),
        ("{{#rows}}\n{{title}}\n{{/rows}}", "title", Place(2, 1)),
    ],
)
def test_a_variable_without_a_value_is_an_error_and_says_where(template: str, name: str, place: Place) -> None:
    with pytest.raises(MissingVariable) as caught:
        said(template, a={"c": 1}, rows=[{"n": 1}])
    assert (caught.value.name, caught.value.place, caught.value.message) == (name, place, 0)


@pytest.mark.parametrize(
    "template",
    [
        "{{#a}}",
        "{{/a}}",
        "{{#a}}{{#b}}{{/a}}{{/b}}",
        "{{a",
        "{{{a}}",
        "{{}}",
        "{{a b}}",
        "{{a..b}}",
        "{{=x=}}",
        "{{#a}}" * 60,
    ],
)
def test_what_is_no_template_is_refused_with_its_place(template: str) -> None:
    with pytest.raises(TemplateSyntax) as caught:
        variables(prompt(TemplateFormat.MUSTACHE, template))
    assert caught.value.place is not None


def test_names_in_sections_are_offered_and_not_asked_for() -> None:
    spec = prompt(
        TemplateFormat.MUSTACHE, "{{question}}{{#rows}}{{title}}{{.}}{{/rows}}", "{{user.name}}{{^rows}}-{{/rows}}"
    )
    assert variables(spec) == ["question", "rows", "title", "user"]
    assert required(spec) == ["question", "user"]
