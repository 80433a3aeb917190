"""What a text of a Map column was before it became one. Pure; `values` says the same in SQL.

The exporter writes every value as text: whole numbers as digits, floats as Go writes them, booleans as
words, lists as JSON. Nothing says which texts were texts all along, so what spells a value is read as
one, except under names that are known to hold texts: ids of digits stay what they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import translate
from functools import lru_cache

import msgspec

from arcane.spi import AttributeValue

NUMBER = r"-?(?:0|[1-9][0-9]*)(?:[.][0-9]+)?(?:[eE][+-]?[0-9]+)?"
_number = re.compile(NUMBER).fullmatch
_BEGINS = frozenset("-0123456789tf[")
_INT_MAX, _INT_MIN = 2**63 - 1, -(2**63)
_WHOLE_DIGITS = 19


class Names:
    """Tells which attribute names hold texts, by patterns with `*`."""

    def __init__(self, patterns: Iterable[str]) -> None:
        joined = "|".join(translate(pattern) for pattern in patterns)
        self._match = re.compile(joined).match if joined else None
        self.is_text = lru_cache(maxsize=4_096)(self._is_text)

    def _is_text(self, name: str) -> bool:
        """True when values under `name` are texts, whatever they spell."""
        return self._match is not None and self._match(name) is not None


def typed(text: str) -> AttributeValue:
    """Returns the value that `text` spells, or the text."""
    if not text or text[0] not in _BEGINS:
        return text
    if text == "true":
        return True
    if text == "false":
        return False
    if text[0] == "[":
        return _listed(text)
    return _numeric(text) if _number(text) else text


def spells_text(text: str) -> bool:
    """True when `text` spells nothing but itself."""
    return isinstance(typed(text), str)


def _numeric(text: str) -> AttributeValue:
    if len(text) <= _WHOLE_DIGITS + 1 and text.removeprefix("-").isdigit() and text != "-0":
        value = int(text)
        if _INT_MIN <= value <= _INT_MAX:
            return value
    return float(text)


def _listed(text: str) -> AttributeValue:
    try:
        found = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text
    if isinstance(found, list) and all(isinstance(one, str | int | float) for one in found):
        return found
    return text
