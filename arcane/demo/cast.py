"""Who appears in the demo: agents, services, people, models and their prices."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from decimal import Decimal
from importlib.resources import files

STOREFRONT = "storefront"
ENGINEERING = "engineering"
PLATFORM = "platform"

USERS = (
    "ada@globex.example",
    "ben@initech.example",
    "chloe@hooli.example",
    "dmitri@stark.example",
    "emeka@umbrella.example",
)
ENVIRONMENTS = ("production", "production", "production", "staging")  # three conversations in four are production


@dataclass(frozen=True, slots=True)
class Model:
    """A model with its list price in US dollars per million tokens; `rates` is None for a private model."""

    name: str
    provider: str
    rates: tuple[Decimal, Decimal, Decimal, Decimal] | None  # input, output, cache read, cache creation

    def cost(self, uncached: int, output: int, cached: int, created: int) -> Decimal | None:
        """Returns the price of a call, None for a private model."""
        if self.rates is None:
            return None
        counts = (uncached, output, cached, created)
        return sum((rate * count for rate, count in zip(self.rates, counts, strict=True)), Decimal(0)) / 1_000_000


def _rates(*dollars: str) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    first, second, third, fourth = (Decimal(text) for text in dollars)
    return first, second, third, fourth


MODELS = {
    model.name: model
    for model in (
        Model("gpt-4o", "openai", _rates("2.5", "10", "1.25", "2.5")),
        Model("gpt-4o-mini", "openai", _rates("0.15", "0.6", "0.075", "0.15")),
        Model("o4-mini", "openai", _rates("1.1", "4.4", "0.275", "1.1")),
        Model("claude-sonnet-4-5", "anthropic", _rates("3", "15", "0.3", "3.75")),
        Model("claude-haiku-4-5", "anthropic", _rates("1", "5", "0.1", "1.25")),
        Model("gemini-2.5-flash", "google", _rates("0.3", "2.5", "0.03", "0.3")),
        Model("text-embedding-3-small", "openai", _rates("0.02", "0", "0.02", "0.02")),
        Model("atlas-70b-instruct", "vllm", None),  # runs on own machines: no list price
    )
}
EMBEDDING = MODELS["text-embedding-3-small"]


@dataclass(frozen=True, slots=True)
class Agent:
    """One of the twelve agents. `style` picks a variant within a dialect (see the dialect's file)."""

    name: str
    team: str
    dialect: str
    model: str
    service: str
    instructions: str
    style: str = ""
    streams: bool = False
    talks: bool = True  # people hold conversations with it; False: started by other agents or by events


AGENTS = {
    agent.name: agent
    for agent in (
        Agent(
            "support-agent",
            STOREFRONT,
            "otel_genai",
            "gpt-4o",
            "support-api",
            "You are the support agent of a shop for home and travel goods. Be brief and kind.",
            "attributes",
        ),
        Agent(
            "returns-agent",
            STOREFRONT,
            "otel_genai",
            "gpt-4o-mini",
            "support-api",
            "You handle returns. Check eligibility before you promise anything.",
            "events",
        ),
        Agent(
            "billing-agent",
            STOREFRONT,
            "openllmetry",
            "claude-haiku-4-5",
            "billing-assistant",
            "You explain invoices. Never guess an amount: look it up.",
        ),
        Agent(
            "onboarding-agent",
            STOREFRONT,
            "vercel_ai",
            "gemini-2.5-flash",
            "web-app",
            "You help new customers to set up their workspace.",
            streams=True,
        ),
        Agent(
            "sales-agent",
            STOREFRONT,
            "vercel_ai",
            "atlas-70b-instruct",
            "web-app",
            "You sell to companies. Quote only from the catalogue.",
            streams=True,
        ),
        Agent(
            "research-agent",
            ENGINEERING,
            "openinference",
            "gpt-4o",
            "research-api",
            "You lead a small research team. Split the work, then check what comes back.",
            streams=True,
        ),
        Agent(
            "web-researcher",
            ENGINEERING,
            "openinference",
            "gpt-4o-mini",
            "research-api",
            "You collect sources. Quote numbers with their origin.",
            talks=False,
        ),
        Agent(
            "report-writer",
            ENGINEERING,
            "openinference",
            "gpt-4o",
            "research-api",
            "You write short briefings. Cite every number.",
            "priced",
            talks=False,
        ),
        Agent(
            "code-reviewer",
            ENGINEERING,
            "pydantic_ai",
            "claude-sonnet-4-5",
            "ci-hooks",
            "You review pull requests. Name at most five findings, most important first.",
            talks=False,
        ),
        Agent(
            "coding-agent",
            ENGINEERING,
            "openllmetry",
            "claude-sonnet-4-5",
            "coding-agent",
            "You fix bugs in a sandbox. Run the tests before you say that you are done.",
        ),
        Agent(
            "incident-responder",
            ENGINEERING,
            "pydantic_ai",
            "gpt-4o",
            "oncall-bot",
            "You help the engineer on call. Propose, and act only when told.",
            streams=True,
        ),
        Agent(
            "data-analyst",
            ENGINEERING,
            "otel_genai",
            "o4-mini",
            "analytics-api",
            "You answer questions about the business from the warehouse.",
            "structured",
        ),
    )
}
DIALECTS = ("otel_genai", "openinference", "openllmetry", "vercel_ai", "pydantic_ai")

LANGUAGES = {
    "gateway": "go",
    "retriever": "python",
    "vector-db": "rust",
    "billing": "java",
    "web-app": "nodejs",
    "ingest": "python",
    "mcp-git": "go",
    "mcp-sandbox": "go",
    "mcp-web": "nodejs",
}

_SHARED = frozenset({"billing", "mcp-orders", "mcp-billing", "mcp-workspace"})


def folder_of(service: str, team: str) -> str:
    """Returns the folder a service's spans are written to: shared services report to the platform team."""
    return PLATFORM if service in _SHARED else team


@dataclass(frozen=True, slots=True)
class Step:
    """One thing an agent does within a turn: a tool call, a search, or a task for another agent."""

    kind: str
    name: str
    service: str = ""
    arguments: str = ""
    result: str = ""
    documents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """What a person says, what the agent does about it, and what it answers."""

    user: str
    steps: tuple[Step, ...]
    answer: str


@dataclass(frozen=True, slots=True)
class Library:
    """All stories: agent -> stories -> turns, and the words that fill them."""

    stories: dict[str, tuple[tuple[Turn, ...], ...]] = field(default_factory=dict)
    slots: dict[str, list[str]] = field(default_factory=dict)


def load_stories() -> Library:
    """Returns the stories of the package."""
    stories: dict[str, tuple[tuple[Turn, ...], ...]] = {}
    slots: dict[str, list[str]] = {}
    for name in (STOREFRONT, ENGINEERING):
        document = tomllib.loads(files("arcane.demo").joinpath("stories", f"{name}.toml").read_text("utf-8"))
        slots.update(document["slots"])
        for story in document["story"]:
            turns = tuple(
                Turn(turn["user"], tuple(_step(step) for step in turn["steps"]), turn["answer"])
                for turn in story["turn"]
            )
            stories[story["agent"]] = (*stories.get(story["agent"], ()), turns)
    return Library(stories, slots)


def _step(row: dict[str, object]) -> Step:
    if "tool" in row:
        return Step("tool", str(row["tool"]), str(row["on"]), str(row["args"]), str(row["result"]))
    if "search" in row:
        documents = row["documents"]
        assert isinstance(documents, list)  # noqa: S101 - the stories ship with the package
        return Step("search", str(row["search"]), documents=tuple(map(str, documents)))
    return Step("delegate", str(row["delegate"]), arguments=str(row["task"]))
