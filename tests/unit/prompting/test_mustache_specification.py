"""Every case of the Mustache specification's chapters that prompts have; what differs, differs as it is listed here."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from arcane.prompting.bounds import Bounds, Budget
from arcane.prompting.errors import MissingVariable, TemplateError, TemplateSyntax
from arcane.prompting.mustache import render
from tests.support.repository_files import ROOT

CHAPTERS = ("interpolation", "sections", "inverted", "comments", "delimiters")
UNESCAPED = {"HTML Escaping": 'These characters should be HTML escaped: & " < >\n'}
"""A prompt is not HTML."""
WITHOUT_VALUE = {
    "Basic Context Miss Interpolation",
    "Triple Mustache Context Miss Interpolation",
    "Ampersand Context Miss Interpolation",
    "Dotted Names - Broken Chains",
    "Dotted Names - Broken Chain Resolution",
}
"""A hole in a prompt that nobody sees is worse than an error."""
PARTIALS = {"Partial Inheritence", "Post-Partial Behavior"}
"""A version of a prompt is whole by itself."""


@dataclass(frozen=True, slots=True)
class Case:
    chapter: str
    name: str
    template: str
    data: dict[str, Any]
    expected: str

    @property
    def differs(self) -> bool:
        return (self.chapter == "interpolation" and self.name in {*UNESCAPED, *WITHOUT_VALUE}) or self.name in PARTIALS


def _cases() -> list[Case]:
    return [
        Case(chapter, one["name"], one["template"], one["data"], one["expected"])
        for chapter in CHAPTERS
        for one in json.loads((ROOT / f"tests/data/mustache/{chapter}.json").read_text("utf-8"))["tests"]
    ]


CASES = _cases()


def _said(case: Case) -> str:
    return render(case.template, case.data, Budget(Bounds()))


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_is_rendered_as_it_is_specified(chapter: str) -> None:
    cases = [case for case in CASES if case.chapter == chapter and not case.differs]
    assert len(cases) > 10
    assert {case.name: _said(case) for case in cases} == {case.name: case.expected for case in cases}


def test_what_differs_is_listed_by_name_and_differs() -> None:
    found: dict[type[TemplateError] | None, set[str]] = {None: set(), MissingVariable: set(), TemplateSyntax: set()}
    for case in CASES:
        if not case.differs:
            continue
        try:
            assert _said(case) == UNESCAPED[case.name] != case.expected
        except TemplateError as refused:
            found[type(refused)].add(case.name)
        else:
            found[None].add(case.name)
    assert found == {None: set(UNESCAPED), MissingVariable: WITHOUT_VALUE, TemplateSyntax: PARTIALS}
