"""Texts in CSV that a spreadsheet would run as formulas: made harmless in a way that an import takes back."""

from __future__ import annotations

import re

_FORMULA = r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"
_NEEDS_GUARD = re.compile(f"'*{_FORMULA}")
_GUARDED = re.compile(f"'+{_FORMULA}")


def guarded(text: str) -> str:
    """Returns `text` with an apostrophe before it where a spreadsheet would take it for a formula."""
    return f"'{text}" if _NEEDS_GUARD.match(text) else text


def unguarded(text: str) -> str:
    """Returns what `guarded` was given."""
    return text[1:] if _GUARDED.match(text) else text
