"""OpenLLMetry (Traceloop): `traceloop.*` for the app, `gen_ai.prompt.N` and `gen_ai.completion.N` for the model.

Its Anthropic instrumentation is shown as some versions write it: input tokens without the cached
ones, which stand beside them.
"""

from __future__ import annotations

from arcane.demo.dialects.spelling import Spelled, compact
from arcane.demo.nodes import ModelCall, Node, NodeKind, Search, Session, ToolCall

_APP = ("traceloop.tracer", "0.47.3")
_MODEL = ("opentelemetry.instrumentation.anthropic", "0.47.3")
_EMBED = ("opentelemetry.instrumentation.openai.v1", "0.47.3")


def spell(node: Node, session: Session) -> Spelled:
    """Returns the node as OpenLLMetry has it."""
    attributes: dict[str, object] = {}
    if session.conversation is not None:
        attributes["traceloop.association.properties.session_id"] = session.conversation
    if session.user is not None:
        attributes["traceloop.association.properties.user_id"] = session.user
    if isinstance(node.content, ModelCall):
        if node.kind is NodeKind.EMBEDDING:
            return _embedding(node.content, attributes)
        return _chat(node, node.content, attributes)
    workflow = session.agent.name.replace("-", "_")
    attributes["traceloop.workflow.name"] = workflow
    if node.kind is NodeKind.AGENT:
        attributes |= {"traceloop.span.kind": "agent", "traceloop.entity.name": node.name}
        attributes["traceloop.entity.output"] = compact({"outputs": node.result})
        return Spelled(f"{node.name}.agent", _APP, attributes)
    if isinstance(node.content, ToolCall):
        attributes |= {"traceloop.span.kind": "tool", "traceloop.entity.name": node.name}
        attributes["traceloop.entity.path"] = f"{workflow}.{node.name}"
        attributes["traceloop.entity.input"] = compact({"args": [], "kwargs": node.content.arguments})
        if node.failure is None:
            attributes["traceloop.entity.output"] = compact(node.result)
        return Spelled(f"{node.name}.tool", _APP, attributes)
    attributes |= {"traceloop.span.kind": "task", "traceloop.entity.name": node.name}
    if isinstance(node.content, Search):
        attributes["traceloop.entity.input"] = compact({"query": node.content.query})
        attributes["traceloop.entity.output"] = compact(list(node.content.documents))
    return Spelled(f"{node.name}.task", _APP, attributes)


def _chat(node: Node, call: ModelCall, attributes: dict[str, object]) -> Spelled:
    attributes |= {
        "llm.request.type": "chat",
        "gen_ai.system": "Anthropic",
        "gen_ai.request.model": call.model.name,
        "gen_ai.request.max_tokens": 2048,
        "llm.is_streaming": call.first_token_ns is not None,
    }
    for index, message in enumerate(call.messages):
        at = f"gen_ai.prompt.{index}"
        attributes |= {f"{at}.role": message.role, f"{at}.content": message.text}
        if message.answers:
            attributes[f"{at}.tool_call_id"] = message.answers
        attributes |= _calls(at, message.calls)
    if node.failure is None and call.answer is not None:
        usage = call.usage
        attributes |= {
            "gen_ai.response.model": f"{call.model.name}-20250929" if "sonnet" in call.model.name else call.model.name,
            "gen_ai.usage.prompt_tokens": usage.input - usage.cached - usage.created,
            "gen_ai.usage.completion_tokens": usage.output,
            "gen_ai.usage.cache_read_input_tokens": usage.cached,
            "gen_ai.usage.cache_creation_input_tokens": usage.created,
            "gen_ai.completion.0.role": "assistant",
            "gen_ai.completion.0.content": call.answer.text,
            "gen_ai.completion.0.finish_reason": "tool_use" if call.answer.calls else "end_turn",
        }
        attributes |= _calls("gen_ai.completion.0", call.answer.calls)
    return Spelled("anthropic.chat", _MODEL, attributes)


def _calls(at: str, calls: tuple[ToolCall, ...]) -> dict[str, object]:
    found: dict[str, object] = {}
    for index, call in enumerate(calls):
        key = f"{at}.tool_calls.{index}"
        found |= {f"{key}.id": call.id, f"{key}.name": call.name, f"{key}.arguments": call.arguments}
    return found


def _embedding(call: ModelCall, attributes: dict[str, object]) -> Spelled:
    attributes |= {
        "llm.request.type": "embedding",
        "gen_ai.system": "openai",
        "gen_ai.request.model": call.model.name,
        "gen_ai.prompt.0.content": call.text,
        "gen_ai.usage.prompt_tokens": call.usage.input,
    }
    return Spelled("openai.embeddings", _EMBED, attributes)
