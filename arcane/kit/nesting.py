"""What stands within JSON, level by level: nothing recurses, so no depth costs the stack. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from typing import Any

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class TooDeep(ValueError):
    """Lists and objects stand deeper within each other than they may."""


def values(document: Any, deepest: int) -> Iterator[Any]:
    """Yields the document and all that it holds, names of members too, from the outside in; raises TooDeep at the end.

    A list or an object is a level; texts, numbers and the like are none.
    """
    level: list[Any] = [document]
    for _ in range(deepest):
        yield from level
        level = list(chain.from_iterable(map(_within, level)))
        if not level:
            return
    yield from level
    if any(isinstance(one, dict | list) for one in level):
        raise TooDeep


def is_deeper(document: Any, deepest: int) -> bool:
    """True when the document has more levels."""
    try:
        for _ in values(document, deepest):
            pass
    except TooDeep:
        return True
    return False


def is_storable(text: str) -> bool:
    """True when a database can hold every character of the text; a NUL and half of a surrogate pair are none."""
    return _UNSTORABLE.search(text) is None


def _within(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        return chain(value, value.values())
    return iter(value) if isinstance(value, list) else iter(())
