"""Messages and tool calls as they come: from traces, from OpenAI's form, from RAGAS's, all read as one.

A message has a role (`role`, or RAGAS's `type`), a text (`text` or `content`, also in parts) and tool calls; a call has
a name and arguments (`arguments`, as JSON text or object, or RAGAS's `args`), in a `function` of its own or not.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from worker.scoring.errors import UnreadableInput

MOST_MESSAGES = 2_000
_ROLES = {"human": "user", "ai": "assistant", "model": "assistant", "function": "tool", "developer": "system"}


@dataclass(frozen=True, slots=True)
class Call:
    """A tool that was called, or should have been."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation."""

    role: str
    text: str
    calls: tuple[Call, ...] = ()


def messages_of(name: str, document: Any) -> tuple[Message, ...]:
    """Returns the messages that the input `name` holds; raises UnreadableInput."""
    if isinstance(document, Mapping):
        document = document.get("messages")
    if not isinstance(document, list | tuple):
        raise UnreadableInput(f"the input `{name}` is to be a list of messages")
    if len(document) > MOST_MESSAGES:
        raise UnreadableInput(f"the input `{name}` has more than {MOST_MESSAGES} messages")
    return tuple(_message(name, one) for one in document)


def calls_of(name: str, document: Any) -> tuple[Call, ...]:
    """Returns the tool calls that the input `name` holds; raises UnreadableInput."""
    if not isinstance(document, list | tuple):
        raise UnreadableInput(f"the input `{name}` is to be a list of tool calls")
    return tuple(_call(name, one) for one in document)


def calls_made(messages: tuple[Message, ...]) -> tuple[Call, ...]:
    """Returns the tool calls of the assistant, in order."""
    return tuple(call for message in messages if message.role == "assistant" for call in message.calls)


def transcript(messages: tuple[Message, ...]) -> list[dict[str, Any]]:
    """Returns the conversation as a model is to read it."""
    return [
        {"role": one.role, "text": one.text}
        | ({"tool_calls": [{"name": c.name, "arguments": dict(c.arguments)} for c in one.calls]} if one.calls else {})
        for one in messages
    ]


def _message(name: str, document: Any) -> Message:
    if not isinstance(document, Mapping):
        raise UnreadableInput(f"a message of the input `{name}` is not an object")
    role = str(document.get("role") or document.get("type") or "").lower()
    if not role:
        raise UnreadableInput(f"a message of the input `{name}` has no role")
    text = document.get("text", document.get("content"))
    calls = document.get("tool_calls") or ()
    return Message(_ROLES.get(role, role), _text(text), calls_of(name, calls))


def _text(content: Any) -> str:
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(_text(part.get("text") if isinstance(part, Mapping) else part) for part in content)
    return json.dumps(content, ensure_ascii=False, default=str)


def _call(name: str, document: Any) -> Call:
    if not isinstance(document, Mapping):
        raise UnreadableInput(f"a tool call of the input `{name}` is not an object")
    inner = document.get("function")
    source = inner if isinstance(inner, Mapping) else document
    called = source.get("name")
    if not isinstance(called, str) or not called:
        raise UnreadableInput(f"a tool call of the input `{name}` has no name")
    arguments = source.get("arguments", source.get("args"))
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments) if arguments.strip() else {}
        except (ValueError, RecursionError):
            raise UnreadableInput(f"the arguments of a tool call of the input `{name}` are not JSON") from None
    if arguments is None:
        arguments = {}
    if not isinstance(arguments, Mapping):
        raise UnreadableInput(f"the arguments of a tool call of the input `{name}` are not an object")
    return Call(called, arguments)
