"""Mustache, for prompts: variables, sections, inverted sections, comments, other delimiters.

Written here because a prompt wants three things no kept library has together: a place for every complaint, bounds
that hold while it renders, and no escaping (a prompt is not HTML, so `{{name}}` and `{{{name}}}` are the same). It
differs from the specification in two more points: partials are refused, since a version of a prompt is whole by
itself, and a variable without a value is an error instead of a hole that nobody sees. A section without one is false.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from arcane.model.notice import Notice
from arcane.prompting.bounds import Budget
from arcane.prompting.errors import MissingVariable, Place, TemplateSyntax
from arcane.prompting.texts import as_text

_DEEPEST = 50
_STANDALONE = frozenset("#^/!=")
_REST_OF_LINE = re.compile(r"[ \t]*(?:\r?\n|\Z)")
_ABSENT = object()


@dataclass(frozen=True, slots=True)
class Variable:
    """A place where a value goes; the empty path is the item a section is at."""

    path: tuple[str, ...]
    offset: int


@dataclass(frozen=True, slots=True)
class Section:
    """What is said for every item, once for what is true, or (inverted) where there is nothing."""

    path: tuple[str, ...]
    inverted: bool
    offset: int
    parts: list[str | Variable | Section] = field(default_factory=list)


Part = str | Variable | Section


@dataclass(slots=True)
class _Reader:
    """A template while it is read."""

    text: str
    at: int = 0
    opening: str = "{{"
    closing: str = "}}"
    open: list[Section] = field(default_factory=lambda: [Section((), inverted=False, offset=0)])

    def error(self, sentence: Notice, offset: int) -> TemplateSyntax:
        return TemplateSyntax(sentence, Place.of(self.text, offset))

    def say(self, text: str) -> None:
        if text:
            self.open[-1].parts.append(text)

    def read(self) -> list[Part]:
        """Returns the parts of the whole template."""
        while (start := self.text.find(self.opening, self.at)) >= 0:
            self._tag(start)
        self.say(self.text[self.at :])
        if len(self.open) > 1:
            left = self.open[-1]
            raise self.error(Notice("The section “%(name)s” is not closed.", name=_named(left.path)), left.offset)
        return self.open[0].parts

    def _tag(self, start: int) -> None:
        inside = start + len(self.opening)
        sigil = self.text[inside : inside + 1]
        ending = {"{": "}" + self.closing, "=": "=" + self.closing}.get(sigil, self.closing)
        end = self.text.find(ending, inside + (sigil in "{=" and sigil != ""))
        if end < 0:
            raise self.error(Notice("A tag is opened and not closed."), start)
        key = self.text[inside:end]
        before, self.at = self.text[self.at : start], end + len(ending)
        self.say(self._without_its_line(before, start) if sigil in _STANDALONE else before)
        if sigil in "{&#^/=!" and sigil:
            key = key[1:]
        self._take(sigil, key.strip(), start)

    def _without_its_line(self, before: str, start: int) -> str:
        """Returns what stands before a tag that is alone on its line without the indentation, and skips the line."""
        indentation = self.text[self.text.rfind("\n", 0, start) + 1 : start]
        rest = _REST_OF_LINE.match(self.text, self.at)
        if indentation.strip(" \t") or rest is None:
            return before
        self.at = rest.end()
        return before[: len(before) - len(indentation)]

    def _take(self, sigil: str, key: str, start: int) -> None:
        if sigil == "!":
            return
        if sigil == "=":
            self._delimit(key, start)
        elif sigil in (">", "<", "$"):
            raise self.error(
                Notice("Partials and blocks are not for prompts: a version of a prompt is whole by itself."), start
            )
        elif sigil == "/":
            if len(self.open) == 1 or self.open[-1].path != self._path(key, start):
                raise self.error(Notice("The section “%(name)s” is closed and not open here.", name=key[:60]), start)
            self.open.pop()
        elif sigil in ("#", "^"):
            section = Section(self._path(key, start), inverted=sigil == "^", offset=start)
            self.open[-1].parts.append(section)
            self.open.append(section)
            if len(self.open) > _DEEPEST:
                raise self.error(Notice("Sections stand more than %(most)d deep.", most=_DEEPEST - 1), start)
        else:
            self.open[-1].parts.append(Variable(self._path(key, start), start))

    def _delimit(self, key: str, start: int) -> None:
        both = key.split()
        if len(both) != 2 or any("=" in one for one in both):
            raise self.error(Notice("Delimiters are set like this: %(example)s", example="{{=<% %>=}}"), start)
        self.opening, self.closing = both

    def _path(self, key: str, start: int) -> tuple[str, ...]:
        if key == ".":
            return ()
        path = tuple(key.split("."))
        if not all(path) or any(part != part.strip() or any(c.isspace() for c in part) for part in path):
            raise self.error(Notice("“%(name)s” is not a name.", name=key[:60]), start)
        return path


def _named(path: Sequence[str]) -> str:
    return ".".join(path) or "."


def parse(text: str) -> list[Part]:
    """Returns the template as its parts."""
    return _Reader(text).read()


def names(text: str) -> Iterator[tuple[str, bool]]:
    """Yields the names as they stand in the template, and whether it cannot be filled without a value.

    A name inside of a section may be that of an item, so it is not asked for, only offered.
    """
    return _names(parse(text), needed=True)


def _names(parts: Sequence[Part], needed: bool) -> Iterator[tuple[str, bool]]:
    for part in parts:
        if isinstance(part, str):
            continue
        if part.path:
            yield part.path[0], needed and isinstance(part, Variable)
        if isinstance(part, Section):
            yield from _names(part.parts, needed=False)


def render(text: str, inputs: Mapping[str, object], budget: Budget) -> str:
    """Returns the template with the values in their places."""
    written: list[str] = []
    try:
        for piece in _written(parse(text), [inputs], budget):
            written.append(piece)
    except _Missing as missing:
        raise MissingVariable(_named(missing.variable.path), Place.of(text, missing.variable.offset)) from None
    return "".join(written)


class _Missing(Exception):
    def __init__(self, variable: Variable) -> None:
        super().__init__()
        self.variable = variable


def _written(parts: Sequence[Part], around: list[object], budget: Budget) -> Iterator[str]:
    for part in parts:
        budget.step()
        if isinstance(part, str):
            budget.write(len(part))
            yield part
        elif isinstance(part, Variable):
            value = _value(part.path, around)
            if value is _ABSENT:
                raise _Missing(part)
            yield as_text(value, budget.write)
        else:
            for item in _items(part, _value(part.path, around)):
                budget.step()
                yield from _written(part.parts, around if part.inverted else [*around, item], budget)


def _items(section: Section, value: object) -> Sequence[object]:
    """Returns what the section is said for."""
    if value is _ABSENT or not value:
        return (None,) if section.inverted else ()
    if section.inverted:
        return ()
    return value if isinstance(value, list | tuple) else (value,)


def _value(path: tuple[str, ...], around: Sequence[object]) -> object:
    """Returns what the nearest of the surrounding objects has under the first name, followed by the others."""
    if not path:
        return around[-1]
    found = next((one[path[0]] for one in reversed(around) if isinstance(one, Mapping) and path[0] in one), _ABSENT)
    for name in path[1:]:
        found = found[name] if isinstance(found, Mapping) and name in found else _ABSENT
    return found
