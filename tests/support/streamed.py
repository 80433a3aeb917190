"""Reads a stream of events to its end, as a client does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from arcane.federation.events import Arrived, Ended, Event, Progress, Settled
from arcane.federation.execute import Engine
from arcane.federation.question import Question, Resume, StreamOrder
from arcane.federation.source import Source
from arcane.model.deadline import Deadline
from arcane.model.hit import TraceHit
from arcane.model.ids import TraceId
from arcane.model.outcome import SourceOutcome


@dataclass
class Streamed:
    """What a client knows after some events. A trace that arrives again takes the place of what was there."""

    order: StreamOrder
    hits: dict[TraceId, Arrived] = field(default_factory=dict)
    settled: list[SourceOutcome] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    end: Ended | None = None

    def take(self, events: Sequence[Event]) -> None:
        assert self.end is None, "nothing follows the end"
        for event in events:
            self.events.append(event)
            match event:
                case Arrived(hit, _, _, again):
                    assert again == (hit.trace_id in self.hits)
                    self.hits[hit.trace_id] = event
                case Settled(outcome):
                    self.settled.append(outcome)
                case Ended():
                    self.end = event
                case Progress():
                    pass

    @property
    def ended(self) -> Ended:
        assert self.end is not None, "the last event is the end"
        return self.end

    @property
    def page(self) -> list[TraceHit]:
        """The rows as a client shows them in the end."""
        if self.order is StreamOrder.NEWEST:
            positions = [one.position for one in self.hits.values()]
            assert positions == sorted(positions, reverse=True)
            return [one.hit for one in self.hits.values()]
        if self.ended.found.hits:
            return [self.hits[hit.trace_id].hit for hit in self.ended.found.hits]
        return [one.hit for one in sorted(self.hits.values(), key=lambda one: one.position, reverse=True)]


async def streamed(
    engine: Engine, question: Question, sources: Sequence[Source], resume: Resume | None = None
) -> Streamed:
    """Returns everything that a stream says."""
    got = Streamed(question.order)
    async with engine.stream(question, sources, resume, Deadline.after(20)) as bunches:
        async for events in bunches:
            got.take(events)
    return got
