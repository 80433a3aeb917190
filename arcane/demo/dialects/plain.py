"""Spans that no LLM library wrote: HTTP, MCP, databases, queues. They carry their attributes as they stand."""

from __future__ import annotations

from arcane.demo.dialects.spelling import Spelled
from arcane.demo.nodes import Node, Session


def spell(node: Node, session: Session) -> Spelled:
    """Returns the node's own name, scope and attributes."""
    return Spelled(node.name, node.scope, {})
