"""Entities say of a span what Arcane itself says of it, whoever applies them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from arcane.compat.public.entities import entities
from arcane.conventions import Kind, Role, ToolCall, messages_of, view_of
from arcane.conventions.messages import Message, Text
from arcane.model.ids import SpanId, TraceId
from arcane.model.span import Span, SpanKind

ENTITIES = {one["externalId"]: one for one in entities()}
_TYPES = {
    "model": Kind.LLM,
    "tool": Kind.TOOL,
    "embedding": Kind.EMBEDDING,
    "retriever": Kind.RETRIEVER,
    "guardrail": Kind.GUARDRAIL,
    "evaluator": Kind.EVALUATOR,
    "agent": Kind.AGENT,
}


def _with(attributes: Mapping[str, Any]) -> Span:
    return Span(TraceId("a" * 32), SpanId("b" * 16), "", "x", SpanKind.CLIENT, 1, 2, attributes=dict(attributes))


def test_every_entity_matches_what_the_pages_take_for_the_same() -> None:
    assert len(ENTITIES) > 30
    for entity in ENTITIES.values():
        view = view_of(_with({entity["matchingAttributeName"]: entity["matchingValue"]}))
        assert view is not None, entity["name"]
        kind = _TYPES.get(entity["entityType"]) or Kind(entity["type"])
        assert view.kind is kind, entity["name"]
        assert (entity["entityType"] == "custom") == (entity["iconId"] is not None), entity["name"]
        assert (entity["entityType"] == "model") == (entity["messageMatching"] is not None), entity["name"]


def test_ids_stay_what_they_are() -> None:
    assert len({one["id"] for one in ENTITIES.values()}) == len(ENTITIES)
    assert ENTITIES["openinference:openinference.span.kind=LLM"]["id"] == "14df6b1e-a271-51b5-9e39-06e18a082665"
    assert ENTITIES["otel_genai:gen_ai.operation.name=chat"]["id"] == "fcf5e670-ed34-5db8-9440-41ea2eb0c62f"


@pytest.mark.parametrize(
    ("entity", "before", "after", "call"),
    [
        ("openinference:openinference.span.kind=LLM", "llm.input_messages.{}.message.",
         "llm.output_messages.{}.message.", "tool_calls.0.tool_call.{}"),
        ("openllmetry:llm.request.type=chat", "gen_ai.prompt.{}.", "gen_ai.completion.{}.", "tool_calls.0.{}"),
    ],
)  # fmt: skip
def test_flat_messages_are_found_where_the_pages_find_them(entity: str, before: str, after: str, call: str) -> None:
    function = "function." if "tool_call." in call else ""
    attributes = {
        before.format(0) + "role": "system", before.format(0) + "content": "Be kind.",
        before.format(1) + "role": "user", before.format(1) + "content": "What is 1+1?",
        after.format(0) + "role": "assistant", after.format(0) + "content": "Let me see.",
        after.format(0) + call.format("id"): "c1",
        after.format(0) + call.format(f"{function}name"): "add",
        after.format(0) + call.format(f"{function}arguments"): '{"a": 1}',
    }  # fmt: skip
    told = ENTITIES[entity]
    given = _with({told["matchingAttributeName"]: told["matchingValue"], **attributes})
    exchange = messages_of(given)
    keys = told["messageMatching"]["flatMessageMatchingConfiguration"]
    assert _flat(keys["flatInputMessageMatchingKeys"], attributes) == [_told(one) for one in exchange.input]
    assert _flat(keys["flatOutputMessageMatchingKeys"], attributes) == [_told(one) for one in exchange.output]
    assert exchange.output[0].role is Role.ASSISTANT


def test_canonical_messages_stand_where_the_pages_read_them() -> None:
    told = ENTITIES["otel_genai:gen_ai.operation.name=chat"]["messageMatching"]
    keys = told["canonicalMessageMatchingConfiguration"]
    said = json.dumps([{"role": "user", "parts": [{"type": "text", "content": "Hello"}]}])
    exchange = messages_of(_with({keys["inputAttributeKey"]: said, keys["outputAttributeKey"]: said}))
    assert [_told(one) for one in (*exchange.input, *exchange.output)] == [{"role": "user", "content": "Hello"}] * 2


def _flat(patterns: Mapping[str, str], attributes: Mapping[str, str]) -> list[dict[str, str]]:
    """Messages as the original's page found them: the first group is the message's number."""
    names = {
        "rolePattern": "role",
        "contentPattern": "content",
        "toolCallIdPattern": "id",
        "toolCallFunctionNamePattern": "tool",
        "toolCallFunctionArgumentPattern": "arguments",
    }
    found: dict[int, dict[str, str]] = {}
    for pattern, name in names.items():
        for key, value in attributes.items():
            if match := re.search(patterns[pattern], key):
                found.setdefault(int(match[1]), {})[name] = value
    return [found[number] for number in sorted(found)]


def _told(message: Message) -> dict[str, str]:
    texts = [part.text for part in message.parts if isinstance(part, Text)]
    calls: Iterable[ToolCall] = (part for part in message.parts if isinstance(part, ToolCall))
    told = {"role": message.role.value, "content": "".join(texts)}
    for one in calls:
        told |= {"id": one.id, "tool": one.name, "arguments": json.dumps(one.arguments)}
    return told
