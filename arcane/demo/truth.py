"""What the demo holds, counted while it is made: tests compare every other count with these."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from arcane.demo.nodes import ModelCall, Node


class Tokens(msgspec.Struct):
    """Sums over model calls. `input` includes cached and cache creation, `output` includes reasoning."""

    input: int = 0
    output: int = 0
    cached: int = 0
    cache_creation: int = 0
    reasoning: int = 0


class Tally(msgspec.Struct):
    """What belongs to one agent, conversation, user, environment, dialect, model, trace or the whole.

    Costs are US dollars: `reported` stands on spans, `priced` follows from the list price;
    `unpriced_calls` counts the calls of models without one.
    """

    traces: int = 0
    spans: int = 0
    error_spans: int = 0
    error_traces: int = 0
    model_calls: int = 0
    tool_calls: int = 0
    tokens: Tokens = msgspec.field(default_factory=Tokens)
    cost_reported: Decimal = Decimal(0)
    cost_priced: Decimal = Decimal(0)
    unpriced_calls: int = 0

    @property
    def cost(self) -> Decimal:
        """Dollars in all."""
        return self.cost_reported + self.cost_priced

    def add_call(self, call: ModelCall, *, reports_cost: bool) -> None:
        """Counts a model call that answered."""
        usage = call.usage
        self.model_calls += 1
        self.tokens.input += usage.input
        self.tokens.output += usage.output
        self.tokens.cached += usage.cached
        self.tokens.cache_creation += usage.created
        self.tokens.reasoning += usage.reasoning
        cost = call.model.cost(usage.input - usage.cached - usage.created, usage.output, usage.cached, usage.created)
        if cost is None:
            self.unpriced_calls += 1
        elif reports_cost:
            self.cost_reported += cost
        else:
            self.cost_priced += cost


class Truth(msgspec.Struct):
    """The content of truth.json. Files are relative to the folder; times are nanoseconds since the epoch."""

    seed: int
    start: int
    end: int
    total: Tally = msgspec.field(default_factory=Tally)
    agents: dict[str, Tally] = msgspec.field(default_factory=dict)
    conversations: dict[str, Tally] = msgspec.field(default_factory=dict)
    users: dict[str, Tally] = msgspec.field(default_factory=dict)
    environments: dict[str, Tally] = msgspec.field(default_factory=dict)
    dialects: dict[str, Tally] = msgspec.field(default_factory=dict)
    models: dict[str, Tally] = msgspec.field(default_factory=dict)
    services: dict[str, Tally] = msgspec.field(default_factory=dict)
    traces: dict[str, Tally] = msgspec.field(default_factory=dict)
    files: dict[str, dict[str, int]] = msgspec.field(default_factory=dict)
    folders: dict[str, Tally] = msgspec.field(default_factory=dict)
    large_trace: str = ""
    rootless_trace: str = ""
    traces_in_two_folders: int = 0
    links: int = 0
    exceptions: int = 0


def reports_cost(node: Node) -> bool:
    """True where the node's dialect writes the cost on the span (see dialects/pydantic_ai.py, openinference.py)."""
    agent = node.agent
    if agent is None or node.kind != "llm":
        return False
    return agent.dialect == "pydantic_ai" or agent.style == "priced"
