"""What is different between two versions: messages word by word, tools and parameters one by one. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Any, Final

import msgspec

from arcane.messaging.generation import ChatMessage
from arcane.prompts.views import VersionView

_WORD = re.compile(r"\s+|\w+|[^\w\s]")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_MOST: Final = 3_000
"""Words of a message that are held against each other; longer ones are compared by lines."""


class Change(StrEnum):
    """What happened to a part."""

    SAME = "same"
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text: in both, only in the newer one (added) or only in the older one (removed)."""

    change: Change
    text: str


@dataclass(frozen=True, slots=True)
class MessageDifference:
    """One message; a role that changed is a message removed and one added."""

    change: Change
    role: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class FieldDifference:
    """A parameter, tool or other setting: its value as JSON, before and after; None is not there."""

    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Difference:
    """What it takes to get from one version to another."""

    messages: tuple[MessageDifference, ...]
    fields: tuple[FieldDifference, ...]

    @property
    def empty(self) -> bool:
        """True when both say and do the same."""
        return not self.fields and all(one.change is Change.SAME for one in self.messages)


def compared(before: VersionView, after: VersionView) -> Difference:
    """Returns the difference. It takes long for long texts: call it in a thread."""
    fields = [*_fields(_settings(before), _settings(after))]
    return Difference(tuple(_messages(before.spec.messages, after.spec.messages)), tuple(fields))


def pieces(before: str, after: str) -> tuple[Piece, ...]:
    """Returns both texts woven together, by words, or by lines where there are too many of them."""
    old, new = _WORD.findall(before), _WORD.findall(after)
    if max(len(old), len(new)) > _MOST:
        old, new = _LINE.findall(before), _LINE.findall(after)
    if max(len(old), len(new)) > _MOST:
        old, new = [before], [after]
    woven: list[Piece] = []
    for change, begin, end, start, stop in SequenceMatcher(None, old, new).get_opcodes():
        if change == "equal":
            woven.append(Piece(Change.SAME, "".join(old[begin:end])))
            continue
        if begin < end:
            woven.append(Piece(Change.REMOVED, "".join(old[begin:end])))
        if start < stop:
            woven.append(Piece(Change.ADDED, "".join(new[start:stop])))
    return tuple(woven)


def _messages(before: Sequence[ChatMessage], after: Sequence[ChatMessage]) -> Iterator[MessageDifference]:
    """Yields the messages of both in their order; those between two that stayed are paired as they stand."""
    old, new = [_said(one) for one in before], [_said(one) for one in after]
    for _, begin, end, start, stop in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        both = min(end - begin, stop - start)
        for offset in range(both):
            yield from _pair(old[begin + offset], new[start + offset])
        yield from (_whole(Change.REMOVED, one) for one in old[begin + both : end])
        yield from (_whole(Change.ADDED, one) for one in new[start + both : stop])


def _pair(old: tuple[str, str], new: tuple[str, str]) -> Iterator[MessageDifference]:
    if old == new:
        yield MessageDifference(Change.SAME, old[0], (Piece(Change.SAME, old[1]),))
    elif old[0] == new[0]:
        yield MessageDifference(Change.CHANGED, old[0], pieces(old[1], new[1]))
    else:
        yield _whole(Change.REMOVED, old)
        yield _whole(Change.ADDED, new)


def _whole(change: Change, message: tuple[str, str]) -> MessageDifference:
    return MessageDifference(change, message[0], (Piece(change, message[1]),))


def _said(message: ChatMessage) -> tuple[str, str]:
    calls = [f"{call.name}({call.arguments})" for call in message.tool_calls]
    answers = [f"[{message.tool_name or message.tool_call_id}]"] if message.tool_call_id else []
    return message.role.value, "\n".join([*answers, *([message.text] if message.text else []), *calls])


def _settings(version: VersionView) -> dict[str, Any]:
    spec = version.spec
    tools = {f"tools.{tool.name}": msgspec.to_builtins(tool) for tool in spec.tools}
    return {
        "format": spec.format.value,
        "kind": version.kind.value,
        "model_configuration_id": str(version.model_configuration_id),
        **({} if spec.response_schema is None else {"response_schema": spec.response_schema}),
        **{f"parameters.{name}": value for name, value in sorted(spec.parameters.items())},
        **tools,
        "tool_choice": spec.tool_choice,
    }


def _fields(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[FieldDifference]:
    for name in dict.fromkeys([*before, *after]):
        old, new = (_json(one[name]) if name in one else None for one in (before, after))
        if old != new:
            yield FieldDifference(name, old, new)


def _json(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True)
