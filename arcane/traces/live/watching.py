"""One watcher of a tail: reads the logs of its datasources, and makes one trace of what they say about it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import reduce

from arcane.federation.merge import merge_hits
from arcane.model.hit import TraceHit
from arcane.model.ids import TraceId
from arcane.model.outcome import SourceOutcome
from arcane.redaction.visibility import redact_hit
from arcane.traces.live.hub import Bell
from arcane.traces.live.poller import Entry, SourceTail
from arcane.traces.questions import FoundTrace

_ENTRIES_AT_ONCE = 100
_SPLIT_TRACES = 1_000
"""Latest traces of which is remembered what each datasource said, so that their parts stay together."""


@dataclass(frozen=True, slots=True)
class WatchedSource:
    """A datasource that is polled; `whole` says that conditions on traces are judged on what it alone has."""

    id: str
    name: str
    kind: str
    whole: bool


@dataclass(frozen=True, slots=True)
class Opened:
    """The tail has begun."""

    canonical: str
    sources: tuple[WatchedSource, ...]
    poll_s: float
    overlap_s: float


@dataclass(frozen=True, slots=True)
class Traced:
    """A trace that matches; `again` when it takes the place of what was said of it before."""

    found: FoundTrace
    again: bool


@dataclass(frozen=True, slots=True)
class Polled:
    """A datasource was asked once more."""

    outcome: SourceOutcome
    at: int


@dataclass(frozen=True, slots=True)
class Dropped:
    """So many traces were not taken in time and are gone."""

    count: int


@dataclass(frozen=True, slots=True)
class Ended:
    """The tail is over. `reason` is a problem's slug, or `changed`: come back and it goes on."""

    reason: str
    message: str


TailEvent = Opened | Traced | Polled | Dropped | Ended


@dataclass(slots=True)
class _Reading:
    tail: SourceTail
    number: int
    polls: int = 0

    @property
    def settled_at(self) -> int:
        """Everything that was told up to this moment has been taken."""
        return self.tail.told_until(self.number)


@dataclass(slots=True)
class Watcher:
    """Takes what is new, in the order in which it was found. Holds places in logs, and no queue."""

    readings: Sequence[_Reading]
    spans_per_trace: int
    bell: Bell = field(default_factory=Bell)
    _parts: OrderedDict[TraceId, dict[str, TraceHit]] = field(default_factory=OrderedDict)

    @classmethod
    def of(cls, tails: Sequence[SourceTail], spans_per_trace: int, since: int) -> Watcher:
        """Returns a watcher that knows what was told up to `since`."""
        return cls([_Reading(tail, tail.place_of(since)) for tail in tails], spans_per_trace)

    @property
    def mark(self) -> int:
        """Everything found up to this moment has been taken; whoever comes back goes on from here."""
        return min((reading.settled_at for reading in self.readings), default=0)

    @property
    def broken(self) -> bool:
        """True when nothing more comes from one of the datasources."""
        return any(reading.tail.broken for reading in self.readings)

    @property
    def behind(self) -> bool:
        """True when there is more to take at once."""
        return any(reading.number < reading.tail.numbers for reading in self.readings)

    def take(self, hidden: frozenset[str]) -> list[TailEvent]:
        """Returns what is new, without the values that are hidden; never waits."""
        events: list[TailEvent] = []
        found: list[tuple[Entry, SourceTail]] = []
        for reading in self.readings:
            entries, lost = reading.tail.after(reading.number, _ENTRIES_AT_ONCE)
            if lost:
                events.append(Dropped(lost))
                reading.number += lost
            if entries:
                reading.number = entries[-1].number
            found += [(entry, reading.tail) for entry in entries]
        found.sort(key=lambda one: one[0].at)
        events += [self._traced(entry, tail, hidden) for entry, tail in found]
        return [*events, *self._polled()]

    def _polled(self) -> Iterator[Polled]:
        for reading in self.readings:
            last = reading.tail.last
            if last is not None and last.number > reading.polls:
                reading.polls = last.number
                yield Polled(last.outcome, last.at)

    def _traced(self, entry: Entry, tail: SourceTail, hidden: frozenset[str]) -> Traced:
        trace_id = entry.hit.trace_id
        parts = self._parts.pop(trace_id, {})
        again = entry.again or bool(parts)
        parts[tail.source.id] = entry.hit
        self._parts[trace_id] = parts
        if len(self._parts) > _SPLIT_TRACES:
            self._parts.popitem(last=False)
        names = {reading.tail.source.id: reading.tail.source.name for reading in self.readings}
        whole = reduce(lambda one, other: merge_hits(one, other, self.spans_per_trace), parts.values())
        shown, is_whole = redact_hit(whole, hidden), len(parts) == len(self.readings)
        found = FoundTrace(shown, tuple(parts), tuple(names[one] for one in parts), is_whole)
        return Traced(found, again)
