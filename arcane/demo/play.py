"""Plays a turn of a story: an agent that thinks, searches, calls tools and answers, as a tree of nodes."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from arcane.demo.cast import AGENTS, EMBEDDING, MODELS, Agent, Library, Step, Turn
from arcane.demo.nodes import Failure, Message, ModelCall, Node, NodeKind, Search, Session, ToolCall, Usage

MS = 1_000_000
_SLOT = re.compile(r"\{(\w+)\}")
_TOKENS_A_SECOND = 85

LLM_FAILURES = (
    Failure("RateLimitError", "429: rate limit reached for requests per minute"),
    Failure("APITimeoutError", "the model did not answer within 30 s"),
    Failure("BadRequestError", "400: maximum context length exceeded"),
)
TOOL_FAILURES = (
    Failure("ToolTimeout", "no answer within 5 s"),
    Failure("ConnectionError", "connection refused"),
    Failure("PermissionError", "403: the token lacks the scope write"),
)


@dataclass(slots=True)
class Memory:
    """What an agent remembers of a conversation, and how much of it the provider has cached."""

    messages: list[Message] = field(default_factory=list)
    cached_tokens: int = 0


@dataclass(slots=True)
class Player:
    """Plays turns with one source of randomness; `now` moves forward as things happen."""

    rng: random.Random
    library: Library
    now: int = 0

    def fill(self, text: str, words: dict[str, str]) -> str:
        """Returns `text` with its slots filled; a slot gets its word once per conversation."""

        def word(match: re.Match[str]) -> str:
            slot = match.group(1)
            if slot not in self.library.slots:
                return match.group(0)
            return words.setdefault(slot, self.rng.choice(self.library.slots[slot]))

        return _SLOT.sub(word, text)

    def agent_turn(self, agent: Agent, turn: Turn, words: dict[str, str], memory: Memory) -> Node:
        """Returns the agent's node for one turn; `memory` grows by what was said."""
        node = Node(NodeKind.AGENT, agent.name, agent.service, self.now, agent=agent)
        self._pass(2, 9)
        if not memory.messages:
            memory.messages.append(Message("system", agent.instructions))
        memory.messages.append(Message("user", self.fill(turn.user, words)))
        if agent.dialect == "openinference" and agent.talks:
            node.children.append(self._guardrail(agent))
        for step in turn.steps:
            if step.kind == "search":
                node.children.append(self.search(agent, step, words))
                found = node.children[-1].content
                assert isinstance(found, Search)  # noqa: S101 - just built
                memory.messages.append(Message("user", "Context:\n" + "\n".join(found.documents)))
        acting = [step for step in turn.steps if step.kind != "search"]
        while acting:
            together, acting = self._batch(acting)
            self._think_and_act(node, together, words, memory)
        answer = Message("assistant", self.fill(turn.answer, words), reasoning=self._reasoning(agent))
        node.children.append(self.model_call(agent, memory, answer))
        self._pass(1, 5)
        node.end = self.now
        node.result = answer.text
        return node

    def _batch(self, steps: list[Step]) -> tuple[list[Step], list[Step]]:
        size = 2 if len(steps) > 1 and steps[0].kind == steps[1].kind == "tool" and self.rng.random() < 0.4 else 1
        return steps[:size], steps[size:]

    def _think_and_act(self, node: Node, steps: Sequence[Step], words: dict[str, str], memory: Memory) -> None:
        agent = node.agent
        assert agent is not None  # noqa: S101 - agent nodes have one
        calls = tuple(self._call_of(step, words) for step in steps)
        asked = Message("assistant", calls=calls, reasoning=self._reasoning(agent))
        node.children.append(self.model_call(agent, memory, asked))
        started, latest = self.now, self.now
        for step, call in zip(steps, calls, strict=True):
            self.now = started  # calls of one message run side by side
            acted = (
                self.delegate(agent, step, call, words)
                if step.kind == "delegate"
                else self.tool(agent, step, call, words)
            )
            node.children.append(acted)
            memory.messages.append(Message("tool", acted.result, answers=call.id))
            latest = max(latest, self.now)
        self.now = latest
        self._pass(1, 4)

    def _call_of(self, step: Step, words: dict[str, str]) -> ToolCall:
        arguments = step.arguments
        name = step.name
        if step.kind == "delegate":
            name, arguments = f"ask_{step.name.replace('-', '_')}", '{"task": "' + step.arguments + '"}'
        return ToolCall(f"call_{self.rng.getrandbits(64):016x}", name, self.fill(arguments, words))

    def _reasoning(self, agent: Agent) -> str:
        return "The question has two parts; first the facts, then the answer." if agent.model == "o4-mini" else ""

    def model_call(self, agent: Agent, memory: Memory, answer: Message) -> Node:
        """Returns a model call that says `answer`, and remembers it."""
        said = tuple(memory.messages)
        fresh = 420 + sum(len(m.text) + sum(len(c.arguments) for c in m.calls) for m in said) // 4
        prompt = fresh + 14 * len(said)
        cached = memory.cached_tokens if memory.cached_tokens < prompt else 0
        created = prompt - cached - 40 if MODELS[agent.model].provider == "anthropic" and prompt - cached > 60 else 0
        written = max(8, (len(answer.text) + sum(len(c.name + c.arguments) + 40 for c in answer.calls)) // 4)
        reasoning = self.rng.randrange(64, 400, 8) if answer.reasoning else 0
        usage = Usage(prompt, written + reasoning, cached, created, reasoning)
        first = self.rng.randrange(180, 900) * MS
        length = first + usage.output * 1_000_000_000 // _TOKENS_A_SECOND
        call = ModelCall(
            MODELS[agent.model],
            usage,
            said,
            answer,
            first if agent.streams else None,
            "tool_calls" if answer.calls else "stop",
        )
        node = Node(NodeKind.LLM, agent.model, agent.service, self.now, self.now + length, agent, call, span_kind=3)
        self.now += length
        self._pass(1, 6)
        memory.messages.append(answer)
        memory.cached_tokens = prompt // 128 * 128 if created == 0 else cached + created
        return node

    def tool(self, agent: Agent, step: Step, call: ToolCall, words: dict[str, str]) -> Node:
        """Returns a tool call with the MCP server that answers it and what the server asks."""
        node = Node(NodeKind.TOOL, step.name, agent.service, self.now, agent=agent, content=call)
        self._pass(1, 4)
        server = Node(
            NodeKind.PLAIN,
            f"tools/call {step.name}",
            step.service,
            self.now,
            span_kind=2,
            scope=("mcp.server", "1.2.0"),
        )
        server.attributes = {
            "mcp.method.name": "tools/call",
            "mcp.session.id": f"{self.rng.getrandbits(48):012x}",
            "rpc.system": "jsonrpc",
            "network.transport": "tcp",
        }
        self._pass(1, 3)
        server.children.append(self._backend_of(step))
        self._pass(1, 5)
        server.end = self.now
        self._pass(1, 3)
        node.children.append(server)
        node.end = self.now
        node.result = self.fill(step.result, words)
        return node

    def _backend_of(self, step: Step) -> Node:
        start = self.now
        self._pass(8, 240)
        if step.service in {"mcp-orders", "mcp-billing", "mcp-warehouse"}:
            table = step.name.split(".")[0]
            node = Node(
                NodeKind.PLAIN, f"SELECT {table}", step.service, start, self.now, span_kind=3, scope=("otelpgx", "0.9")
            )
            node.attributes = {
                "db.system.name": "postgresql",
                "db.namespace": "shop",
                "db.operation.name": "SELECT",
                "db.collection.name": table,
                "db.query.text": f"SELECT * FROM {table} WHERE id = $1",  # noqa: S608 - a text for people; nobody runs it
                "db.response.returned_rows": self.rng.randrange(1, 40),
                "server.port": 5432,
            }
            return node
        node = Node(NodeKind.PLAIN, "POST", step.service, start, self.now, span_kind=3, scope=("net/http", "0.61"))
        node.attributes = {
            "http.request.method": "POST",
            "http.response.status_code": 200,
            "url.full": f"https://{step.service}.internal.example/{step.name.replace('.', '/')}",
            "server.address": f"{step.service}.internal.example",
            "http.response.body.size": self.rng.randrange(200, 90_000),
        }
        return node

    def delegate(self, agent: Agent, step: Step, call: ToolCall, words: dict[str, str]) -> Node:
        """Returns the tool call by which an agent hands a task to another one, the other's turn inside."""
        other = AGENTS[step.name]
        node = Node(NodeKind.TOOL, call.name, agent.service, self.now, agent=agent, content=call)
        self._pass(1, 4)
        turn = self.library.stories[other.name][0][0]
        task = Turn(self.fill(step.arguments, words), turn.steps, turn.answer)
        inner = self.agent_turn(other, task, words, Memory())
        node.children.append(inner)
        self._pass(1, 3)
        node.end, node.result = self.now, inner.result
        return node

    def search(self, agent: Agent, step: Step, words: dict[str, str]) -> Node:
        """Returns a retrieval: the question is embedded, the vector database asked, some results re-ranked."""
        query = self.fill(step.name, words)
        documents = tuple(self.fill(text, words) for text in step.documents)
        node = Node(
            NodeKind.RETRIEVER,
            "retrieve",
            _retriever_of(agent),
            self.now,
            agent=agent,
            content=Search(query, documents),
        )
        self._pass(1, 3)
        node.children.append(self.embed(agent, query))
        start = self.now
        self._pass(4, 45)
        query_node = Node(
            NodeKind.PLAIN, "query kb", "vector-db", start, self.now, span_kind=2, scope=("qdrant", "1.15")
        )
        query_node.attributes = {
            "db.system.name": "qdrant",
            "db.operation.name": "query",
            "db.collection.name": "kb",
            "db.vector.query.top_k": 8,
            "db.response.returned_rows": len(documents),
            "server.port": 6334,
        }
        node.children.append(query_node)
        if agent.dialect == "openinference":
            ranked = Search(query, documents)
            node.children.append(
                Node(NodeKind.RERANKER, "rerank", _retriever_of(agent), self.now, self.now + 30 * MS, agent, ranked)
            )
            self.now += 31 * MS
        self._pass(1, 3)
        node.end = self.now
        return node

    def embed(self, agent: Agent, text: str) -> Node:
        """Returns an embedding call."""
        start = self.now
        self._pass(18, 90)
        call = ModelCall(EMBEDDING, Usage(input=max(3, len(text) // 4)), text=text)
        return Node(NodeKind.EMBEDDING, EMBEDDING.name, _retriever_of(agent), start, self.now, agent, call, span_kind=3)

    def _guardrail(self, agent: Agent) -> Node:
        start = self.now
        self._pass(6, 40)
        return Node(NodeKind.GUARDRAIL, "prompt_injection_check", agent.service, start, self.now, agent, result="pass")

    def _pass(self, low_ms: int, high_ms: int) -> None:
        self.now += self.rng.randrange(low_ms * 1000, high_ms * 1000) * 1000


def _retriever_of(agent: Agent) -> str:
    return agent.service if agent.dialect == "vercel_ai" else "retriever"


def entrance(player: Player, session: Session, agent_node: Node, status: int = 200) -> Node:
    """Returns the gateway's request around an agent's turn."""
    path = f"/v1/agents/{session.agent.name}/messages"
    root = Node(
        NodeKind.PLAIN,
        f"POST {path}",
        "gateway",
        agent_node.start - 6 * MS,
        player.now + 3 * MS,
        span_kind=2,
        scope=("otelhttp", "0.60"),
    )
    root.attributes = {
        "http.request.method": "POST",
        "url.path": path,
        "http.route": "/v1/agents/{agent}/messages",
        "http.response.status_code": status,
        "client.address": f"203.0.113.{player.rng.randrange(1, 250)}",
        "sampling.ratio": 1.0,
        "beta": player.rng.random() < 0.2,
    }
    if session.user is not None:
        root.attributes["user.id"] = session.user
    if session.tags:
        root.attributes["tags"] = list(session.tags)
    if session.agent.name == "code-reviewer":
        root.name, root.attributes["url.path"] = "POST /webhooks/git", "/webhooks/git"
        root.attributes["http.route"] = "/webhooks/git"
    root.children.append(agent_node)
    return root
