"""Reads attributes that anybody may have written: a value of the wrong type is passed over, never an error."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import msgspec

MOST_TOKENS = 1_000_000_000  # a larger count is a mistake of the emitter


def text(attributes: Mapping[str, object], keys: Iterable[str]) -> str | None:
    """Returns the first of `keys` that holds a text, number or bool, as text; a JSON string loses its quotes."""
    for key in keys:
        value = attributes.get(key)
        if value is None:
            continue
        if isinstance(value, str):
            if value:
                return _unquoted(value) if value[0] == '"' else value
        elif isinstance(value, int | float):
            return str(value)
    return None


def _unquoted(value: str) -> str:
    inner = parsed(value)
    return inner if isinstance(inner, str) else value


def count(attributes: Mapping[str, object], keys: Iterable[str]) -> int | None:
    """Returns the first of `keys` that holds a sensible count of tokens."""
    for key in keys:
        value = attributes.get(key)
        if value is not None:
            number = whole(value)
            if number is not None:
                return number
    return None


def whole(value: object) -> int | None:
    """Returns `value` as a count between 0 and MOST_TOKENS, None if it is none."""
    if type(value) is int:  # what counts nearly always are
        return value if 0 <= value <= MOST_TOKENS else None
    if isinstance(value, str):
        if not value.isdecimal() or len(value) > 10:
            return None
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not 0 <= value <= MOST_TOKENS or value != math.floor(value):
        return None
    return int(value)


def amount(value: object) -> float | None:
    """Returns `value` as an amount of money or time: finite and not negative."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


def texts(value: object) -> tuple[str, ...]:
    """Returns a text, a list of texts, or JSON of either, as a tuple of texts."""
    if isinstance(value, str) and value[:1] in ("[", '"'):
        value = parsed(value)
    if isinstance(value, str):
        return (value,) if value else ()
    if isinstance(value, list):
        return tuple(item for item in value if isinstance(item, str))
    return ()


def parsed(value: object) -> object:
    """Returns the JSON value that a text holds, else the value itself."""
    if not isinstance(value, str | bytes) or not value:
        return value
    try:
        decoded: object = msgspec.json.decode(value)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return value
    return decoded


def mapping(value: object) -> dict[str, object]:
    """Returns a map, or JSON of one; anything else is an empty map."""
    if isinstance(value, str | bytes):
        value = parsed(value)
    if isinstance(value, dict):
        return {key: item for key, item in value.items() if isinstance(key, str)}
    return {}
