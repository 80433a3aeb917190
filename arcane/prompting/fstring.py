"""Templates like Python's f-strings: `{name}`, `{name:.2f}`, and `{{` for a brace.

A name is a name and nothing behind it: `{user.email}` and `{rows[0]}` are refused, since in Python they reach into
objects. What stands behind the colon is a format of Python's, as far as it cannot ask for a gigabyte of blanks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from arcane.model.notice import Notice
from arcane.prompting.bounds import Budget
from arcane.prompting.errors import MissingVariable, Place, TemplateSyntax, WrongValue
from arcane.prompting.texts import as_text

_NAME = re.compile(r"[^\W\d]\w*")
_FORMAT = re.compile(
    r"(?:.?[<>=^])?[+\- ]?z?#?0?(?P<width>\d{0,3})[,_]?(?:\.(?P<precision>\d{1,2}))?[bcdeEfFgGnosxX%]?", re.DOTALL
)
_PIECE = re.compile(r"\{\{|\}\}|\{(?P<field>[^{}]*)\}|[{}]|[^{}]+")


@dataclass(frozen=True, slots=True)
class Field:
    """A place where a value goes."""

    name: str
    format: str
    offset: int


def parse(text: str) -> tuple[str | Field, ...]:
    """Returns the template as what it says and where values go."""
    return tuple(_pieces(text))


def _pieces(text: str) -> Iterator[str | Field]:
    for piece in _PIECE.finditer(text):
        said = piece.group()
        if piece.group("field") is not None:
            yield _field(text, piece.group("field"), piece.start())
        elif said in ("{{", "}}"):
            yield said[0]
        elif said in ("{", "}"):
            raise TemplateSyntax(
                Notice(
                    "A brace stands alone. A brace that is meant as one is written twice: %(twice)s", twice=said * 2
                ),
                Place.of(text, piece.start()),
            )
        else:
            yield said


def _field(text: str, field: str, offset: int) -> Field:
    name, _, form = field.partition(":")
    place = Place.of(text, offset)
    if not _NAME.fullmatch(name):
        if re.fullmatch(r"[\w.\[\]!'\"-]+", name) and re.match(r"[^\W\d]\w*[.\[!]", name):
            sentence = Notice("Only names can stand in braces, not what is inside of values: {%(name)s}", name=name)
        else:
            sentence = Notice(
                "{%(name)s} is not a variable. A brace that is meant as one is written twice.", name=name[:60]
            )
        raise TemplateSyntax(sentence, place)
    if not _FORMAT.fullmatch(form):
        raise TemplateSyntax(Notice("“%(format)s” is not a format that can be used here.", format=form[:60]), place)
    return Field(name, form, offset)


def names(text: str) -> Iterator[tuple[str, bool]]:
    """Yields the names as they stand in the template; every one of them needs a value."""
    return ((piece.name, True) for piece in parse(text) if isinstance(piece, Field))


def render(text: str, inputs: Mapping[str, object], budget: Budget) -> str:
    """Returns the template with the values in their places."""
    written = []
    for piece in parse(text):
        if isinstance(piece, str):
            budget.write(len(piece))
            written.append(piece)
        else:
            budget.step()
            written.append(_filled(text, piece, inputs, budget))
    return "".join(written)


def _filled(text: str, field: Field, inputs: Mapping[str, object], budget: Budget) -> str:
    place = Place.of(text, field.offset)
    if field.name not in inputs:
        raise MissingVariable(field.name, place)
    value = inputs[field.name]
    if not field.format:
        return as_text(value, budget.write)
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        value = as_text(value, budget.make)
    try:
        said = format(value, field.format)
    except (ValueError, OverflowError):
        raise WrongValue(
            Notice("The value of “%(name)s” has no format “%(format)s”.", name=field.name, format=field.format), place
        ) from None
    budget.write(len(said))
    return said
