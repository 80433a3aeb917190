"""Templates and page dataclasses agree, and every template compiles."""

import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest
from jinja2 import Environment, meta, nodes

from web import site
from web.assets import Assets
from web.i18n import Languages
from web.rendering import TEMPLATES, Page, environment, marked

assert site.PAGES, "importing the site imports every page module, and with it every page"


def every_page(kind: type[Page] = Page) -> Iterator[type[Page]]:
    for page in kind.__subclasses__():
        if "template" in vars(page) and getattr(sys.modules[page.__module__], page.__name__) is page:
            yield page  # `slots=True` makes a second class; the first one is no page
        yield from every_page(page)


PAGES = sorted(set(every_page()), key=lambda page: page.__qualname__)


@pytest.fixture(scope="module")
def jinja() -> Environment:
    return environment(Languages.load().by_code["en"], Assets(), reloads=False)


def sources(jinja: Environment, name: str, seen: set[str]) -> Iterator[str]:
    """Yields what `name` reads from its context, with all it extends and includes."""
    if name in seen:
        return
    seen.add(name)
    tree = jinja.parse((TEMPLATES / name).read_text("utf-8"))
    imported = {
        (one if isinstance(one, str) else one[1]) for node in tree.find_all(nodes.FromImport) for one in node.names
    }
    local = {macro.name for macro in tree.find_all(nodes.Macro)}
    local |= {node.target.name for node in tree.find_all(nodes.Assign) if isinstance(node.target, nodes.Name)}
    yield from meta.find_undeclared_variables(tree) - set(jinja.globals) - imported - local
    for other in meta.find_referenced_templates(tree):
        assert other is not None, f"{name} chooses a template at run time"
        if not is_library(other):
            yield from sources(jinja, other, seen)


def is_library(name: str) -> bool:
    """True for a file of macros: it is imported, so it does not see the page's variables."""
    return "{% macro" in (TEMPLATES / name).read_text("utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.__qualname__)
def test_a_page_has_what_its_template_reads(jinja: Environment, page: type[Page]) -> None:
    read = set(sources(jinja, page.template, set()))
    has = {field.name for field in fields(page)}
    assert read - has == set(), f"{page.template} reads what {page.__qualname__} does not have"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.__qualname__)
def test_a_template_reads_what_its_page_has(jinja: Environment, page: type[Page]) -> None:
    read = set(sources(jinja, page.template, set()))
    own = {field.name for field in fields(page)} & set(vars(page)["__annotations__"])
    assert own - read == set(), f"{page.__qualname__} carries what {page.template} never reads"


@pytest.mark.parametrize("file", sorted(TEMPLATES.rglob("*.html")), ids=lambda file: str(file.relative_to(TEMPLATES)))
def test_a_template_compiles_and_holds_no_inline_script_or_style(jinja: Environment, file: Path) -> None:
    text = file.read_text("utf-8")
    jinja.compile(text)
    assert " style=" not in text
    assert "<style" not in text
    assert " onclick=" not in text
    assert "hx-on" not in text
    for tag in text.split("<script")[1:]:
        assert "src=" in tag.split(">")[0] or 'type="application/json"' in tag.split(">")[0]


def test_what_stands_between_backticks_is_code_and_nothing_else_is_markup() -> None:
    assert marked("unexpected `<b>`; a `{` is <i>missing</i>") == (
        "unexpected <code>&lt;b&gt;</code>; a <code>{</code> is &lt;i&gt;missing&lt;/i&gt;"
    )
    assert marked("one ` alone") == "one ` alone"
