"""What happened in a trace, before any dialect spells it: a tree of nodes with times and content."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from arcane.demo.cast import Agent, Model


class NodeKind(StrEnum):
    """What a node stands for. Plain nodes are spelled the same in every dialect."""

    AGENT = "agent"
    LLM = "llm"
    TOOL = "tool"
    RETRIEVER = "retriever"
    EMBEDDING = "embedding"
    RERANKER = "reranker"
    GUARDRAIL = "guardrail"
    WORKFLOW = "workflow"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A model asks for a tool."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Message:
    """A message of a conversation; `answers` is the id of the tool call that a tool message answers."""

    role: str
    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    answers: str = ""
    reasoning: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens. `input` includes `cached` and `created`, `output` includes `reasoning`."""

    input: int = 0
    output: int = 0
    cached: int = 0
    created: int = 0
    reasoning: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.input + other.input,
            self.output + other.output,
            self.cached + other.cached,
            self.created + other.created,
            self.reasoning + other.reasoning,
        )


@dataclass(slots=True)
class ModelCall:
    """One request to a model."""

    model: Model
    usage: Usage
    messages: tuple[Message, ...] = ()
    answer: Message | None = None
    first_token_ns: int | None = None
    finish: str = "stop"
    text: str = ""  # what was embedded


@dataclass(slots=True)
class Search:
    """A question to the vector database, with what came back, best first."""

    query: str
    documents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a node failed; becomes an exception event and the status."""

    type: str
    message: str


@dataclass(slots=True)
class Session:
    """Who talks to whom, where: shared by all nodes of a trace."""

    agent: Agent
    environment: str
    conversation: str | None
    user: str | None
    tags: tuple[str, ...] = ()


@dataclass(slots=True)
class Link:
    """A pointer to a node of this or an earlier trace."""

    trace_id: str
    span_id: str
    kind: str


@dataclass(slots=True)
class Node:
    """One span to be. `attributes` are spelled as they stand, on top of what the dialect writes."""

    kind: NodeKind
    name: str
    service: str
    start: int
    end: int = 0
    agent: Agent | None = None
    content: ModelCall | ToolCall | Search | None = None
    result: str = ""
    span_kind: int = 1
    scope: tuple[str, str] = ("", "")
    attributes: dict[str, object] = field(default_factory=dict)
    children: list[Node] = field(default_factory=list)
    failure: Failure | None = None
    links: list[Link] = field(default_factory=list)
    events: list[tuple[int, str, dict[str, object]]] = field(default_factory=list)
    span_id: str = ""

    def walk(self) -> Iterator[Node]:
        """Yields this node and everything below, parents first."""
        stack = [self]
        while stack:
            node = stack.pop()
            yield node
            stack.extend(reversed(node.children))

    def usage_below(self) -> Usage:
        """Tokens of all model calls in this subtree: what frameworks repeat on their agent spans."""
        return sum((node.content.usage for node in self.walk() if isinstance(node.content, ModelCall)), Usage())
