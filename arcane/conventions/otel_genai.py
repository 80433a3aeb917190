"""OpenTelemetry's GenAI semantic conventions, old and new names, messages on the span or as events.

https://opentelemetry.io/docs/specs/semconv/gen-ai/ . OpenLIT writes the same names with more operations.
"""

from __future__ import annotations

from types import MappingProxyType

from arcane.conventions.dialect import Dialect, TokenKeys
from arcane.conventions.messages import (
    ABSENT,
    Document,
    Exchange,
    Message,
    Role,
    Text,
    messages_from,
    role_of,
    tool_exchange,
)
from arcane.conventions.read import amount, mapping, parsed, text
from arcane.conventions.view import Kind
from arcane.model.span import Span
from arcane.model.time import NANOS_PER_SECOND
from arcane.model.values import Attributes

_OPERATIONS = {
    "chat": Kind.LLM,
    "completion": Kind.LLM,
    "text_completion": Kind.LLM,
    "generate_content": Kind.LLM,
    "generate": Kind.LLM,
    "model_request": Kind.LLM,
    "embeddings": Kind.EMBEDDING,
    "rerank": Kind.RERANKER,
    "invoke_agent": Kind.AGENT,
    "create_agent": Kind.AGENT,
    "agent_step": Kind.AGENT,
    "execute_tool": Kind.TOOL,
    "retrieval": Kind.RETRIEVER,
    "retrieve": Kind.RETRIEVER,
    "invoke_workflow": Kind.WORKFLOW,
    "workflow": Kind.WORKFLOW,
    "graph_execution": Kind.WORKFLOW,
    "execute_task": Kind.TASK,
    "memory": Kind.MEMORY,
    "evaluate": Kind.EVALUATOR,
}
_AGGREGATES = frozenset(
    {"invoke_agent", "create_agent", "agent_step", "invoke_workflow", "workflow", "graph_execution"}
)
_TOOL_EVIDENCE = (
    "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.result",
    "gen_ai.tool.name",
    "gen_ai.tool.call.id",
)
_MODEL_EVIDENCE = (
    "gen_ai.request.model",
    "gen_ai.response.model",
    "gen_ai.system",
    "gen_ai.provider.name",
    "llm.model_name",
    "llm.response.model",
    "ai.model.id",
    "traceroot.llm.model",
    "langfuse.observation.model.name",
    "elasticdash.observation.model.name",
    "mlflow.llm.model",
)
_DETAILS = "gen_ai.client.inference.operation.details"
_MESSAGE_EVENTS = frozenset(
    {"gen_ai.system.message", "gen_ai.user.message", "gen_ai.assistant.message", "gen_ai.tool.message"}
)


def _kind(span: Span) -> Kind | None:
    operation = span.attributes.get("gen_ai.operation.name")
    if not isinstance(operation, str):
        return None
    if operation.startswith("memory_"):
        return Kind.MEMORY
    return _OPERATIONS.get(operation)


def _fallback_kind(span: Span) -> Kind | None:
    attributes = span.attributes
    if any(key in attributes for key in _TOOL_EVIDENCE):
        return Kind.TOOL
    if any(key in attributes for key in _MODEL_EVIDENCE):
        return Kind.LLM
    if "gen_ai.retrieval.query.text" in attributes or "gen_ai.retrieval.documents" in attributes:
        return Kind.RETRIEVER
    return Kind.AGENT if "gen_ai.agent.name" in attributes else None


def _is_aggregate(span: Span, kind: Kind) -> bool:
    operation = span.attributes.get("gen_ai.operation.name")
    if isinstance(operation, str) and operation in _AGGREGATES:
        return True
    return span.scope.name == "gen_ai" and kind is not Kind.LLM


def _first_token(span: Span) -> int | None:
    for key in ("gen_ai.response.time_to_first_chunk", "gen_ai.server.time_to_first_token"):
        value = span.attributes.get(key)
        seconds = None if value is None else amount(value)
        if seconds is not None and seconds < 1e9:
            return round(seconds * NANOS_PER_SECOND)
    return None


def _messages(span: Span) -> Exchange | None:
    for attributes in (span.attributes, *(e.attributes for e in span.events if e.name == _DETAILS)):
        asked = _either(attributes, "gen_ai.input.messages", "gen_ai.input_messages")
        answered = _either(attributes, "gen_ai.output.messages", "gen_ai.output_messages")
        told = attributes.get("gen_ai.system_instructions")
        if asked is None and answered is None and told is None:
            continue
        before = messages_from(asked, Role.USER)
        if told is not None and not any(message.role is Role.SYSTEM for message in before):
            before = (*_instructions(told), *before)
        return Exchange(before, messages_from(answered, Role.ASSISTANT))
    return _event_messages(span)


def _either(attributes: Attributes, first: str, second: str) -> object:
    value = attributes.get(first)
    return attributes.get(second) if value is None else value


def _instructions(value: object) -> tuple[Message, ...]:
    """System instructions are a list of parts, or plain text."""
    blocks = parsed(value)
    return messages_from([{"role": "system", "parts": blocks}], Role.SYSTEM) if blocks else ()


