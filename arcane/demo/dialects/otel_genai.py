"""OpenTelemetry's GenAI conventions, in three spellings.

`attributes`: messages as JSON on the span (since 1.37). `structured`: the same as real arrays and maps.
`events`: the older names, messages as span events and `gen_ai.system`.
"""

from __future__ import annotations

from arcane.demo.dialects.spelling import Spelled, compact, parsed
from arcane.demo.nodes import Message, ModelCall, Node, NodeKind, Search, Session, ToolCall

_SDK = ("opentelemetry.instrumentation.openai_v2", "2.3b0")
_APP = ("shop.agents", "1.8.0")


def spell(node: Node, session: Session) -> Spelled:
    """Returns the node as OpenTelemetry's GenAI conventions have it."""
    agent = node.agent
    style = agent.style if agent is not None else ""
    if node.kind is NodeKind.AGENT:
        return _agent(node, session)
    if isinstance(node.content, ModelCall):
        return (
            _embedding(node.content) if node.kind is NodeKind.EMBEDDING else _chat(node, node.content, session, style)
        )
    if isinstance(node.content, ToolCall):
        return _tool(node, node.content)
    return _retrieval(node)


def _agent(node: Node, session: Session) -> Spelled:
    usage = node.usage_below()  # the conventions let an agent span repeat its children's sum
    attributes: dict[str, object] = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": node.name,
        "gen_ai.agent.id": f"asst_{node.name}",
        "gen_ai.usage.input_tokens": usage.input,
        "gen_ai.usage.output_tokens": usage.output,
    }
    if session.conversation is not None:
        attributes["gen_ai.conversation.id"] = session.conversation
    return Spelled(f"invoke_agent {node.name}", _APP, attributes)


def _chat(node: Node, call: ModelCall, session: Session, style: str) -> Spelled:
    old = style == "events"
    usage = call.usage
    attributes: dict[str, object] = {
        "gen_ai.operation.name": "chat",
        ("gen_ai.system" if old else "gen_ai.provider.name"): call.model.provider,
        "gen_ai.request.model": call.model.name,
        "gen_ai.request.temperature": 0.2,
        "server.address": "api.openai.com",
    }
    if session.conversation is not None:
        attributes["gen_ai.conversation.id"] = session.conversation
    if node.failure is not None:
        attributes["error.type"] = node.failure.type
        return Spelled(f"chat {call.model.name}", _SDK, attributes)
    attributes |= {
        "gen_ai.response.model": call.model.name,
        "gen_ai.response.id": f"chatcmpl-{node.span_id}",
        "gen_ai.response.finish_reasons": [call.finish],
        ("gen_ai.usage.prompt_tokens" if old else "gen_ai.usage.input_tokens"): usage.input,
        ("gen_ai.usage.completion_tokens" if old else "gen_ai.usage.output_tokens"): usage.output,
    }
    if usage.cached:
        attributes["gen_ai.usage.cache_read.input_tokens"] = usage.cached
    if usage.reasoning:
        attributes["gen_ai.usage.reasoning.output_tokens"] = usage.reasoning
    if call.first_token_ns is not None:
        attributes["gen_ai.response.time_to_first_chunk"] = call.first_token_ns / 1e9
    if old:
        return Spelled(f"chat {call.model.name}", _SDK, attributes, _events(node, call))
    attributes |= _content(call, structured=style == "structured")
    return Spelled(f"chat {call.model.name}", _SDK, attributes)


def _content(call: ModelCall, *, structured: bool) -> dict[str, object]:
    instructions = [{"type": "text", "content": m.text} for m in call.messages if m.role == "system"]
    messages = [{"role": m.role, "parts": _parts(m)} for m in call.messages if m.role != "system"]
    answers: list[object] = []
    if call.answer is not None:
        answers.append({"role": "assistant", "parts": _parts(call.answer), "finish_reason": call.finish})
    content = {
        "gen_ai.system_instructions": instructions,
        "gen_ai.input.messages": messages,
        "gen_ai.output.messages": answers,
    }
    return {key: value if structured else compact(value) for key, value in content.items()}


def _parts(message: Message) -> list[object]:
    if message.role == "tool":
        return [{"type": "tool_call_response", "id": message.answers, "response": message.text}]
    parts: list[object] = []
    if message.reasoning:
        parts.append({"type": "reasoning", "content": message.reasoning})
    if message.text:
        parts.append({"type": "text", "content": message.text})
    parts += [
        {"type": "tool_call", "id": call.id, "name": call.name, "arguments": parsed(call.arguments)}
        for call in message.calls
    ]
    return parts


def _events(node: Node, call: ModelCall) -> list[tuple[int, str, dict[str, object]]]:
    events: list[tuple[int, str, dict[str, object]]] = []
    for message in call.messages:
        body: dict[str, object] = {"gen_ai.system": call.model.provider, "role": message.role, "content": message.text}
        if message.calls:
            body["tool_calls"] = compact([_called(c) for c in message.calls])
        if message.answers:
            body["id"] = message.answers
        events.append((node.start + 1000, f"gen_ai.{message.role}.message", body))
    if call.answer is not None:
        said: dict[str, object] = {"role": "assistant", "content": call.answer.text}
        if call.answer.calls:
            said["tool_calls"] = [_called(c) for c in call.answer.calls]
        choice = {
            "gen_ai.system": call.model.provider,
            "index": 0,
            "finish_reason": call.finish,
            "message": compact(said),
        }
        events.append((node.end - 1000, "gen_ai.choice", choice))
    return events


def _called(call: ToolCall) -> dict[str, object]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def _embedding(call: ModelCall) -> Spelled:
    return Spelled(
        f"embeddings {call.model.name}",
        _SDK,
        {
            "gen_ai.operation.name": "embeddings",
            "gen_ai.provider.name": call.model.provider,
            "gen_ai.request.model": call.model.name,
            "gen_ai.usage.input_tokens": call.usage.input,
            "gen_ai.embeddings.dimension.count": 1536,
        },
    )


def _tool(node: Node, call: ToolCall) -> Spelled:
    attributes: dict[str, object] = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": node.name,
        "gen_ai.tool.type": "function",
        "gen_ai.tool.call.id": call.id,
        "gen_ai.tool.call.arguments": call.arguments,
    }
    if node.failure is None:
        attributes["gen_ai.tool.call.result"] = node.result
    else:
        attributes["error.type"] = node.failure.type
    return Spelled(f"execute_tool {node.name}", _APP, attributes)


def _retrieval(node: Node) -> Spelled:
    attributes: dict[str, object] = {"gen_ai.operation.name": "retrieval", "gen_ai.data_source.id": "kb"}
    if isinstance(node.content, Search):
        documents = [
            {"id": f"kb-{i}", "score": round(0.91 - 0.07 * i, 2), "content": text}
            for i, text in enumerate(node.content.documents)
        ]
        attributes["gen_ai.retrieval.query.text"] = node.content.query
        attributes["gen_ai.retrieval.documents"] = compact(documents)
    return Spelled("retrieval kb", _APP, attributes)
