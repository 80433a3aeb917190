"""Every sentence a person sees goes through gettext, and into the catalog of messages."""

from __future__ import annotations

import ast
import itertools
import re
import shlex
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from jinja2 import Environment

import web
from web.extraction import declared
from web.rendering import TEMPLATES

WEB = Path(web.__file__).parent
ROOT = WEB.parent
SPOKEN = frozenset({"say", "say_to", "gettext", "ngettext", "Notice"})
SHOWN_ATTRIBUTES = frozenset({"alt", "aria-label", "placeholder", "title"})
NAMES = re.compile(r"Arcane|OTLP|JSON|\{ status = error \}|datasource\.\*")
"""The same in every language: names, and examples of what is typed."""
PARTS_OF_TAGS = ("button button-", "aria-invalid=")
"""What macros write inside of a tag: no words."""
FOR_PROGRAMS = frozenset({"Value error, ", "Pages are not built"})
"""What pydantic begins a message with, and the title of a problem: those are English."""
FOR_DEVELOPERS = "styleguide"
NOT_SHOWN = frozenset({"script", "style", "kbd", "code"})
SENTENCE = re.compile(r"[A-Z][^\W\d_]*('s)?[ ,][^|]*[a-z]|[A-Z][a-z]+.*\.$")
FILLED = "\ufffc"
"""Stands where a template writes something: an expression, a translation."""


class Shown(HTMLParser):
    """Collects what a reader would see or hear of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside.append(tag)
        self.texts += [value for name, value in attrs if name in SHOWN_ATTRIBUTES and value]

    def handle_endtag(self, tag: str) -> None:
        while self._inside and self._inside.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not NOT_SHOWN & set(self._inside):
            self.texts.append(data)


def written(source: str) -> str:
    """Returns a template's own text, with FILLED for everything else and for what is translated."""
    parts: list[str] = []
    translated = False
    tokens = list(Environment(extensions=["jinja2.ext.i18n"]).lex(source))
    for at, (_, kind, text) in enumerate(tokens):
        if kind == "block_begin":
            name = next((value for _, token, value in tokens[at + 1 :] if token == "name"), "")
            translated = name == "trans" or (translated and name != "endtrans")
        if kind == "data":
            parts.append(FILLED if translated else text)
        elif kind == "variable_begin":
            parts.append(FILLED)
    return "".join(parts)


def files_below(folder: Path, kind: str) -> list[Path]:
    """Returns the files that have to speak every language."""
    return sorted(file for file in folder.rglob(f"*.{kind}") if FOR_DEVELOPERS not in str(file.relative_to(folder)))


@pytest.mark.parametrize("file", files_below(TEMPLATES, "html"), ids=lambda file: str(file.relative_to(TEMPLATES)))
def test_a_template_says_nothing_of_its_own(file: Path) -> None:
    reader = Shown()
    reader.feed(written(file.read_text("utf-8")))
    said = [" ".join(NAMES.sub("", text.replace(FILLED, " ")).split()) for text in reader.texts]
    words = [text for text in said if re.search(r"[^\W\d_]{3,}", text)]
    assert [text for text in words if not text.startswith(PARTS_OF_TAGS)] == []


def unspoken(node: ast.AST) -> Iterator[str]:
    """Yields the sentences below `node` that nothing translates: no docstrings, and no words of an exception."""
    for child in ast.iter_child_nodes(node):
        translated = isinstance(child, ast.Call) and _name(child.func) in SPOKEN
        remark = isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
        if translated or remark or isinstance(child, ast.Raise):
            continue
        if isinstance(child, ast.Constant) and isinstance(child.value, str) and SENTENCE.match(child.value):
            yield child.value
        yield from unspoken(child)


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


@pytest.mark.parametrize("file", files_below(WEB, "py"), ids=lambda file: str(file.relative_to(WEB)))
def test_a_module_says_nothing_untranslated(file: Path) -> None:
    tree = ast.parse(file.read_text("utf-8"))
    assert [text for text in unspoken(tree) if text not in FOR_PROGRAMS] == []
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and _name(call.func) in {"say", "say_to"}:
            assert isinstance(call.args[-1], ast.Constant), f"line {call.lineno}: what is not written down is not found"


def test_what_is_said_is_in_the_catalog_that_make_writes() -> None:
    recipe = next(line for line in (ROOT / "Makefile").read_text().splitlines() if "pybabel" in line)
    words = shlex.split(recipe.strip().removeprefix("@"))
    keywords: dict[str, tuple[int, ...] | None] = {"_": None, "gettext": None, "ngettext": (1, 2)}
    for flag, keyword in itertools.pairwise(words):
        if flag == "-k":
            name, _, place = keyword.partition(":")
            keywords[name] = (int(place),) if place else None
    found = {row[2] for row in extract_from_dir(WEB, [("**.py", "python")], keywords=keywords)}
    assert {"API keys", "Hidden attributes", "This is needed.", "The key opens nothing any more."} <= found


def test_what_settings_models_and_roles_declare_is_in_it_as_well() -> None:
    said: set[str] = set()
    for file in ("datasources/tempo/settings.py", "arcane/spi/connection.py"):
        with (ROOT / file).open("rb") as settings:
            said |= {text for _, _, text, _ in declared(settings, (), (), {})}
    assert {"Tenant", "Sent as X-Scope-OrgID. Leave empty when multitenancy is off.", "User and password"} <= said
    for file in ("arcane/models/providers.py", "datasources/custom_api/settings.py", "worker/scorers/exact_match.py"):
        with (ROOT / file).open("rb") as settings:
            said |= {text for _, _, text, _ in declared(settings, (), (), {})}
    assert {"Empty: OpenAI's own.", "letters, digits and hyphens, such as europe-west4"} <= said, (
        "and why one is refused"
    )
    assert {"First contract", "Search path", "Exact match", "Text"} <= said
    with (ROOT / "arcane/access/permissions.py").open("rb") as permissions:
        assert "Reads what is in the project." in {text for _, _, text, _ in declared(permissions, (), (), {})}


@pytest.mark.parametrize("file", files_below(TEMPLATES, "html"), ids=lambda file: str(file.relative_to(TEMPLATES)))
def test_a_per_cent_sign_in_a_template_is_written_twice(file: Path) -> None:
    """What is translated there is a format: a lone sign breaks the page."""
    said = [match[2] for match in re.finditer(r"\b_\(\s*([\"'])(.*?)\1", file.read_text())]
    assert [text for text in said if "%" in re.sub(r"%%|%\(\w+\)[sd.\dfg]", "", text)] == []
