"""Jinja2: what prompts may do with it, and what no template can do to the worker."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from arcane.messaging.generation import TemplateFormat
from arcane.prompting.bounds import Bounds
from arcane.prompting.errors import MissingVariable, Place, TemplateError, TemplateSyntax, TooMuch, WrongValue
from arcane.prompting.render import required, variables
from tests.unit.prompting.prompts import prompt
from tests.unit.prompting.prompts import said as said_in

said = partial(said_in, TemplateFormat.JINJA2)
VALUES: dict[str, Any] = {
    "name": " Ann ",
    "rows": [{"n": 1, "t": "a"}, {"n": 2, "t": "b"}],
    "one": {"k": "v", "items": 3},
    "words": ["b", "a"],
    "n": 7,
    "long": "x" * 1000,
}


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("Hello {{ name.strip() }}{# nobody reads this #}.\n", "Hello Ann.\n"),
        ("{% for r in rows %}{{ loop.index }}/{{ loop.length }} {{ r.t }}{{ r['n'] }}{% if not loop.last %}, "
         "{% endif %}{% else %}none{% endfor %}", "1/2 a1, 2/2 b2"),
        ("{% for r in rows if r.n > 1 %}{{ r.t }}{% endfor %}", "b"),
        ("{% for k, v in one.items() %}{{ k }}{% endfor %}", ""),
        ("{% for k, v in one|dictsort %}{{ k }}={{ v }};{% endfor %}", "items=3;k=v;"),
        ("{% if n > 5 and name %}big{% elif n %}small{% else %}none{% endif %}", "big"),
        ("{{ 'yes' if maybe else 'no' }}{% if maybe %}never{% endif %}{% if not maybe %}!{% endif %}", "no!"),
        ("{{ maybe|default('d') }}{{ maybe is defined }}", "dfalse"),
        ("{{ rows }} {{ one|tojson }}", '[{"n": 1, "t": "a"}, {"n": 2, "t": "b"}] {"k": "v", "items": 3}'),
        ("{{ one|tojson(indent=2) }}", '{\n  "k": "v",\n  "items": 3\n}'),
        ("{{ rows|map(attribute='t')|join('+') }} {{ words|sort|join }} {{ rows|join('-', attribute='n') }}",
         "a+b ab 1-2"),
        ("{{ rows|selectattr('n', 'gt', 1)|map(attribute='t')|list }} {{ rows|sum(attribute='n') }}", '["b"] 3'),
        ("{{ words|first }}{{ words|last }}{{ words|length }}{{ words[::-1]|join }}{{ long[:3] }}", "ba2abxxx"),
        ("{% set x = n * 2 + 1 %}{{ x }} {{ n // 2 }} {{ n % 2 }} {{ n / 2 }} {{ -n }} {{ 'a' + 'b' }}",
         "15 3 1 3.5 -7 ab"),
        ("{{ 'a' ~ n ~ true ~ none }} {{ name|trim|upper|replace('N', 'm') }}", "a7true Amm"),
        ("{{ 'a\nb'|indent(2) }}|{{ 'a\nb'|indent(2, true) }}", "a\n  b|  a\n  b"),
        ("{% raw %}{{ x }}{% endraw %}{{ 'b' in words }}{{ n is odd }}{{ rows|groupby('t')|length }}",
         "{{ x }}truetrue2"),
    ],
)  # fmt: skip
def test_what_prompts_need_is_there(template: str, expected: str) -> None:
    inputs = {**VALUES, "one": {"k": "v", "items": 3}}
    if "one.items()" in template:  # what the object has goes before a method of objects
        with pytest.raises(WrongValue):
            said(template, **inputs)
        return
    assert said(template, **inputs) == expected


@pytest.mark.parametrize(
    "template",
    [
        "{% include 'x' %}", "{% import 'x' as y %}", "{% extends 'x' %}", "{% block a %}{% endblock %}",
        "{% macro a() %}{% endmacro %}", "{% set x %}{% endset %}", "{% filter upper %}a{% endfilter %}",
        "{% for a in rows recursive %}{{ loop(a) }}{% endfor %}", "{{ 2 ** 9 }}", "{{ range(3) }}",
        "{{ name.format(1) }}", "{{ name|attr('x') }}", "{{ name|center(9) }}", "{{ name|pprint }}",
        "{{ rows is callable }}",
        "{{ [n, n] }}",
        "{{ {'a': rows} }}", "{{ x", "{% if %}", "{{ " + "9" * 5000 + " }}",
        "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}",
        "{% for loop in rows %}{% endfor %}", "{% for a in rows %}" * 13 + "{% endfor %}" * 13,
    ],
)  # fmt: skip
def test_what_is_not_for_prompts_is_refused_before_it_runs(template: str) -> None:
    with pytest.raises(TemplateSyntax):
        variables(prompt(TemplateFormat.JINJA2, template))


@pytest.mark.parametrize(
    "template",
    [
        "{{ name.__class__ }}", "{{ name['__class__'] }}", "{{ rows.__init__.__globals__ }}", "{{ one.update }}",
        "{{ ''.join.__self__ }}", "{{ name.format }}", "{{ rows|map(attribute='__class__')|list }}", "{{ self.x }}",
        "{% for r in rows %}{{ loop._iterator }}{% endfor %}", "{{ cycler }}", "{{ lipsum }}", "{{ namespace }}",
    ],
)  # fmt: skip
def test_nothing_leads_out_of_the_values(template: str) -> None:
    with pytest.raises(TemplateError):
        said(template, **VALUES)


@pytest.mark.parametrize(
    "template",
    [
        "{{ 'x' * 999999999 }}",
        "{% set x = 'xx' %}" + "{% set x = x ~ x %}" * 60 + "{{ x }}",
        "{% set x = 'xx' %}" + "{% set x = x + x %}" * 60 + "{{ x }}",
        "{% set x = long %}" + "{% set x = x|replace('x', x) %}" * 9 + "{{ x|length }}",
        "{% set x = long %}" + "".join(f"{{% set x{i} = long.upper() %}}" for i in range(600)) + "{{ x }}",
        "{% for a in long %}{% for b in long %}{% for c in long %}{% endfor %}{% endfor %}{% endfor %}",
        "{% for a in long %}{% for b in long %}" + "x" * 1000 + "{% endfor %}{% endfor %}",
        "{{ many|join(long) }}",
        "{% set x = 99999999999 %}" + "{% set x = x * x %}" * 40 + "{{ x }}",
        "{{ long|map('replace', 'x', long)|map('replace', 'x', 'xxxxxxxxxxxxxxxx')|join }}",
        "".join(f"{{% set x{i} = long[1:] %}}" for i in range(600)),
        "{{ many|tojson(indent=99999999) }}" * 300,
        "{{ 'a\n'|replace('a', long)|replace('x', '\n')|indent(999999999) }}" * 100,
    ],
)
def test_what_would_grow_or_last_is_stopped(template: str) -> None:
    with pytest.raises((TooMuch, WrongValue)):
        said(template, Bounds(max_template=10**6, max_characters=100_000), **VALUES, many=list(range(20_000)))


@pytest.mark.parametrize(
    ("template", "name", "place"),
    [
        ("a\n{{ who }}", "who", Place(2)),
        ("{{ one.absent }}", "absent", Place(1)),
        ("{{ rows|map(attribute='q')|join }}", "q", None),
    ],
)
def test_a_variable_without_a_value_is_an_error_and_says_where(template: str, name: str, place: Place | None) -> None:
    with pytest.raises(MissingVariable) as caught:
        said(template, **VALUES)
    assert (caught.value.name, caught.value.place) == (name, place)


def test_names_in_conditions_and_defaults_are_offered_and_not_asked_for() -> None:
    text = (
        "{% set own = question %}{{ own }}{% if maybe %}{{ more }}{% endif %}{{ tone|default('kind') }}"
        "{% for row in rows %}{{ row.title }}{{ extra }}{% endfor %}{{ a if b is defined else c }}{{ user.name }}"
    )
    spec = prompt(TemplateFormat.JINJA2, text)
    assert set(variables(spec)) == {"question", "maybe", "more", "tone", "rows", "extra", "a", "b", "c", "user"}
    assert required(spec) == ["question", "rows", "user"]
