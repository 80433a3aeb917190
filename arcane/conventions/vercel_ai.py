"""Vercel's AI SDK: `ai.streamText` and its kind wrap the requests `*.doStream`; the wrapper repeats their usage.

https://ai-sdk.dev/docs/ai-sdk-core/telemetry
"""

from __future__ import annotations

from types import MappingProxyType

from arcane.conventions.dialect import Dialect, TokenKeys
from arcane.conventions.messages import (
    ABSENT,
    Exchange,
    Message,
    Part,
    Role,
    Text,
    messages_from,
    parts_from,
    tool_exchange,
)
from arcane.conventions.read import amount, parsed, text
from arcane.conventions.view import MODEL_CALLS, Kind
from arcane.model.span import Span
from arcane.model.time import NANOS_PER_MILLISECOND

_REQUESTS = (".doGenerate", ".doStream")
_WRAPPERS = frozenset(
    {
        "ai.generateText",
        "ai.streamText",
        "ai.generateObject",
        "ai.streamObject",
        "ai.embed",
        "ai.embedMany",
        "ai.rerank",
    }
)
_USAGE = ("ai.usage.inputTokens", "ai.usage.promptTokens", "ai.usage.outputTokens", "ai.usage.completionTokens")


def _operation(span: Span) -> str:
    operation = span.attributes.get("ai.operationId")
    if not isinstance(operation, str):
        named = span.attributes.get("operation.name")
        operation = named.split(" ", 1)[0] if isinstance(named, str) and named.startswith("ai.") else ""
    return operation


def _kind(span: Span) -> Kind | None:
    operation = _operation(span)
    if operation.endswith(_REQUESTS):
        return Kind.LLM
    if operation.endswith(".doEmbed"):
        return Kind.EMBEDDING
    if operation.endswith(".doRerank"):
        return Kind.RERANKER
    if operation == "ai.toolCall":
        return Kind.TOOL
    if operation in _WRAPPERS:
        steps = span.attributes.get("ai.settings.maxSteps")
        loops = (isinstance(steps, int) and steps > 1) or "ai.prompt.tools" in span.attributes
        return Kind.AGENT if loops else Kind.CHAIN
    return None


def _is_aggregate(span: Span, kind: Kind) -> bool:
    if _operation(span) in _WRAPPERS:
        return True
    return kind not in MODEL_CALLS and any(key in span.attributes for key in _USAGE)


def _first_token(span: Span) -> int | None:
    for key in ("ai.response.msToFirstChunk", "ai.stream.msToFirstChunk"):
        milliseconds = amount(span.attributes.get(key))
        if milliseconds is not None and milliseconds < 1e12:
            return round(milliseconds * NANOS_PER_MILLISECOND)
    return None


def _messages(span: Span) -> Exchange | None:
    attributes = span.attributes
    if _kind(span) is Kind.TOOL:
        return None
    asked = attributes.get("ai.prompt.messages")
    before = messages_from(attributes.get("ai.prompt") if asked is None else asked, Role.USER)
    parts: list[Part] = []
    if words := text(attributes, ("ai.response.text", "ai.result.text")):
        parts.append(Text(words))
    for key in ("ai.response.toolCalls", "ai.result.toolCalls"):
        calls = parsed(attributes.get(key))
        if isinstance(calls, list):
            parts.extend(parts_from([{"type": "tool-call", **call} for call in calls if isinstance(call, dict)]))
            break
    if not parts and (made := text(attributes, ("ai.response.object", "ai.result.object"))):
        parts.append(Text(made))
    after = (Message(Role.ASSISTANT, tuple(parts)),) if parts else ()
    return Exchange(before, after) if before or after else None


def _content(span: Span) -> Exchange | None:
    attributes = span.attributes
    if _kind(span) is Kind.TOOL:
        name = text(attributes, ("ai.toolCall.name",)) or span.name
        identity = text(attributes, ("ai.toolCall.id",)) or ""
        result = attributes.get("ai.toolCall.result", ABSENT)
        return tool_exchange(name, attributes.get("ai.toolCall.args"), result, identity)
    values = attributes.get("ai.values", attributes.get("ai.value"))
    words = values if isinstance(values, list) else [values]
    texts: tuple[Part, ...] = tuple(Text(str(parsed(word))) for word in words if isinstance(word, str))
    return Exchange((Message(Role.USER, texts),)) if texts else None


DIALECT = Dialect(
    name="vercel_ai",
    markers=frozenset(
        {"ai.operationId", "ai.model.id", "ai.toolCall.name", "ai.prompt", "ai.prompt.messages", *_USAGE}
    ),
    fields=MappingProxyType(
        {
            "operation": ("ai.operationId",),
            "request_model": ("ai.model.id",),
            "response_model": ("ai.response.model",),
            "provider": ("ai.model.provider",),
            "agent": ("ai.telemetry.metadata.agentName", "ai.telemetry.functionId"),
            "tool": ("ai.toolCall.name",),
            "tool_call_id": ("ai.toolCall.id",),
            "session_id": ("ai.telemetry.metadata.sessionId", "ai.telemetry.metadata.threadId"),
            "user_id": ("ai.telemetry.metadata.userId",),
        }
    ),
    tokens=TokenKeys(
        input=("ai.usage.inputTokens", "ai.usage.promptTokens", "ai.usage.tokens"),
        output=("ai.usage.outputTokens", "ai.usage.completionTokens"),
        total=("ai.usage.totalTokens",),
        cached_input=("ai.usage.cachedInputTokens", "ai.usage.inputTokenDetails.cacheReadTokens"),
        cache_creation=("ai.usage.inputTokenDetails.cacheWriteTokens",),
        reasoning=("ai.usage.outputTokenDetails.reasoningTokens", "ai.usage.reasoningTokens"),
    ),
    finish_reasons=("ai.response.finishReason", "ai.finishReason"),
    kind=_kind,
    is_aggregate=_is_aggregate,
    first_token=_first_token,
    messages=_messages,
    content=_content,
)
