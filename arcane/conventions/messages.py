"""Messages and their parts, and one tolerant reader for every JSON shape they come in.

Shapes: OTel GenAI parts, OpenAI chat, Anthropic blocks, Vercel AI SDK parts, LangChain, Gemini.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import TypeAlias

import msgspec

from arcane.conventions.read import mapping, parsed


class Role(StrEnum):
    """Who speaks. Other words of the emitters are mapped to these."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


class Text(msgspec.Struct, frozen=True, tag_field="type", tag="text", gc=False):
    """Words."""

    text: str


class Reasoning(msgspec.Struct, frozen=True, tag_field="type", tag="reasoning", gc=False):
    """Words a model thought before it answered."""

    text: str


class ToolCall(msgspec.Struct, frozen=True, tag_field="type", tag="tool_call", gc=False):
    """A model asks for a tool; `arguments` is a JSON value where it is one, else the text."""

    name: str
    arguments: object = None
    id: str = ""


class ToolResult(msgspec.Struct, frozen=True, tag_field="type", tag="tool_result", gc=False):
    """What a tool answered to the call `id`."""

    result: object = None
    id: str = ""
    name: str = ""


class Blob(msgspec.Struct, frozen=True, tag_field="type", tag="blob", gc=False):
    """Content in place (base64), such as an image."""

    content: str
    mime_type: str = ""


class Uri(msgspec.Struct, frozen=True, tag_field="type", tag="uri", gc=False):
    """Content elsewhere: an address or a file id."""

    uri: str
    mime_type: str = ""


class Document(msgspec.Struct, frozen=True, tag_field="type", tag="document", gc=False):
    """A retrieved document."""

    content: str
    id: str = ""
    score: float | None = None


class Other(msgspec.Struct, frozen=True, tag_field="type", tag="other", gc=False):
    """A part of a shape that is not known, as it stands."""

    value: object = None


Part: TypeAlias = Text | Reasoning | ToolCall | ToolResult | Blob | Uri | Document | Other


