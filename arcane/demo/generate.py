"""Writes the demo: a day of twelve agents, the same bytes for the same seed and end."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

import msgspec

from arcane.demo.cast import (
    AGENTS,
    ENGINEERING,
    ENVIRONMENTS,
    PLATFORM,
    STOREFRONT,
    USERS,
    Agent,
    Library,
    Turn,
    load_stories,
)
from arcane.demo.nodes import Link, Node, NodeKind, Session
from arcane.demo.play import MS, Memory, Player, entrance
from arcane.demo.record import Recorder
from arcane.demo.reindex import reindex
from arcane.demo.schedule import MINUTE, SECOND, moments, shares, turn_times
from arcane.demo.troubles import break_something
from arcane.demo.truth import Truth

DEFAULT_SEED = 7
DEFAULT_END = 1_795_262_400_000_000_000  # 2026-11-21T12:00:00Z
TRACES = 500
CONVERSATIONS = 40
CONVERSATION_TURNS = 400
ERROR_TRACES = 40
LARGE_TRACE_SPANS = 5_000
FOLDERS = (STOREFRONT, ENGINEERING, PLATFORM)
_ALONE = {"code-reviewer": 49, "incident-responder": 20, "research-agent": 18, "data-analyst": 12}
_LIVE_CONVERSATIONS = 3  # still going on when the demo ends
_QUEUE: dict[str, object] = {"messaging.system": "kafka", "messaging.destination.name": "usage.recorded"}


def write_demo(folder: Path, *, seed: int = DEFAULT_SEED, end: int | None = None) -> Truth:
    """The folder holds the demo's OTLP files, one folder a datasource, and truth.json; returns the truth.

    All times lie in the 24 hours before `end` (nanoseconds since the epoch). Older demo files there are replaced.
    """
    recorder = _Day(random.Random(seed), load_stories(), DEFAULT_END if end is None else end).play(seed)  # noqa: S311
    truth = recorder.write(folder)
    (folder / "truth.json").write_bytes(msgspec.json.format(msgspec.json.encode(truth), indent=1) + b"\n")
    return truth


@dataclass(slots=True)
class _Day:
    rng: random.Random
    library: Library
    end: int

    def play(self, seed: int) -> Recorder:
        recorder = Recorder(self.rng, Truth(seed=seed, start=self.end, end=0))
        broken = set(self.rng.sample(range(TRACES - 1), ERROR_TRACES - 1))  # the large trace has errors too
        rootless = self.rng.choice([n for n in range(CONVERSATION_TURNS) if n not in broken])
        for session, times in (*self._conversations(), *self._alone()):
            self._session(recorder, session, times, (broken, rootless))
        self._large(recorder)
        return recorder

    def _session(self, recorder: Recorder, session: Session, times: list[int], odd: tuple[set[int], int]) -> None:
        """Plays one conversation or one lone request. `odd` are the traces that fail and the one without a root."""
        broken, rootless = odd
        memory = Memory()
        words: dict[str, str] = {}
        previous: tuple[str, str] | None = None
        for turn, time in zip(self._turns(session.agent, len(times)), times, strict=True):
            number = len(recorder.truth.traces)
            player = Player(self.rng, self.library, time)
            agent_node = player.agent_turn(session.agent, turn, words, memory)
            root = entrance(player, session, agent_node)
            if number in broken:
                break_something(self.rng, root, agent_node, memory)
            if self.rng.random() < 0.3:
                agent_node.children.append(self._billing(session.agent, agent_node.end))
            if previous is not None:
                root.links.append(Link(*previous, "previous_turn"))
            trace_id = recorder.record(root, session, without_root=number == rootless)
            previous = (trace_id, agent_node.span_id)

    def _conversations(self) -> list[tuple[Session, list[int]]]:
        talkers = [agent for agent in AGENTS.values() if agent.talks]
        lengths = shares(self.rng, CONVERSATION_TURNS, CONVERSATIONS, 4)
        starts = moments(self.rng, self.end, CONVERSATIONS)
        found = []
        for index, (length, start) in enumerate(zip(lengths, starts, strict=True)):
            session = Session(
                talkers[index % len(talkers)],
                ENVIRONMENTS[index % len(ENVIRONMENTS)],
                f"conv-{self.rng.getrandbits(40):010x}",
                USERS[index % len(USERS)],
                tuple(sorted(self.rng.sample(("beta", "mobile", "vip", "eu", "trial"), 2))),
            )
            live = index < _LIVE_CONVERSATIONS
            found.append(
                (session, turn_times(self.rng, self.end if live else start, length, self.end - index * MINUTE))
            )
        return found

    def _alone(self) -> list[tuple[Session, list[int]]]:
        found = []
        for name, count in _ALONE.items():
            for index, start in enumerate(moments(self.rng, self.end, count)):
                session = Session(AGENTS[name], ENVIRONMENTS[index % len(ENVIRONMENTS)], None, None)
                found.append((session, [start]))
        return found

    def _turns(self, agent: Agent, count: int) -> list[Turn]:
        stories = list(self.library.stories[agent.name])
        self.rng.shuffle(stories)
        turns = [turn for story in stories for turn in story]
        return [turns[index % len(turns)] for index in range(count)]

    def _billing(self, agent: Agent, time: int) -> Node:
        """Returns an event to the billing service, which handles it after the answer has gone out."""
        publish = Node(NodeKind.PLAIN, "usage.recorded publish", agent.service, time - 2 * MS, time - MS)
        publish.span_kind, publish.scope = 4, ("kafka", "3.9")
        publish.attributes = {"messaging.operation.type": "publish"} | _QUEUE
        start = time + self.rng.randrange(20, 900) * MS
        process = Node(NodeKind.PLAIN, "usage.recorded process", "billing", start)
        process.end = start + self.rng.randrange(2, 30) * MS
        process.span_kind, process.scope = 5, ("io.opentelemetry.kafka-clients", "2.20")
        process.attributes = _QUEUE | {
            "messaging.operation.type": "process",
            "messaging.kafka.offset": self.rng.randrange(1, 10**7),
            "amount": round(self.rng.random() / 10, 4),
            "currency": "EUR",
        }
        publish.children.append(process)
        return publish

    def _large(self, recorder: Recorder) -> None:
        session = Session(AGENTS["research-agent"], "production", None, None)
        start = self.end - 9 * 60 * MINUTE + 7 * SECOND
        root = reindex(Player(self.rng, self.library, start), start, LARGE_TRACE_SPANS)
        recorder.truth.large_trace = recorder.record(root, session)
