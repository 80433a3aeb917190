"""How two answers differ, word by word. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

_WORDS = re.compile(r"\s+|[^\W_]+|[\W_]", re.UNICODE)
WORDS_MAX = 4_000
"""Longer answers are shown without marks: finding the differences takes time that grows with the square."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text. `change` is "" for what both have, "-" for what only the first has, "+" for the second's."""

    text: str
    change: str


def difference(before: str, after: str) -> tuple[Piece, ...] | None:
    """Returns the pieces that make `before` (without "+") and `after` (without "-"); None where it would take long."""
    left, right = _WORDS.findall(before), _WORDS.findall(after)
    if max(len(left), len(right)) > WORDS_MAX:
        return None
    pieces: list[Piece] = []
    for operation, at, to, other_at, other_to in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if operation == "equal":
            pieces.append(Piece("".join(left[at:to]), ""))
            continue
        if to > at:
            pieces.append(Piece("".join(left[at:to]), "-"))
        if other_to > other_at:
            pieces.append(Piece("".join(right[other_at:other_to]), "+"))
    return tuple(pieces)
