"""What a version is to say, before it is one: its checks, its digest, and how it is stored."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import msgspec

from arcane.kit.nesting import TooDeep, is_storable, values
from arcane.messaging.generation import ChatMessage, PromptSpec, Role, TemplateFormat
from arcane.prompting.errors import TemplateError
from arcane.prompting.render import variables
from arcane.prompts.jsonschema import faults
from arcane.prompts.problems import FieldError, InvalidPrompt
from arcane.settings import PromptSettings

_TOOL_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_CHOICES: Final = frozenset({"auto", "none", "required"})
_DEEPEST = 40


class PromptKind(StrEnum):
    """Whether a version is a conversation or one text; a text is run as one message of the user."""

    CHAT = "chat"
    TEXT = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionDraft:
    """A version that is not stored, or not yet."""

    spec: PromptSpec
    model_configuration_id: UUID
    kind: PromptKind = PromptKind.CHAT
    description: str = ""

    @property
    def digest(self) -> bytes:
        """The same for two drafts that say and do the same; the description does not count."""
        said = (self.kind, msgspec.to_builtins(self.spec), str(self.model_configuration_id))
        return hashlib.sha256(msgspec.json.encode(said, order="deterministic")).digest()


def text_prompt(text: str, form: TemplateFormat) -> PromptSpec:
    """Returns the prompt of one text."""
    return PromptSpec(messages=(ChatMessage(role=Role.USER, text=text),), format=form)


def stored(spec: PromptSpec) -> dict[str, Any]:
    """Returns the prompt as JSON."""
    document: dict[str, Any] = msgspec.to_builtins(spec)
    return document


def read(document: Mapping[str, Any]) -> PromptSpec:
    """Returns the prompt that was stored."""
    return msgspec.convert(document, PromptSpec)


def check(draft: VersionDraft, settings: PromptSettings, pointer: str = "#") -> None:
    """Raises InvalidPrompt, with all that is wrong, for a draft that could not run."""
    errors = [
        FieldError(pointer + where, detail)
        for part in (_messages(draft, settings), _template(draft.spec), _tools(draft.spec), _answer(draft.spec))
        for where, detail in part
    ]
    if not errors:
        document = msgspec.json.encode(draft.spec)
        if len(document) > settings.version_bytes:
            errors.append(FieldError(pointer, f"a version has at most {settings.version_bytes} bytes"))
        elif not _storable(stored(draft.spec)):
            errors.append(FieldError(pointer, "holds a character that cannot be stored, or is nested too deeply"))
    if errors:
        raise InvalidPrompt(errors)


Faults = Iterator[tuple[str, str]]


def _messages(draft: VersionDraft, settings: PromptSettings) -> Faults:
    messages = draft.spec.messages
    if not messages:
        yield "/messages", "a prompt says something: one message at least"
    if len(messages) > settings.messages:
        yield "/messages", f"a prompt has at most {settings.messages} messages"
    if draft.kind is PromptKind.TEXT and [one.role for one in messages] != [Role.USER]:
        yield "/messages", "a text is one message of the user"
    for index, message in enumerate(messages):
        if message.role is Role.TOOL and not message.tool_call_id:
            yield f"/messages/{index}/tool_call_id", "a tool's answer names the call that it answers"
        if message.tool_calls and message.role is not Role.ASSISTANT:
            yield f"/messages/{index}/tool_calls", "only the assistant calls tools"
        if not message.text.strip() and not message.tool_calls and message.role is not Role.TOOL:
            yield f"/messages/{index}/text", "the message is empty"


def _template(spec: PromptSpec) -> Faults:
    try:
        variables(spec)
    except TemplateError as error:
        yield f"/messages/{error.message or 0}/text", str(error.told())


def _tools(spec: PromptSpec) -> Faults:
    names = [tool.name for tool in spec.tools]
    if len(names) > 128:
        yield "/tools", "a prompt has at most 128 tools"
    for index, tool in enumerate(spec.tools):
        if not _TOOL_NAME.fullmatch(tool.name):
            yield f"/tools/{index}/name", "has to be 1 to 64 letters, digits, _ and -"
        elif tool.name in names[:index]:
            yield f"/tools/{index}/name", f"another tool is named {tool.name}"
        if tool.parameters:
            yield from faults(tool.parameters, f"/tools/{index}/parameters")
    if spec.tool_choice not in _CHOICES and spec.tool_choice not in names:
        yield "/tool_choice", "has to be auto, none, required, or the name of a tool"
    if spec.tool_choice == "required" and not names:
        yield "/tool_choice", "there is no tool to be called"


def _answer(spec: PromptSpec) -> Faults:
    if spec.response_schema is not None:
        yield from faults(spec.response_schema, "/response_schema")
        if spec.response_schema.get("type", "object") != "object":
            yield "/response_schema/type", "providers take answers that are objects"


def _storable(document: object) -> bool:
    try:
        return all(is_storable(one) for one in values(document, _DEEPEST) if isinstance(one, str))
    except TooDeep:
        return False
