"""What a row gives a scorer, read as what the scorer takes it for. Sizes have limits; errors name the variable."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from arcane.messaging.scoring import ScorerInput
from worker.scoring.conversation import Call, Message, calls_of, messages_of
from worker.scoring.errors import MissingInput, UnreadableInput

MOST_CHARACTERS = 1_000_000
"""Longest text of one input."""
MOST_TEXTS = 1_000
"""Longest list of texts."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """The inputs of one row by variable name."""

    values: Mapping[str, Any]

    def has(self, name: str) -> bool:
        """True when there is something under `name`."""
        return self.values.get(name) is not None

    def require(self, declared: Sequence[ScorerInput]) -> None:
        """Returns when every required input is there; raises MissingInput naming the first that is not."""
        for one in declared:
            if one.required:
                self._value(one.name)

    def text(self, name: str) -> str:
        """Returns a text, which may be empty; what is no text is written as JSON."""
        return _bounded(name, _as_text(self._value(name)))

    def filled_text(self, name: str) -> str:
        """Returns a text that says something; raises MissingInput for an empty one."""
        text = self.text(name)
        if not text.strip():
            raise MissingInput(f"the input `{name}` is empty")
        return text

    def texts(self, name: str) -> list[str]:
        """Returns a list of texts: a list, a JSON text of one, or a lone text."""
        value = self._value(name)
        if isinstance(value, str):
            value = _list_in(value)
        if not isinstance(value, list | tuple):
            raise UnreadableInput(f"the input `{name}` is to be a list of texts")
        if len(value) > MOST_TEXTS:
            raise UnreadableInput(f"the input `{name}` has more than {MOST_TEXTS} texts")
        texts = [_as_text(item) for item in value]
        _bounded(name, "".join(texts))
        return texts

    def filled_texts(self, name: str) -> list[str]:
        """Returns a list with at least one text; raises MissingInput for an empty one."""
        texts = self.texts(name)
        if not texts:
            raise MissingInput(f"the input `{name}` is an empty list")
        return texts

    def number(self, name: str) -> float:
        """Returns a finite number, also when it stands in a text."""
        value = self._value(name)
        try:
            number = float("not" if isinstance(value, str) and "_" in value else value)
        except (TypeError, ValueError, OverflowError):
            raise UnreadableInput(f"the input `{name}` is not a number") from None
        if not math.isfinite(number):
            raise UnreadableInput(f"the input `{name}` is not a finite number")
        return number

    def document(self, name: str) -> Any:
        """Returns JSON: a text is read as such."""
        value = self._value(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(_bounded(name, value))
        except (ValueError, RecursionError):
            raise UnreadableInput(f"the input `{name}` is not JSON") from None

    def messages(self, name: str) -> tuple[Message, ...]:
        """Returns the messages of a conversation."""
        return messages_of(name, self.document(name))

    def calls(self, name: str) -> tuple[Call, ...]:
        """Returns a list of tool calls."""
        return calls_of(name, self.document(name))

    def _value(self, name: str) -> Any:
        value = self.values.get(name)
        if value is None:
            raise MissingInput(f"the input `{name}` is missing: choose where it comes from")
        return value


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _list_in(text: str) -> list[Any]:
    if text.lstrip().startswith("["):
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            return [text]
        return found if isinstance(found, list) else [text]
    return [text]


def _bounded(name: str, text: str) -> str:
    if len(text) > MOST_CHARACTERS:
        raise UnreadableInput(f"the input `{name}` is longer than {MOST_CHARACTERS} characters")
    return text
