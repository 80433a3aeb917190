"""What prompts and labels may be called, and how a version is asked for."""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import AfterValidator, StringConstraints

PRODUCTION: Final = "production"
LATEST: Final = "latest"

_NAME = re.compile(r"[\w.\- ]+")
_LABEL = re.compile(r"[a-z0-9][a-z0-9_.-]{0,47}")
_NUMBER = re.compile(r"v?(\d{1,9})")


def prompt_name(text: str) -> str:
    """Returns the name; raises ValueError."""
    if not _NAME.fullmatch(text):
        raise ValueError("a name has letters, digits, spaces and . _ -")
    if text.startswith(".") or text.endswith(".") or ".." in text:
        raise ValueError("a name neither begins nor ends with a dot, and has no two of them in a row")
    return text


def label_name(text: str) -> str:
    """Returns the label; raises ValueError. What could be a version's number, or `latest`, is none."""
    if text == LATEST:
        raise ValueError("latest is always the newest version")
    if not _LABEL.fullmatch(text) or _NUMBER.fullmatch(text):
        raise ValueError("a label has small letters, digits and . _ -, and is no number")
    return text


def number_of(reference: str) -> int | None:
    """Returns the number that `v3` or `3` names, None for what names no number."""
    found = _NUMBER.fullmatch(reference)
    return int(found[1]) if found else None


PromptName = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(prompt_name)
]
LabelName = Annotated[str, StringConstraints(max_length=48), AfterValidator(label_name)]
