"""How a value reads in a prompt: text as it is, anything else as JSON has it."""

from __future__ import annotations

import json
from collections.abc import Callable

_JSON = json.JSONEncoder(ensure_ascii=False, default=str)


def as_text(value: object, spend: Callable[[int], None]) -> str:
    """Returns `value` as a prompt says it; every part is spent before it is kept.

    Nothing is an empty text, a number or a truth value is written like in JSON, and so are lists and objects: in one
    line, with their characters as they are.
    """
    if value is None:
        return ""
    if isinstance(value, str):
        text = str(value)
        spend(len(text))
        return text
    parts = []
    for part in _JSON.iterencode(value):
        spend(len(part))
        parts.append(part)
    return "".join(parts)
