"""An answer on its way: what happens while it is made, without what is hidden from the caller."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from arcane.federation.cursor import encode_cursor
from arcane.federation.events import Arrived, Ended, Ending, Event, Progress, Settled
from arcane.federation.merge import Position
from arcane.federation.question import Found, Question, Resume
from arcane.federation.source import Source
from arcane.kit.pagination import Cursors
from arcane.model.ids import TraceId
from arcane.model.outcome import SourceOutcome
from arcane.redaction.visibility import redact_hit
from arcane.traces.questions import FoundTrace


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that can be asked: checked, scoped, and with the datasources it is put to."""

    question: Question
    sources: tuple[Source, ...]
    skipped: tuple[SourceOutcome, ...]
    resume: Resume | None
    mark: bytes
    """What its cursors are bound to."""
    hidden: frozenset[str]

    @property
    def names(self) -> Mapping[str, str]:
        """The names of the datasources by id."""
        return {source.id: source.name for source in self.sources}


@dataclass(frozen=True, slots=True)
class TraceArrived:
    """A trace that matches; `position` is its place in the order newest first. See federation.events.Arrived."""

    found: FoundTrace
    position: Position
    again: bool


@dataclass(frozen=True, slots=True)
class AnswerEnded:
    """The last event: the page in its order (None where rows left in order, or without a limit), and how it ended."""

    order: tuple[TraceId, ...] | None
    ending: Ending
    next: str | None
    complete: bool
    sources: tuple[SourceOutcome, ...]
    found: Found


AnswerEvent: TypeAlias = "TraceArrived | Progress | Settled | AnswerEnded"


@dataclass(frozen=True, slots=True)
class Arriving:
    """Events of an answer, several at a time; whoever stops waiting for the next ones loses none."""

    asked: Asked
    cursors: Cursors
    bunches: AsyncIterator[Sequence[Event]]
    names: Mapping[str, str]

    def __aiter__(self) -> Arriving:
        return self

    async def __anext__(self) -> list[AnswerEvent]:
        return [self._event(event) for event in await anext(self.bunches)]

    def _event(self, event: Event) -> AnswerEvent:
        match event:
            case Arrived(hit, origins, position, again, whole):
                names = tuple(self.names[one] for one in origins)
                found = FoundTrace(redact_hit(hit, self.asked.hidden), origins, names, whole)
                return TraceArrived(found, position, again)
            case Ended(found, ending):
                return self._end(found, ending)
        return event

    def _end(self, found: Found, ending: Ending) -> AnswerEnded:
        following = encode_cursor(self.cursors, self.asked.mark, found.resume) if found.resume else None
        order = tuple(hit.trace_id for hit in found.hits) if found.is_page else None
        complete = found.outcome.complete and not self.asked.skipped
        return AnswerEnded(order, ending, following, complete, found.outcome.sources + self.asked.skipped, found)
