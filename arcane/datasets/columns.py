"""Columns and what may stand in their cells. Pure.

An empty text and JSON's null are no value: such a cell is not there at all. A number is a double, so whole numbers
beyond 2^53 are texts. What JSON holds can be stored as it is and read back as it was.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from arcane.kit.nesting import TooDeep, is_storable, values

EXACT = 2**53
_INT64 = 2**63
_DEEPEST = 32
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
LONGEST_NAME = 200
RESERVED = "arcane:"
"""No column's name begins with it: exports use it for what is not a column."""
SPLIT = f"{RESERVED}split"
"""Where exports and imports have the split of a row."""


class ColumnType(StrEnum):
    """What the cells of a column hold."""

    TEXT = "text"
    NUMBER = "number"
    JSON = "json"
    MESSAGES = "messages"


@dataclass(frozen=True, slots=True)
class Column:
    """A column. Its id stays when it is renamed, so its values do."""

    id: str
    name: str
    type: ColumnType

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Column:
        """Returns the column that `stored` says."""
        return cls(stored["id"], stored["name"], ColumnType(stored["type"]))

    def stored(self) -> dict[str, str]:
        """Returns it as tables keep it."""
        return {"id": self.id, "name": self.name, "type": self.type.value}


class BadValue(ValueError):
    """A value does not fit its column. The message is one sentence that is safe to show and holds no content."""


def columns_of(stored: Sequence[Mapping[str, Any]]) -> tuple[Column, ...]:
    """Returns the columns that tables keep, in order."""
    return tuple(Column.of(one) for one in stored)


def column_name_error(name: str) -> str:
    """Returns what is wrong with the name of a column, "" when nothing is."""
    if not name.strip():
        return "a column has to have a name"
    if len(name) > LONGEST_NAME:
        return f"a column's name has up to {LONGEST_NAME} characters"
    if unprintable(name):
        return "a column's name has no control characters"
    return f"names that begin with {RESERVED} are taken" if name.startswith(RESERVED) else ""


def unprintable(text: str) -> bool:
    """True when a name holds what nobody can read, or what cannot be stored."""
    return any(ord(one) < 32 or ord(one) == 127 or 0xD800 <= ord(one) <= 0xDFFF for one in text)


def checked(kind: ColumnType, value: Any, most_bytes: int) -> Any:
    """Returns `value` as a cell of the type holds it, None for no value; raises BadValue."""
    if value is None or value == "":
        return None
    match kind:
        case ColumnType.TEXT:
            found: Any = _text(value)
        case ColumnType.NUMBER:
            found = _number(value)
        case ColumnType.JSON:
            found = _document(value)
        case ColumnType.MESSAGES:
            found = _messages(value)
    if _size(found) > most_bytes:
        raise BadValue(f"a cell may have {most_bytes} bytes")
    return found


def read(kind: ColumnType, text: str, most_bytes: int) -> Any:
    """Returns the cell that `text` spells, as CSV files and forms do; raises BadValue."""
    if text == "" or (kind is not ColumnType.TEXT and not text.strip()):
        return None
    if kind is ColumnType.TEXT:
        return checked(kind, text, most_bytes)
    if kind is ColumnType.NUMBER:
        return _number_of(text.strip())
    if len(text) > most_bytes:
        raise BadValue(f"a cell may have {most_bytes} bytes")
    return checked(kind, parsed(text), most_bytes)


def written(kind: ColumnType, value: Any) -> str:
    """Returns the text that `read` reads as `value`."""
    if value is None:
        return ""
    if kind is ColumnType.TEXT:
        return str(value)
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def parsed(text: str | bytes) -> Any:
    """Returns the JSON value that `text` is; raises BadValue."""
    try:
        return json.loads(text, parse_constant=_no_number, parse_int=_whole)
    except BadValue:
        raise
    except (ValueError, RecursionError):
        raise BadValue("the cell is not valid JSON") from None


def _whole(digits: str) -> int | float:
    """A whole number; one that 64 bits do not hold is a double."""
    if len(digits) > 20:
        return float(digits)
    number = int(digits)
    return number if -_INT64 <= number < _INT64 else float(number)


def _no_number(name: str) -> Any:
    raise BadValue(f"{name} is not a number that can be stored")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise BadValue("the cell has to be a text")
    return _storable(value)


def _storable(text: str) -> str:
    if not is_storable(text):
        raise BadValue("the text holds a character that cannot be stored")
    return text


def _number(value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadValue("the cell has to be a number")
    if isinstance(value, float) and not math.isfinite(value):
        raise BadValue("the cell has to be a finite number")
    if isinstance(value, int):
        if abs(value) > EXACT:
            raise BadValue("a whole number beyond 2^53 would not stay exact; make the column a text")
        return value
    return int(value) if value.is_integer() and abs(value) <= EXACT else value


def _number_of(text: str) -> int | float:
    if not _NUMBER.fullmatch(text):
        raise BadValue("the cell has to be a number")
    digits = text.lstrip("+-").lstrip("0")
    if digits.isdigit():
        number = int(digits) if len(digits) < 20 else EXACT + 1
        return _number(-number if text[0] == "-" else number)
    return _number(float(text))


def _document(value: Any) -> Any:
    try:
        for one in values(value, _DEEPEST):
            _leaf(one)
    except TooDeep:
        raise BadValue(f"JSON may be {_DEEPEST} levels deep") from None
    return value


def _leaf(value: Any) -> None:
    if isinstance(value, str):
        _storable(value)
    elif isinstance(value, int) and not -_INT64 <= value < _INT64:
        raise BadValue("a whole number does not fit into 64 bits")
    elif isinstance(value, float) and not math.isfinite(value):
        raise BadValue("JSON holds a number that is not finite")


def _messages(value: Any) -> Any:
    if not isinstance(value, list) or not all(map(is_message, value)):
        raise BadValue('messages are a list of {"role": ..., "content": ...}')
    return _document(value)


def is_message(value: Any) -> bool:
    """True for a chat message: a role, and a content (text, or a list of parts) or calls of tools."""
    if not isinstance(value, dict) or not isinstance(value.get("role"), str) or not value["role"]:
        return False
    content = value.get("content")
    if content is None:
        return "content" in value or isinstance(value.get("tool_calls"), list)
    return isinstance(content, str | list)


def _size(value: Any) -> int:
    if isinstance(value, str):
        return len(value) if value.isascii() else len(value.encode())
    if isinstance(value, int | float):
        return 0
    return len(json.dumps(value, ensure_ascii=False).encode())
