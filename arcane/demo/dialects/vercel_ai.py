"""Vercel's AI SDK: `ai.streamText` around its steps `doStream` and `ai.toolCall`; the outer span repeats the usage."""

from __future__ import annotations

from arcane.demo.dialects.spelling import Spelled, compact, parsed
from arcane.demo.nodes import Message, ModelCall, Node, NodeKind, Search, Session, ToolCall

_SCOPE = ("ai", "")


def spell(node: Node, session: Session) -> Spelled:
    """Returns the node as the AI SDK has it."""
    function = session.agent.name
    attributes: dict[str, object] = {"ai.telemetry.functionId": function, "resource.name": function}
    if session.conversation is not None:
        attributes["ai.telemetry.metadata.sessionId"] = session.conversation
    if session.user is not None:
        attributes["ai.telemetry.metadata.userId"] = session.user
    operation = _operation(node)
    attributes |= {"operation.name": f"{operation} {function}", "ai.operationId": operation}
    if node.kind is NodeKind.AGENT:
        usage = node.usage_below()
        attributes |= {"ai.usage.inputTokens": usage.input, "ai.usage.outputTokens": usage.output}
        attributes |= {"ai.response.text": node.result, "ai.response.finishReason": "stop", "ai.settings.maxSteps": 8}
    elif isinstance(node.content, ModelCall):
        return _model(node, node.content, operation, attributes)
    elif isinstance(node.content, ToolCall):
        attributes |= {
            "ai.toolCall.name": node.name,
            "ai.toolCall.id": node.content.id,
            "ai.toolCall.args": node.content.arguments,
        }
        if node.failure is None:
            attributes["ai.toolCall.result"] = compact(parsed(node.result))
    elif isinstance(node.content, Search):
        attributes = {"rag.query": node.content.query, "rag.documents": list(node.content.documents)}
        return Spelled("retrieve", ("web-app", "3.2.0"), attributes)
    return Spelled(operation, _SCOPE, attributes)


def _operation(node: Node) -> str:
    if node.kind is NodeKind.AGENT:
        return "ai.streamText"
    if node.kind is NodeKind.EMBEDDING:
        return "ai.embed.doEmbed"
    return "ai.toolCall" if isinstance(node.content, ToolCall) else "ai.streamText.doStream"


def _model(node: Node, call: ModelCall, operation: str, attributes: dict[str, object]) -> Spelled:
    attributes |= {"ai.model.id": call.model.name, "ai.model.provider": f"{call.model.provider}.chat"}
    if node.kind is NodeKind.EMBEDDING:
        attributes |= {"ai.model.provider": "openai.embedding", "ai.values": [compact(call.text)]}
        attributes["ai.usage.tokens"] = call.usage.input
        return Spelled(operation, _SCOPE, attributes)
    attributes["ai.prompt.messages"] = compact([_message(m) for m in call.messages])
    events: list[tuple[int, str, dict[str, object]]] = []
    if node.failure is None and call.answer is not None:
        attributes |= {
            "ai.response.model": call.model.name,
            "ai.response.id": f"aitxt-{node.span_id}",
            "ai.response.finishReason": "tool-calls" if call.answer.calls else "stop",
            "ai.usage.inputTokens": call.usage.input,
            "ai.usage.outputTokens": call.usage.output,
            "ai.usage.totalTokens": call.usage.input + call.usage.output,
            "ai.usage.cachedInputTokens": call.usage.cached,
        }
        if call.answer.text:
            attributes["ai.response.text"] = call.answer.text
        if call.answer.calls:
            calls = [{"toolCallId": c.id, "toolName": c.name, "input": parsed(c.arguments)} for c in call.answer.calls]
            attributes["ai.response.toolCalls"] = compact(calls)
        if call.first_token_ns is not None:
            first_ms = call.first_token_ns / 1e6
            attributes["ai.response.msToFirstChunk"] = first_ms
            attributes["ai.response.msToFinish"] = (node.end - node.start) / 1e6
            events.append(
                (node.start + call.first_token_ns, "ai.stream.firstChunk", {"ai.response.msToFirstChunk": first_ms})
            )
    return Spelled(operation, _SCOPE, attributes, events)


def _message(message: Message) -> dict[str, object]:
    if message.role == "tool":
        part = {"type": "tool-result", "toolCallId": message.answers, "output": {"type": "text", "value": message.text}}
        return {"role": "tool", "content": [part]}
    if message.role == "system":
        return {"role": "system", "content": message.text}
    parts: list[object] = [{"type": "text", "text": message.text}] if message.text else []
    parts += [
        {"type": "tool-call", "toolCallId": c.id, "toolName": c.name, "input": parsed(c.arguments)}
        for c in message.calls
    ]
    return {"role": message.role, "content": parts}
