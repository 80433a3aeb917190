"""OpenLLMetry (Traceloop): `traceloop.*` around the app, `gen_ai.prompt.N` and `gen_ai.completion.N` on model calls.

https://github.com/traceloop/openllmetry
"""

from __future__ import annotations

from types import MappingProxyType

from arcane.conventions.dialect import Dialect, TokenKeys
from arcane.conventions.indexed import unflatten
from arcane.conventions.messages import ABSENT, Exchange, Role, messages_from, tool_exchange
from arcane.conventions.read import mapping, text
from arcane.conventions.view import Kind
from arcane.model.span import Span

_KINDS = {"agent": Kind.AGENT, "tool": Kind.TOOL}
_AROUND = {"workflow": Kind.WORKFLOW, "task": Kind.TASK}
_AROUND_OTHERS = frozenset({Kind.WORKFLOW, Kind.AGENT, Kind.TASK})
_REQUESTS = {
    "chat": Kind.LLM,
    "completion": Kind.LLM,
    "generation": Kind.LLM,
    "embedding": Kind.EMBEDDING,
    "rerank": Kind.RERANKER,
}


def _kind(span: Span) -> Kind | None:
    attributes = span.attributes
    request = attributes.get("llm.request.type")
    if isinstance(request, str) and request in _REQUESTS:
        return _REQUESTS[request]
    word = attributes.get("traceloop.span.kind")
    return _KINDS.get(word) if isinstance(word, str) else None


def _fallback_kind(span: Span) -> Kind | None:
    """Workflow and task are weak words: some versions leave them on the model call inside."""
    attributes = span.attributes
    word = attributes.get("traceloop.span.kind")
    if not isinstance(word, str) or "gen_ai.system" in attributes or "gen_ai.request.model" in attributes:
        return None
    return _AROUND.get(word)


def _is_aggregate(span: Span, kind: Kind) -> bool:
    return kind in _AROUND_OTHERS and "traceloop.span.kind" in span.attributes


def _messages(span: Span) -> Exchange | None:
    attributes = span.attributes
    before = messages_from(unflatten(attributes, "gen_ai.prompt."), Role.USER)
    after = messages_from(unflatten(attributes, "gen_ai.completion."), Role.ASSISTANT)
    return Exchange(before, after) if before or after else None


def _content(span: Span) -> Exchange | None:
    attributes = span.attributes
    given, came = attributes.get("traceloop.entity.input"), attributes.get("traceloop.entity.output", ABSENT)
    if given is None and came is ABSENT:
        return None
    if attributes.get("traceloop.span.kind") == "tool":
        name = text(attributes, ("traceloop.entity.name",)) or span.name
        return tool_exchange(name, mapping(given).get("kwargs") or given, came)
    outputs = None if came is ABSENT else mapping(came).get("outputs", came)
    return Exchange(messages_from(given, Role.USER), messages_from(outputs, Role.ASSISTANT))


DIALECT = Dialect(
    name="openllmetry",
    markers=frozenset(
        {
            "traceloop.span.kind",
            "traceloop.workflow.name",
            "traceloop.entity.name",
            "llm.request.type",
            "gen_ai.prompt.0.content",
            "gen_ai.prompt.0.role",
            "gen_ai.completion.0.content",
        }
    ),
    words=MappingProxyType({"llm.request.type": _REQUESTS, "traceloop.span.kind": _KINDS | _AROUND}),
    fields=MappingProxyType(
        {
            "operation": ("llm.request.type",),
            "session_id": (
                "traceloop.association.properties.session_id",
                "traceloop.association.properties.thread_id",
                "traceloop.association.properties.conversation_id",
                "traceloop.association.properties.chat_id",
            ),
            "user_id": ("traceloop.association.properties.user_id", "llm.user"),
        }
    ),
    tokens=TokenKeys(total=("llm.usage.total_tokens",), reasoning=("llm.usage.reasoning_tokens",)),
    finish_reasons=("gen_ai.completion.0.finish_reason", "llm.response.finish_reason", "llm.response.stop_reason"),
    kind=_kind,
    fallback_kind=_fallback_kind,
    is_aggregate=_is_aggregate,
    messages=_messages,
    content=_content,
)
