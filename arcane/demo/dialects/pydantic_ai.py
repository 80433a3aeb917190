"""Pydantic AI with Logfire: GenAI names, an agent span that repeats the usage, a cost on each request."""

from __future__ import annotations

from arcane.demo.dialects.spelling import Spelled, compact, parsed
from arcane.demo.nodes import Message, ModelCall, Node, NodeKind, Search, Session, ToolCall

_SCOPE = ("pydantic-ai", "2.68.0")


def spell(node: Node, session: Session) -> Spelled:
    """Returns the node as Pydantic AI has it."""
    attributes: dict[str, object] = {}
    if session.conversation is not None:
        attributes["gen_ai.conversation.id"] = session.conversation
    if node.kind is NodeKind.AGENT:
        return _agent(node, attributes)
    if isinstance(node.content, ModelCall):
        if node.kind is NodeKind.EMBEDDING:
            return _embedding(node.content, attributes)
        return _chat(node, node.content, attributes)
    if isinstance(node.content, ToolCall):
        attributes |= {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": node.name,
            "gen_ai.tool.call.id": node.content.id,
            "tool_arguments": node.content.arguments,
            "logfire.msg": f"running tool: {node.name}",
        }
        if node.failure is None:
            attributes["tool_response"] = node.result
        return Spelled(f"execute_tool {node.name}", _SCOPE, attributes)
    query = node.content.query if isinstance(node.content, Search) else ""
    found = list(node.content.documents) if isinstance(node.content, Search) else []
    attributes |= {
        "logfire.msg": f"retrieve {query!r}",
        "query": query,
        "documents": found,
        "logfire.span_type": "span",
    }
    return Spelled("retrieve", ("logfire", "4.9.0"), attributes)


def _agent(node: Node, attributes: dict[str, object]) -> Spelled:
    usage = node.usage_below()
    attributes |= {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": node.name,
        "agent_name": node.name,
        "gen_ai.usage.input_tokens": usage.input,
        "gen_ai.usage.output_tokens": usage.output,
        "gen_ai.aggregated_usage.input_tokens": usage.input,
        "gen_ai.aggregated_usage.output_tokens": usage.output,
        "final_result": node.result,
        "logfire.msg": f"{node.name} run",
    }
    if node.agent is not None:
        attributes["model_name"] = node.agent.model
    return Spelled(f"invoke_agent {node.name}", _SCOPE, attributes)


def _chat(node: Node, call: ModelCall, attributes: dict[str, object]) -> Spelled:
    usage = call.usage
    attributes |= {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": call.model.provider,
        "gen_ai.system": call.model.provider,
        "gen_ai.request.model": call.model.name,
        "model_request_parameters": compact({"function_tools": [], "output_mode": "text"}),
        "gen_ai.input.messages": compact([_message(m) for m in call.messages]),
    }
    if node.failure is None and call.answer is not None:
        attributes |= {
            "gen_ai.response.model": call.model.name,
            "gen_ai.response.finish_reasons": [call.finish],
            "gen_ai.output.messages": compact([_message(call.answer) | {"finish_reason": call.finish}]),
            "gen_ai.usage.input_tokens": usage.input,
            "gen_ai.usage.output_tokens": usage.output,
            "gen_ai.usage.details.cache_read_tokens": usage.cached,
            "gen_ai.usage.details.cache_write_tokens": usage.created,
        }
        cost = call.model.cost(usage.input - usage.cached - usage.created, usage.output, usage.cached, usage.created)
        if cost is not None:
            attributes["operation.cost"] = float(cost)
        if call.first_token_ns is not None:
            attributes["gen_ai.response.time_to_first_chunk"] = call.first_token_ns / 1e9
    return Spelled(f"chat {call.model.name}", _SCOPE, attributes)


def _message(message: Message) -> dict[str, object]:
    if message.role == "tool":
        part = {"type": "tool_call_response", "id": message.answers, "name": "", "result": parsed(message.text)}
        return {"role": "user", "parts": [part]}
    parts: list[object] = [{"type": "text", "content": message.text}] if message.text else []
    parts += [
        {"type": "tool_call", "id": c.id, "name": c.name, "arguments": parsed(c.arguments)} for c in message.calls
    ]
    return {"role": message.role, "parts": parts}


def _embedding(call: ModelCall, attributes: dict[str, object]) -> Spelled:
    attributes |= {
        "gen_ai.operation.name": "embeddings",
        "gen_ai.provider.name": call.model.provider,
        "gen_ai.request.model": call.model.name,
        "gen_ai.usage.input_tokens": call.usage.input,
        "gen_ai.embeddings.dimension.count": 1536,
    }
    return Spelled(f"embeddings {call.model.name}", _SCOPE, attributes)
