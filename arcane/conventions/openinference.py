"""OpenInference (Arize Phoenix): kind in `openinference.span.kind`, messages flattened under `llm.*_messages.N`.

https://github.com/Arize-ai/openinference/tree/main/python/openinference-semantic-conventions
"""

from __future__ import annotations

from types import MappingProxyType

from arcane.conventions.dialect import Dialect, TokenKeys
from arcane.conventions.indexed import unflatten
from arcane.conventions.messages import (
    ABSENT,
    Exchange,
    Message,
    Part,
    Role,
    Text,
    messages_from,
    tool_exchange,
)
from arcane.conventions.otel_genai import document_from
from arcane.conventions.read import mapping, text
from arcane.conventions.view import Kind
from arcane.model.span import Span

_KINDS = {
    "LLM": Kind.LLM,
    "EMBEDDING": Kind.EMBEDDING,
    "CHAIN": Kind.CHAIN,
    "RETRIEVER": Kind.RETRIEVER,
    "RERANKER": Kind.RERANKER,
    "TOOL": Kind.TOOL,
    "AGENT": Kind.AGENT,
    "GUARDRAIL": Kind.GUARDRAIL,
    "EVALUATOR": Kind.EVALUATOR,
    "PROMPT": Kind.PROMPT,
}
_FIRST_TOKEN = "First Token Stream Event"  # noqa: S105 - the name of an event
_RESULT_KEYS = ("output.value", "gen_ai.tool.call.result")
_TOOL_KEYS = ("tool.parameters", "input.value")


def _kind(span: Span) -> Kind | None:
    word = span.attributes.get("openinference.span.kind")
    return _KINDS.get(word.upper()) if isinstance(word, str) else None


def _fallback_kind(span: Span) -> Kind | None:
    return Kind.TOOL if "tool.name" in span.attributes else None


def _first_token(span: Span) -> int | None:
    for event in span.events:
        if event.name == _FIRST_TOKEN and event.time >= span.start:
            return event.time - span.start
    return None


def _messages(span: Span) -> Exchange | None:
    attributes = span.attributes
    before = messages_from(unflatten(attributes, "llm.input_messages."), Role.USER)
    after = messages_from(unflatten(attributes, "llm.output_messages."), Role.ASSISTANT)
    if not before:
        before = _prompts(unflatten(attributes, "llm.prompts."), "prompt", Role.USER)
    if not after:
        after = _prompts(unflatten(attributes, "llm.choices."), "completion", Role.ASSISTANT)
    return Exchange(before, after) if before or after else None


def _prompts(rows: list[object], key: str, role: Role) -> tuple[Message, ...]:
    found = []
    for row in rows:
        words = mapping(mapping(row).get(key)).get("text")
        if isinstance(words, str):
            found.append(Message(role, (Text(words),)))
    return tuple(found)


def _content(span: Span) -> Exchange | None:
    attributes = span.attributes
    if _kind(span) is Kind.TOOL or "tool.parameters" in attributes:
        return _tool(span)
    for prefix, key in (("retrieval.documents.", "input.value"), ("reranker.output_documents.", "reranker.query")):
        rows = [mapping(mapping(row).get("document")) for row in unflatten(attributes, prefix)]
        if rows:
            query = text(attributes, (key,))
            asked = () if query is None else (Message(Role.USER, (Text(query),)),)
            documents: tuple[Part, ...] = tuple(document_from(row) for row in rows)
            return Exchange(asked, (Message(Role.TOOL, documents),))
    texts = [
        mapping(mapping(row).get("embedding")).get("text") for row in unflatten(attributes, "embedding.embeddings.")
    ]
    words: tuple[Part, ...] = tuple(Text(item) for item in texts if isinstance(item, str))
    if words:
        return Exchange((Message(Role.USER, words),))
    return _raw(span)


def _tool(span: Span) -> Exchange | None:
    attributes = span.attributes
    name = text(attributes, ("tool.name",)) or span.name
    identity = text(attributes, ("tool.id", "tool_call.id")) or ""
    arguments = next((attributes[key] for key in _TOOL_KEYS if key in attributes), None)
    result = next((attributes[key] for key in _RESULT_KEYS if key in attributes), ABSENT)
    if arguments is None and result is ABSENT:
        return None
    return tool_exchange(name, arguments, result, identity)


def _raw(span: Span) -> Exchange | None:
    """`input.value` and `output.value`: only where nothing structured stands, they repeat it as text."""
    before = messages_from(span.attributes.get("input.value"), Role.USER)
    after = messages_from(span.attributes.get("output.value"), Role.ASSISTANT)
    return Exchange(before, after) if before or after else None


DIALECT = Dialect(
    name="openinference",
    markers=frozenset(
        {
            "openinference.span.kind",
            "llm.model_name",
            "llm.token_count.prompt",
            "llm.token_count.completion",
            "llm.token_count.total",
            "input.value",
            "output.value",
            "tool.name",
            "tool.parameters",
            "embedding.model_name",
            "reranker.model_name",
            "llm.input_messages.0.message.role",
        }
    ),
    words=MappingProxyType({"openinference.span.kind": _KINDS}),
    fields=MappingProxyType(
        {
            # A gateway that translates dialects leaves the name the caller used in gen_ai.request.model.
            "request_model": (
                "gen_ai.request.model",
                "llm.request.model_name",
                "llm.model_name",
                "embedding.model_name",
                "reranker.model_name",
            ),
            "response_model": ("llm.response.model_name", "llm.response.model"),
            "provider": ("llm.provider", "llm.system"),
            "agent": ("agent.name",),
            "tool": ("tool.name",),
            "tool_call_id": ("tool.id",),
            "session_id": ("session.id",),
            "user_id": ("user.id", "session.user_id"),
        }
    ),
    tokens=TokenKeys(
        input=("llm.token_count.prompt",),
        output=("llm.token_count.completion",),
        total=("llm.token_count.total",),
        cached_input=("llm.token_count.prompt_details.cache_read", "llm.token_count.prompt_details.cache_input"),
        cache_creation=("llm.token_count.prompt_details.cache_write",),
        cache_creation_1h=("llm.token_count.prompt_details.cache_write_1h",),
        reasoning=("llm.token_count.completion_details.reasoning",),
    ),
    cost=("llm.cost.total",),
    cost_parts=("llm.cost.prompt", "llm.cost.completion"),
    finish_reasons=("llm.finish_reason",),
    kind=_kind,
    fallback_kind=_fallback_kind,
    first_token=_first_token,
    messages=_messages,
    content=_content,
)
