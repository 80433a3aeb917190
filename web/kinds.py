"""Which colour a span has where only a few of its attributes are known (a row of a result list)."""

from __future__ import annotations

from typing import Final

from arcane.model.hit import MatchedSpan
from arcane.model.span import StatusCode

ERROR: Final = "error"
PLAIN: Final = "plain"

# OpenTelemetry GenAI names a span "<operation> <what>"; the operation alone says the kind.
_OPERATIONS: Final = {
    "chat": "llm",
    "text_completion": "llm",
    "generate_content": "llm",
    "embeddings": "embedding",
    "invoke_agent": "agent",
    "create_agent": "agent",
    "execute_tool": "tool",
    "retrieve": "retriever",
}
_OPENINFERENCE: Final = frozenset(
    {"agent", "llm", "embedding", "tool", "retriever", "reranker", "guardrail", "evaluator", "chain"}
)


def kind_of(span: MatchedSpan) -> str:
    """Returns `error` for a failed span, else the kind its attributes or its name tell, else `plain`."""
    if span.status is StatusCode.ERROR:
        return ERROR
    for name, value in span.attributes.items():
        if name.endswith("openinference.span.kind") and str(value).lower() in _OPENINFERENCE:
            return str(value).lower()
        if name.endswith("gen_ai.operation.name"):
            return _OPERATIONS.get(str(value), PLAIN)
    return _OPERATIONS.get((span.name or "").partition(" ")[0], PLAIN)
