"""Which type a column has, found out while its values pass by: the narrowest one that all of them fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from arcane.datasets.columns import BadValue, ColumnType, checked, read

_NARROWEST = (ColumnType.NUMBER, ColumnType.MESSAGES, ColumnType.JSON)
_LONGEST_NUMBER = 64


class Inference:
    """Watches the values of one column."""

    def __init__(self, *, as_text: bool, cell_bytes_max: int) -> None:
        self._fits: Callable[[ColumnType, Any], bool] = self._spelled if as_text else self._typed
        self._left = list(_NARROWEST) if as_text else [ColumnType.TEXT, *_NARROWEST]
        self._otherwise = ColumnType.TEXT if as_text else ColumnType.JSON
        self._most = cell_bytes_max
        self._seen = False

    def see(self, value: Any) -> None:
        """The value is one of the column's; an empty one says nothing."""
        if value is None or value == "":
            return
        self._seen = True
        if self._left:
            self._left = [kind for kind in self._left if self._fits(kind, value)]

    @property
    def found(self) -> ColumnType:
        """The type that all values fit."""
        return self._left[0] if self._left and self._seen else self._otherwise if self._seen else ColumnType.TEXT

    def _typed(self, kind: ColumnType, value: Any) -> bool:
        try:
            checked(kind, value, self._most)
        except BadValue:
            return False
        return kind is not ColumnType.MESSAGES or bool(value)

    def _spelled(self, kind: ColumnType, text: str) -> bool:
        """Numbers that would be spelled differently (007, +1) and words like null are texts."""
        if kind is ColumnType.NUMBER:
            digits = text.lstrip("-")
            plain = len(text) <= _LONGEST_NUMBER and digits[:1].isdigit() and not text.startswith("--")
            if not plain or (digits[0] == "0" and digits[1:2].isdigit()):
                return False
        elif text.lstrip()[:1] not in ("{", "["):
            return False
        try:
            value = read(kind, text, self._most)
        except BadValue:
            return False
        return kind is not ColumnType.MESSAGES or bool(value)
