"""MLflow tracing: `mlflow.spanType`, inputs and outputs as JSON, usage and cost as JSON objects."""

from __future__ import annotations

from types import MappingProxyType

from arcane.conventions.dialect import Dialect, TokenKeys
from arcane.conventions.messages import ABSENT, Exchange, Role, messages_from, tool_exchange
from arcane.conventions.read import parsed
from arcane.conventions.view import Kind
from arcane.model.span import Span

_KINDS = {
    "LLM": Kind.LLM,
    "CHAT_MODEL": Kind.LLM,
    "AGENT": Kind.AGENT,
    "TOOL": Kind.TOOL,
    "CHAIN": Kind.CHAIN,
    "RETRIEVER": Kind.RETRIEVER,
    "EMBEDDING": Kind.EMBEDDING,
    "RERANKER": Kind.RERANKER,
    "WORKFLOW": Kind.WORKFLOW,
    "TASK": Kind.TASK,
    "MEMORY": Kind.MEMORY,
    "GUARDRAIL": Kind.GUARDRAIL,
    "EVALUATOR": Kind.EVALUATOR,
}


def _kind(span: Span) -> Kind | None:
    word = parsed(span.attributes.get("mlflow.spanType"))  # a JSON string: quoted
    return _KINDS.get(word) if isinstance(word, str) else None


def _content(span: Span) -> Exchange | None:
    given, came = span.attributes.get("mlflow.spanInputs"), span.attributes.get("mlflow.spanOutputs", ABSENT)
    if _kind(span) is Kind.TOOL and (given is not None or came is not ABSENT):
        return tool_exchange(span.name, given, came)
    before = messages_from(given, Role.USER)
    after = messages_from(None if came is ABSENT else came, Role.ASSISTANT)
    return Exchange(before, after) if before or after else None


DIALECT = Dialect(
    name="mlflow",
    markers=frozenset({"mlflow.spanType", "mlflow.chat.tokenUsage", "mlflow.llm.model"}),
    fields=MappingProxyType(
        {
            "request_model": ("mlflow.llm.model",),
            "provider": ("mlflow.llm.provider",),
            "session_id": ("mlflow.trace.session",),
            "user_id": ("mlflow.trace.user",),
        }
    ),
    tokens=TokenKeys(objects=("mlflow.chat.tokenUsage",)),
    cost_objects=("mlflow.llm.cost",),
    kind=_kind,
    content=_content,
)
