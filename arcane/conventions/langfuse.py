"""Langfuse's own attributes, and those of TraceRoot and ElasticDash, which say the same under their own prefix."""

from __future__ import annotations

from datetime import datetime
from types import MappingProxyType

from arcane.conventions.dialect import Dialect, TokenKeys
from arcane.conventions.messages import Exchange, Role, messages_from
from arcane.conventions.read import parsed
from arcane.conventions.view import Kind
from arcane.model.span import Span
from arcane.model.time import nanos_of

_KINDS = {
    "generation": Kind.LLM,
    "llm": Kind.LLM,
    "embedding": Kind.EMBEDDING,
    "agent": Kind.AGENT,
    "tool": Kind.TOOL,
    "chain": Kind.CHAIN,
    "retriever": Kind.RETRIEVER,
    "reranker": Kind.RERANKER,
    "guardrail": Kind.GUARDRAIL,
    "evaluator": Kind.EVALUATOR,
    "evaluation": Kind.EVALUATOR,
    "scorer": Kind.EVALUATOR,
    "task": Kind.TASK,
    "span": Kind.SPAN,
}
_TYPES = ("traceroot.span.type", "langfuse.observation.type", "elasticdash.observation.type")
_STARTED = ("langfuse.observation.completion_start_time", "elasticdash.observation.completion_start_time")
_INPUTS = (
    "langfuse.observation.input",
    "elasticdash.observation.input",
    "traceroot.span.input",
    "langfuse.trace.input",
)
_OUTPUTS = (
    "langfuse.observation.output",
    "elasticdash.observation.output",
    "traceroot.span.output",
    "langfuse.trace.output",
)


def _kind(span: Span) -> Kind | None:
    for key in _TYPES:
        word = span.attributes.get(key)
        if isinstance(word, str) and word.lower() in _KINDS:
            return _KINDS[word.lower()]
    return None


def _first_token(span: Span) -> int | None:
    for key in _STARTED:
        moment = parsed(span.attributes.get(key))
        if not isinstance(moment, str):
            continue
        try:
            nanos = nanos_of(datetime.fromisoformat(moment))
        except (ValueError, OverflowError):
            continue
        if nanos >= span.start:
            return nanos - span.start
    return None


def _content(span: Span) -> Exchange | None:
    attributes = span.attributes
    given = next((attributes[key] for key in _INPUTS if key in attributes), None)
    came = next((attributes[key] for key in _OUTPUTS if key in attributes), None)
    before, after = messages_from(given, Role.USER), messages_from(came, Role.ASSISTANT)
    return Exchange(before, after) if before or after else None


DIALECT = Dialect(
    name="langfuse",
    markers=frozenset({*_TYPES, *_INPUTS, *_OUTPUTS, "langfuse.observation.model.name", "traceroot.llm.model"}),
    fields=MappingProxyType(
        {
            "request_model": (
                "traceroot.llm.model",
                "langfuse.observation.model.name",
                "elasticdash.observation.model.name",
            ),
            "session_id": (
                "langfuse.session.id",
                "traceroot.trace.session_id",
                "elasticdash.session.id",
            ),
            "user_id": ("langfuse.user.id", "traceroot.trace.user_id", "elasticdash.user.id"),
        }
    ),
    tokens=TokenKeys(
        objects=(
            "langfuse.observation.usage_details",
            "elasticdash.observation.usage_details",
            "traceroot.llm.usage",
        )
    ),
    cost_objects=("langfuse.observation.cost_details", "elasticdash.observation.cost_details"),
    kind=_kind,
    first_token=_first_token,
    content=_content,
)
