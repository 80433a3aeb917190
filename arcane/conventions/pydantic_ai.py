"""Pydantic AI and Logfire: GenAI names, older own names beside them, agent spans that repeat the usage.

https://ai.pydantic.dev/logfire/
"""

from __future__ import annotations

from types import MappingProxyType

from arcane.conventions.dialect import Dialect, TokenKeys
from arcane.conventions.messages import ABSENT, Exchange, Message, Role, messages_from, role_of, tool_exchange
from arcane.conventions.read import mapping, parsed, text
from arcane.conventions.view import AGENT, Kind
from arcane.model.span import Span


def _fallback_kind(span: Span) -> Kind | None:
    attributes = span.attributes
    if "agent_name" in attributes or "pydantic_ai.all_messages" in attributes:
        return Kind.AGENT
    if "tool_arguments" in attributes or "tool_response" in attributes:
        return Kind.TOOL
    return None


def _is_aggregate(span: Span, kind: Kind) -> bool:
    return kind is AGENT and (
        "agent_name" in span.attributes or "gen_ai.aggregated_usage.input_tokens" in span.attributes
    )


def _messages(span: Span) -> Exchange | None:
    attributes = span.attributes
    everything = attributes.get("pydantic_ai.all_messages", attributes.get("all_messages_events"))
    if everything is not None:
        return _split(messages_from(everything, Role.USER), attributes.get("final_result"))
    events = parsed(attributes.get("events"))
    if isinstance(events, list):
        return _from_events(events)
    request, response = mapping(attributes.get("request_data")), mapping(attributes.get("response_data"))
    if request.get("messages") is not None:
        said = response.get("message")
        return Exchange(
            messages_from(request["messages"], Role.USER), messages_from([said] if said else None, Role.ASSISTANT)
        )
    return None


def _split(messages: tuple[Message, ...], final: object) -> Exchange:
    """A run's messages: the last answer is what came out, the rest went in."""
    if messages and messages[-1].role is Role.ASSISTANT:
        return Exchange(messages[:-1], messages[-1:])
    return Exchange(messages, messages_from(final, Role.ASSISTANT))


def _from_events(events: list[object]) -> Exchange:
    before: list[Message] = []
    after: list[Message] = []
    for row in events:
        event = mapping(row)
        name = event.get("event.name")
        if name == "gen_ai.choice":
            said = mapping(event.get("message"))
            after.extend(messages_from([{"role": "assistant", **said}], Role.ASSISTANT))
        elif event:
            word = name.split(".")[1] if isinstance(name, str) and name.count(".") == 2 else event.get("role")
            before.extend(messages_from([{"role": word, **event}], role_of(word)))
    return Exchange(tuple(before), tuple(after))


def _content(span: Span) -> Exchange | None:
    attributes = span.attributes
    if "tool_arguments" in attributes or "tool_response" in attributes:
        name = text(attributes, ("gen_ai.tool.name",)) or span.name
        identity = text(attributes, ("gen_ai.tool.call.id",)) or ""
        return tool_exchange(name, attributes.get("tool_arguments"), attributes.get("tool_response", ABSENT), identity)
    after = messages_from(attributes.get("final_result"), Role.ASSISTANT)
    before = messages_from(attributes.get("prompt"), Role.USER) if isinstance(attributes.get("prompt"), str) else ()
    return Exchange(before, after) if before or after else None


DIALECT = Dialect(
    name="pydantic_ai",
    markers=frozenset(
        {
            "agent_name",
            "pydantic_ai.all_messages",
            "all_messages_events",
            "tool_arguments",
            "tool_response",
            "operation.cost",
        }
    ),
    fields=MappingProxyType({"request_model": ("model_name",), "agent": ("agent_name",)}),
    tokens=TokenKeys(),
    cost=("operation.cost",),
    fallback_kind=_fallback_kind,
    is_aggregate=_is_aggregate,
    messages=_messages,
    content=_content,
)
