"""What goes wrong: a model or a tool fails, and what that does to the spans around it."""

from __future__ import annotations

import random

from arcane.demo.nodes import Failure, ModelCall, Node, NodeKind, Usage
from arcane.demo.play import LLM_FAILURES, TOOL_FAILURES, Memory


def break_something(rng: random.Random, root: Node, agent: Node, memory: Memory) -> None:
    """Lets one call of the trace fail: the last model call ends the request, a tool's failure does not."""
    tools = [node for node in agent.walk() if node.kind is NodeKind.TOOL and node.children[0].kind is NodeKind.PLAIN]
    if tools and rng.random() < 0.6:
        _break_tool(rng.choice(tools), rng.choice(TOOL_FAILURES))
        return
    last = agent.children[-1]
    assert isinstance(last.content, ModelCall)  # noqa: S101 - a turn ends with an answer
    failure = rng.choice(LLM_FAILURES)
    last.failure = failure
    last.content.usage, last.content.answer = Usage(), None
    memory.messages.pop()
    agent.failure, agent.result = failure, ""
    root.failure = Failure("InternalServerError", failure.type)
    root.attributes["http.response.status_code"] = 500


def _break_tool(tool: Node, failure: Failure) -> None:
    tool.failure, tool.result = failure, failure.message
    server = tool.children[0]
    server.failure = failure
    deepest = server.children[0]
    deepest.failure = failure
    if "http.response.status_code" in deepest.attributes:
        deepest.attributes["http.response.status_code"] = 504 if failure.type == "ToolTimeout" else 403