def _event_messages(span: Span) -> Exchange | None:
    before: list[Message] = []
    after: list[Message] = []
    for event in span.events:
        attributes = event.attributes
        if event.name in _MESSAGE_EVENTS:
            body = dict(mapping(attributes.get("event.body")) or attributes)
            word = event.name.split(".")[1]
            before.extend(messages_from([{**body, "role": body.get("role", word)}], role_of(word)))
        elif event.name == "gen_ai.choice":
            body = dict(mapping(attributes.get("event.body")) or attributes)
            said = mapping(body.get("message")) or body
            after.extend(
                messages_from(
                    [{"role": "assistant", **said, "finish_reason": body.get("finish_reason")}], Role.ASSISTANT
                )
            )
        elif event.name == "gen_ai.content.prompt":
            before.extend(messages_from(attributes.get("gen_ai.prompt"), Role.USER))
        elif event.name == "gen_ai.content.completion":
            after.extend(messages_from(attributes.get("gen_ai.completion"), Role.ASSISTANT))
    return Exchange(tuple(before), tuple(after)) if before or after else None


def _content(span: Span) -> Exchange | None:
    """Tool calls and retrievals: what is not a conversation."""
    attributes = span.attributes
    if any(key in attributes for key in _TOOL_EVIDENCE[:2]):
        identity = text(attributes, ("gen_ai.tool.call.id",)) or ""
        name = text(attributes, ("gen_ai.tool.name",)) or ""
        result = attributes.get("gen_ai.tool.call.result", ABSENT)
        return tool_exchange(name, attributes.get("gen_ai.tool.call.arguments"), result, identity)
    query = text(attributes, ("gen_ai.retrieval.query.text", "gen_ai.retrieval.query"))
    rows = parsed(attributes.get("gen_ai.retrieval.documents"))
    documents = tuple(document_from(row) for row in rows if isinstance(row, dict)) if isinstance(rows, list) else ()
    if query is None and not documents:
        return None
    asked = () if query is None else (Message(Role.USER, (Text(query),)),)
    return Exchange(asked, (Message(Role.TOOL, documents),) if documents else ())


def document_from(row: dict[str, object]) -> Document:
    """Returns a retrieved document from the names that emitters use."""
    content = text(row, ("content", "text", "page_content")) or ""
    return Document(content, text(row, ("id",)) or "", amount(row.get("score")))


DIALECT = Dialect(
    name="otel_genai",
    markers=frozenset(
        {
            "gen_ai.operation.name",
            "gen_ai.system",
            "gen_ai.provider.name",
            "gen_ai.request.model",
            "gen_ai.response.model",
            "gen_ai.agent.name",
            "gen_ai.tool.name",
            "gen_ai.tool.call.id",
            "gen_ai.tool.call.arguments",
            "gen_ai.tool.call.result",
            "gen_ai.input.messages",
            "gen_ai.output.messages",
            "gen_ai.input_messages",
            "gen_ai.output_messages",
            "gen_ai.usage.input_tokens",
            "gen_ai.usage.output_tokens",
            "gen_ai.usage.prompt_tokens",
            "gen_ai.usage.completion_tokens",
            "gen_ai.retrieval.query.text",
            "gen_ai.retrieval.documents",
            "gen_ai.conversation.id",
        }
    ),
    words=MappingProxyType({"gen_ai.operation.name": _OPERATIONS}),
    fields=MappingProxyType(
        {
            "operation": ("gen_ai.operation.name",),
            "request_model": ("gen_ai.request.model",),
            "response_model": ("gen_ai.response.model",),
            "provider": ("gen_ai.provider.name", "gen_ai.system"),
            "agent": ("gen_ai.agent.name",),
            "tool": ("gen_ai.tool.name",),
            "tool_call_id": ("gen_ai.tool.call.id",),
            "conversation_id": ("gen_ai.conversation.id",),
            "session_id": ("session.id",),
            "user_id": ("user.id", "enduser.id", "gen_ai.user"),
        }
    ),
    tokens=TokenKeys(
        input=("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"),
        output=("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"),
        total=("gen_ai.usage.total_tokens",),
        cached_input=(
            "gen_ai.usage.cache_read.input_tokens",
            "gen_ai.usage.cache_read_input_tokens",
            "gen_ai.usage.input_cached_tokens",
            "gen_ai.usage.details.cache_read_tokens",
            "gen_ai.usage.cache_read_tokens",
            "gen_ai.usage.details.cache_read_input_tokens",
        ),
        cache_creation=(
            "gen_ai.usage.cache_creation.input_tokens",
            "gen_ai.usage.cache_creation_input_tokens",
            "gen_ai.usage.details.cache_write_tokens",
            "gen_ai.usage.cache_write_tokens",
            "gen_ai.usage.details.cache_creation_input_tokens",
        ),
        cache_creation_1h=(
            "gen_ai.usage.cache_creation.ephemeral_1h_input_tokens",
            "gen_ai.usage.cache_creation_ephemeral_1h_input_tokens",
        ),
        reasoning=(
            "gen_ai.usage.reasoning.output_tokens",
            "gen_ai.usage.reasoning_tokens",
            "gen_ai.usage.output_details.reasoning_tokens",
            "gen_ai.usage.details.reasoning_tokens",
        ),
    ),
    cost=("gen_ai.usage.cost", "gen_ai.usage.cost.total"),
    finish_reasons=("gen_ai.response.finish_reasons",),
    kind=_kind,
    fallback_kind=_fallback_kind,
    is_aggregate=_is_aggregate,
    first_token=_first_token,
    messages=_messages,
    content=_content,
)
