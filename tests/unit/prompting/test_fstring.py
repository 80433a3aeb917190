"""f-strings: names, formats, and nothing that reaches into values."""

from __future__ import annotations

from functools import partial

import pytest

from arcane.messaging.generation import TemplateFormat
from arcane.prompting.errors import MissingVariable, Place, TemplateSyntax, WrongValue
from arcane.prompting.render import required, variables
from tests.unit.prompting.prompts import prompt
from tests.unit.prompting.prompts import said as said_in

said = partial(said_in, TemplateFormat.F_STRING)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("Hello {who}.", "Hello Ann."),
        ("{{{who}}} {{}}", "{Ann} {}"),
        ("{n:.2f}|{n:>8.1f}|{i:05d}|{i:,}|{who:*^9}|{share:.0%}", "3.14|     3.1|01234|1,234|***Ann***|25%"),
        ("{rows} {one} {none}{yes}", '[1, "ü"] {"a": null} true'),
        ("{rows:>12}", '    [1, "ü"]'),
        ("{größe_1}", "5"),
    ],
)
def test_values_stand_in_their_places(template: str, expected: str) -> None:
    values = {"who": "Ann", "n": 3.14159, "i": 1234, "share": 0.25, "rows": [1, "ü"], "one": {"a": None}}
    assert said(template, none=None, yes=True, größe_1=5, **values) == expected


@pytest.mark.parametrize("template", ["{a.b}", "{a[0]}", "{a['x']}", "{a.__class__.__mro__}", "{a!r}"])
def test_it_does_not_reach_into_values(template: str) -> None:
    with pytest.raises(TemplateSyntax, match="Only names can stand in braces"):
        said(template, a={"b": 1})


@pytest.mark.parametrize(
    "template",
    ["{", "}", "a {b", "{}", "{0}", "{a b}", "{a:{b}}", '{"json": 1}', "{a:99999d}", "{a:.999f}", "{a:what}"],
)
def test_what_is_no_template_is_refused_with_its_place(template: str) -> None:
    with pytest.raises(TemplateSyntax) as caught:
        variables(prompt(TemplateFormat.F_STRING, template))
    assert caught.value.place is not None


def test_a_value_that_has_no_such_format_is_named() -> None:
    with pytest.raises(WrongValue, match=r"Message 1, line 2, column 1: The value of “a” has no format “\.2f”"):
        said("\n{a:.2f}", a="text")


def test_a_variable_without_a_value_is_an_error_and_says_where() -> None:
    with pytest.raises(MissingVariable) as caught:
        said("one\ntwo {three}")
    assert (caught.value.name, caught.value.place) == ("three", Place(2, 5))


def test_every_name_is_asked_for() -> None:
    spec = prompt(TemplateFormat.F_STRING, "{b} {a:>3}", "{b}")
    assert variables(spec) == required(spec) == ["b", "a"]
