"""OpenInference (Arize): flattened, indexed attributes; kind in `openinference.span.kind`.

The style `priced` adds `llm.cost.*`, as instrumentation with a price list does.
"""

from __future__ import annotations

from decimal import Decimal

from arcane.demo.dialects.spelling import Spelled, compact
from arcane.demo.nodes import Message, ModelCall, Node, NodeKind, Search, Session, ToolCall

_CHAIN = ("openinference.instrumentation.langchain", "0.1.60")
_MODEL = ("openinference.instrumentation.openai", "0.1.40")


def spell(node: Node, session: Session) -> Spelled:
    """Returns the node as OpenInference has it."""
    attributes: dict[str, object] = {"openinference.span.kind": node.kind.value.upper()}
    if session.conversation is not None:
        attributes["session.id"] = session.conversation
    if session.user is not None:
        attributes["user.id"] = session.user
    if node.kind is NodeKind.AGENT:
        return _agent(node, attributes, session)
    if isinstance(node.content, ModelCall):
        if node.kind is NodeKind.EMBEDDING:
            return _embedding(node.content, attributes)
        return _llm(node, node.content, attributes)
    if isinstance(node.content, ToolCall):
        return _tool(node, node.content, attributes)
    if isinstance(node.content, Search):
        return _search(node, node.content, attributes)
    attributes |= {"input.value": "the user's message", "output.value": node.result}
    return Spelled(node.name, _CHAIN, attributes)


def _agent(node: Node, attributes: dict[str, object], session: Session) -> Spelled:
    usage = node.usage_below()
    attributes |= {
        "agent.name": node.name,
        "graph.node.id": node.name,
        "output.value": node.result,
        "output.mime_type": "text/plain",
        "llm.token_count.prompt": usage.input,
        "llm.token_count.completion": usage.output,
        "metadata": compact({"environment": session.environment}),
        "tag.tags": list(session.tags) or ["interactive"],
    }
    return Spelled(node.name, _CHAIN, attributes)


def _llm(node: Node, call: ModelCall, attributes: dict[str, object]) -> Spelled:
    usage = call.usage
    attributes |= {
        "llm.model_name": call.model.name,
        "llm.provider": call.model.provider,
        "llm.system": call.model.provider,
        "llm.invocation_parameters": compact({"temperature": 0.3, "stream": call.first_token_ns is not None}),
    }
    for index, message in enumerate(call.messages):
        attributes |= _message(f"llm.input_messages.{index}.message", message)
    events: list[tuple[int, str, dict[str, object]]] = []
    if node.failure is None and call.answer is not None:
        attributes |= {
            "llm.token_count.prompt": usage.input,
            "llm.token_count.completion": usage.output,
            "llm.token_count.total": usage.input + usage.output,
            "llm.token_count.prompt_details.cache_read": usage.cached,
            "llm.finish_reason": call.finish,
        }
        attributes |= _message("llm.output_messages.0.message", call.answer)
        if call.first_token_ns is not None:
            events.append((node.start + call.first_token_ns, "First Token Stream Event", {}))
        if node.agent is not None and node.agent.style == "priced":
            attributes["llm.cost.total"] = float(_cost(call))
    return Spelled("ChatCompletion", _MODEL, attributes, events)


def _cost(call: ModelCall) -> Decimal:
    usage = call.usage
    cost = call.model.cost(usage.input - usage.cached - usage.created, usage.output, usage.cached, usage.created)
    return cost if cost is not None else Decimal(0)


def _message(prefix: str, message: Message) -> dict[str, object]:
    found: dict[str, object] = {f"{prefix}.role": message.role}
    if message.text:
        found[f"{prefix}.content"] = message.text
    if message.answers:
        found[f"{prefix}.tool_call_id"] = message.answers
    for index, call in enumerate(message.calls):
        at = f"{prefix}.tool_calls.{index}.tool_call"
        found |= {f"{at}.id": call.id, f"{at}.function.name": call.name, f"{at}.function.arguments": call.arguments}
    return found


def _embedding(call: ModelCall, attributes: dict[str, object]) -> Spelled:
    attributes |= {
        "embedding.model_name": call.model.name,
        "llm.provider": call.model.provider,
        "embedding.embeddings.0.embedding.text": call.text,
        "llm.token_count.prompt": call.usage.input,
    }
    return Spelled("CreateEmbeddings", _MODEL, attributes)


def _tool(node: Node, call: ToolCall, attributes: dict[str, object]) -> Spelled:
    attributes |= {
        "tool.name": node.name,
        "tool.id": call.id,
        "tool.parameters": call.arguments,
        "input.value": call.arguments,
        "input.mime_type": "application/json",
    }
    if node.failure is None:
        attributes["output.value"] = node.result
    return Spelled(node.name, _CHAIN, attributes)


def _search(node: Node, search: Search, attributes: dict[str, object]) -> Spelled:
    reranker = node.kind is NodeKind.RERANKER
    prefix = "reranker.output_documents" if reranker else "retrieval.documents"
    if reranker:
        attributes |= {"reranker.query": search.query, "reranker.model_name": "bge-reranker-v2-m3", "reranker.top_k": 3}
    else:
        attributes |= {"input.value": search.query, "input.mime_type": "text/plain"}
    for index, text in enumerate(search.documents):
        at = f"{prefix}.{index}.document"
        attributes |= {f"{at}.id": f"kb-{index}", f"{at}.content": text, f"{at}.score": round(0.91 - 0.07 * index, 2)}
    return Spelled(node.name, _CHAIN, attributes)
