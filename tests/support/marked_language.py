"""A language in which every sentence of the catalog stands between marks: what a page says outside of them is in none.

The catalog is what `make i18n-extract` writes, so a sentence is marked only when a translator would get it.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

from tests.support.repository_files import ROOT
from web.i18n import Language, Languages

CODE = "eo"
OPEN, CLOSE = "⟦", "⟧"
_SHOWN_ATTRIBUTES = frozenset({"alt", "aria-label", "title"})
"""A placeholder is an example of what is typed, and the same everywhere."""
_NOT_WORDS = frozenset({"script", "style", "kbd", "code", "pre", "textarea", "time", "svg"})
_VOID = frozenset({"br", "hr", "img", "input", "link", "meta", "source", "wbr", "col"})


def marked_language(folder: Path) -> Language:
    """Returns the language, made of the catalog that the Makefile's recipe extracts; `folder` gets its file."""
    recipe = next(line for line in (ROOT / "Makefile").read_text().splitlines() if "pybabel" in line)
    words = shlex.split(recipe.strip().removeprefix("@").replace("$(BIN)/pybabel", ""))
    template = folder / "messages.pot"
    words[words.index("-o") + 1] = str(template)
    subprocess.run([sys.executable, "-m", "babel.messages.frontend", *words], cwd=ROOT, check=True, capture_output=True)
    with template.open("rb") as source:
        catalog = read_po(source)
    file = folder / CODE / "LC_MESSAGES" / "messages.po"
    file.parent.mkdir(parents=True)
    with file.open("wb") as target:
        write_po(target, _marked(catalog))
    return Languages.load(folder).by_code[CODE]


def _marked(catalog: Catalog) -> Catalog:
    told = Catalog(locale=CODE)
    for message in catalog:
        if isinstance(message.id, str) and message.id:
            told.add(message.id, _between(message.id), flags=message.flags, context=message.context)
        elif message.id:
            forms = tuple(_between(form) for form in message.id)
            told.add(message.id, forms, flags=message.flags, context=message.context)
    return told


def _between(sentence: str) -> str:
    return f"{OPEN}{sentence}{CLOSE}"


def unmarked(page: str) -> list[str]:
    """Returns what a reader sees or hears of the page that is not between marks, and not code."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return [text for text in reader.found if re.search(r"[^\W\d_]{2,}", text)]


class _Reader(HTMLParser):
    """Collects the words outside of marks. A sentence may run over several elements: its values are among them."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._depth = 0
        self._inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _VOID:
            self._inside.append(tag)
        shown = (value for name, value in attrs if name in _SHOWN_ATTRIBUTES and value)
        self.found += [value for value in shown if OPEN not in value]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        while self._inside and self._inside.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if _NOT_WORDS & set(self._inside):
            return
        self.found += [" ".join(text.split()) for text in self._outside(data)]

    def _outside(self, data: str) -> Iterator[str]:
        for part in re.split(f"([{OPEN}{CLOSE}])", data):
            if part == OPEN:
                self._depth += 1
            elif part == CLOSE:
                self._depth -= 1
            elif self._depth == 0 and part.strip():
                yield part