class Message(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One message of a conversation."""

    role: Role
    parts: tuple[Part, ...] = ()
    name: str = ""
    finish_reason: str = ""


class Exchange(msgspec.Struct, frozen=True, gc=False):
    """What went into a span and what came out of it."""

    input: tuple[Message, ...] = ()
    output: tuple[Message, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.input or self.output)


ABSENT = object()  # tells a tool that answered null from one that did not answer


def tool_exchange(name: str, arguments: object, result: object, identity: str = "") -> Exchange:
    """Returns a tool's call and, unless `result` is ABSENT, its answer."""
    call = Message(Role.ASSISTANT, (ToolCall(name, parsed(arguments), identity),))
    if result is ABSENT:
        return Exchange((call,))
    return Exchange((call,), (Message(Role.TOOL, (ToolResult(parsed(result), identity, name),)),))


_ROLES = {
    "system": Role.SYSTEM,
    "developer": Role.SYSTEM,
    "user": Role.USER,
    "human": Role.USER,
    "assistant": Role.ASSISTANT,
    "ai": Role.ASSISTANT,
    "model": Role.ASSISTANT,
    "tool": Role.TOOL,
    "function": Role.TOOL,
}
_TEXT_KEYS = ("content", "text", "thinking", "reasoning", "value")


def role_of(word: object, default: Role = Role.USER) -> Role:
    """Returns the role that `word` names."""
    return _ROLES.get(word.lower(), default) if isinstance(word, str) else default


def messages_from(value: object, default: Role) -> tuple[Message, ...]:
    """Returns the messages in `value`: a list of them, one, JSON of either, or plain text."""
    meant = parsed(value)
    if isinstance(meant, dict | list | str):
        value = meant  # not a number or a bool: those are text that looks like JSON
    if isinstance(value, dict):
        inner = value.get("messages", value.get("choices"))
        if isinstance(inner, list):
            value = inner
    if isinstance(value, list):
        # LangChain nests one list a prompt: [[message, message]]
        if len(value) == 1 and isinstance(value[0], list):
            value = value[0]
        return tuple(message for item in value if (message := message_from(item, default)) is not None)
    message = message_from(value, default)
    return () if message is None else (message,)


def message_from(value: object, default: Role) -> Message | None:
    """Returns the message in `value`, None where there is nothing."""
    if value is None or value == "":
        return None
    if not isinstance(value, dict):
        return Message(default, parts_from(value))
    value = _unwrapped(value)
    word = value.get("role", value.get("type"))
    role = role_of(word, default)
    parts: list[Part] = []
    for key in ("reasoning_content", "reasoning"):
        if isinstance(value.get(key), str) and value[key]:
            parts.append(Reasoning(str(value[key])))
            break
    body = value.get("parts", value.get("contents", value.get("content", value.get("text"))))
    answers = value.get("tool_call_id", value.get("toolCallId"))
    if answers is not None or (role is Role.TOOL and not isinstance(body, list)):
        parts.append(ToolResult(parsed(body), _word(answers or value.get("id")), _word(value.get("name"))))
    else:
        parts.extend(parts_from(body))
    parts.extend(_calls_of(value))
    if not parts and "role" not in value:
        parts.append(Other(value))
    finish = value.get("finish_reason", value.get("finishReason"))
    return Message(role, tuple(parts), _word(value.get("name")) if role is not Role.TOOL else "", _word(finish))


def _unwrapped(value: dict[str, object]) -> dict[str, object]:
    """Takes a message out of what OpenInference, OpenAI choices and LangChain put around it."""
    for key in ("message", "kwargs", "data"):
        inner = value.get(key)
        if isinstance(inner, dict) and ("role" in inner or "content" in inner or "contents" in inner):
            outer = {name: item for name, item in value.items() if name not in (key, "id", "lc")}
            return outer | inner
    return value


def parts_from(value: object) -> tuple[Part, ...]:
    """Returns the parts of a message's content: text, a block, or a list of blocks."""
    if value is None or value == "":
        return ()
    if isinstance(value, list):
        return tuple(part for item in value for part in parts_from(item))
    if isinstance(value, dict):
        return (part_from(value),)
    return (Text(value if isinstance(value, str) else str(value)),)


def part_from(block: dict[str, object]) -> Part:
    """Returns the part that one block is, whichever dialect it is written in."""
    inner = block.get("message_content", block.get("tool_call"))
    if isinstance(inner, dict):
        block = inner
    kind = block.get("type")
    kind = kind.replace("-", "_") if isinstance(kind, str) else ""
    if kind in ("tool_call", "tool_use", "function_call", "function") or "functionCall" in block:
        return _call_from(block)
    if kind in ("tool_call_response", "tool_result", "function_response") or "functionResponse" in block:
        return _result_from(block)
    if kind in ("reasoning", "thinking"):
        return Reasoning(_text_of(block))
    if (media := _media_of(block, kind)) is not None:
        return media
    if kind in ("text", "input_text", "output_text", "") and any(isinstance(block.get(k), str) for k in _TEXT_KEYS):
        return Text(_text_of(block))
    if "function" in block:
        return _call_from(block)
    return Other(block)


def _text_of(block: dict[str, object]) -> str:
    for key in _TEXT_KEYS:
        value = block.get(key)
        if isinstance(value, str):
            return value
    return ""


def _calls_of(value: dict[str, object]) -> Iterable[Part]:
    for key in ("tool_calls", "toolCalls"):
        calls = parsed(value.get(key))
        if isinstance(calls, list):
            return [_call_from(call) for call in calls if isinstance(call, dict)]
    call = mapping(value.get("function_call"))
    if not call and value.get("function_call_name"):
        call = {"name": value["function_call_name"], "arguments": value.get("function_call_arguments_json")}
    return [_call_from(call)] if call else ()


def _call_from(block: dict[str, object]) -> ToolCall:
    inner = block.get("tool_call")
    if isinstance(inner, dict):
        block = inner
    function = mapping(block.get("function") or block.get("functionCall"))
    name = function.get("name") or block.get("name") or block.get("toolName")
    arguments = function.get("arguments", function.get("args"))
    for key in ("arguments", "args", "input"):
        if arguments is None:
            arguments = block.get(key)
    return ToolCall(_word(name), parsed(arguments), _word(block.get("id") or block.get("toolCallId")))


def _result_from(block: dict[str, object]) -> ToolResult:
    function = mapping(block.get("functionResponse"))
    result = function.get("response")
    for key in ("response", "result", "output", "content"):
        if result is None:
            result = block.get(key)
    if isinstance(result, dict) and set(result) == {"type", "value"}:  # Vercel: {"type": "text", "value": ...}
        result = result["value"]
    answers = block.get("id") or block.get("toolCallId") or block.get("tool_use_id")
    name = function.get("name") or block.get("name") or block.get("toolName")
    return ToolResult(parsed(result), _word(answers), _word(name))


def _media_of(block: dict[str, object], kind: str) -> Part | None:
    mime = _word(block.get("mime_type") or block.get("mediaType") or block.get("media_type"))
    if kind == "uri" and isinstance(block.get("uri"), str):
        return Uri(str(block["uri"]), mime)
    if kind == "blob":
        return Blob(_word(block.get("content")) or _word(block.get("data")), mime)
    if isinstance(block.get("file_id"), str):
        return Uri(str(block["file_id"]), mime)
    source = mapping(block.get("source"))
    if isinstance(source.get("data"), str):
        return Blob(str(source["data"]), _word(source.get("media_type")))
    if isinstance(source.get("url"), str):
        return Uri(str(source["url"]), mime)
    image = block.get("image_url", block.get("image", block.get("url", block.get("data"))))
    for _ in range(2):  # OpenAI: {"image_url": {"url": ...}}, OpenInference: {"image": {"image": {"url": ...}}}
        if isinstance(image, dict):
            image = image.get("url", image.get("image"))
    if isinstance(image, str) and kind in ("image", "image_url", "input_image", "file", "audio"):
        header, comma, content = image.partition(",")
        if header.startswith("data:") and comma:
            return Blob(content, header[5:].split(";")[0] or mime)
        return Uri(image, mime) if "://" in image else Blob(image, mime)
    return None


def _word(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)
