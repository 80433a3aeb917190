"""Sentences that the engine and adapters say, in English, and that a page can say in another language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Self


class Notice(str):
    """An English sentence that remembers what it was made of.

    It is a plain string to whoever does not ask: REST and the shell show it as it stands. The
    template is the first argument as a literal, or `make i18n-extract` does not find it; what
    varies stands in it as `%(name)s`. A value may be a notice itself.
    """

    __slots__ = ("template", "values")

    template: str
    values: Mapping[str, object]

    def __new__(cls, template: str, /, **values: object) -> Self:
        """Returns the sentence: the template with `values` in it."""
        made = super().__new__(cls, template % values if values else template)
        made.template = template
        made.values = values
        return made

    def __reduce__(self) -> tuple[Callable[..., Notice], tuple[str, Mapping[str, object]]]:
        return _made, (self.template, self.values)


def _made(template: str, values: Mapping[str, object]) -> Notice:
    """What copying and pickling make it of."""
    return Notice(template, **values)


def told(sentence: str, translate: Callable[[str], str]) -> str:
    """Returns `sentence` as `translate` says it; a plain string is its own template.

    A translation that asks for a value which is not there is left alone: English is better than no page.
    """
    if not isinstance(sentence, Notice):
        return translate(sentence) if sentence else ""
    if not sentence.values:
        return translate(sentence.template)
    values = {
        name: told(value, translate) if isinstance(value, Notice) else value for name, value in sentence.values.items()
    }
    try:
        return translate(sentence.template) % values
    except (KeyError, TypeError, ValueError):
        return str(sentence)


def encoded(value: object) -> str:
    """Returns a notice as JSON has it: msgspec asks for what it does not know by type."""
    if isinstance(value, Notice):
        return str(value)
    raise NotImplementedError(f"{type(value).__name__} has no JSON")
