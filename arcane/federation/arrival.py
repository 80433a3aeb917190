"""Rows in the order they arrive: each leaves when its datasource gives it, and again when another one adds to it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

from anyio import WouldBlock
from anyio.streams.memory import MemoryObjectSendStream

from arcane.federation.events import Arrived, Event
from arcane.federation.merge import Page, Position, Row, merge_hits
from arcane.federation.run import Batch, SourceRun
from arcane.federation.running import Running
from arcane.model.hit import TraceHit
from arcane.model.ids import TraceId
from arcane.spi.scan import Candidate


@dataclass(slots=True)
class _Known:
    """What has been said of a trace so far."""

    hit: TraceHit
    origins: set[int]
    position: Position


@dataclass(slots=True)
class Arrivals:
    """Announces rows of several datasources; remembers the latest traces, and what was said of them."""

    running: Running
    send: MemoryObjectSendStream[Sequence[Event]]
    remembered: int
    _known: OrderedDict[TraceId, _Known] = field(default_factory=OrderedDict)

    def listen(self, index: int, run: SourceRun) -> None:
        """Rows of `run` are announced while its scans are still under way, as long as there is room."""

        def early(candidates: Sequence[Candidate]) -> None:
            room = self.send.statistics()
            if room.current_buffer_used >= room.max_buffer_size:
                return
            events = self._events(index, run.early(candidates))
            if events:
                self.offer(events)

        run.asking.early = early

    async def give(self, index: int, batch: Batch) -> None:
        """Announces the rows that have not been; waits while the reader is busy."""
        events = self._events(index, batch.rows)
        if events:
            await self.send.send(events)
        if self.running.question.endless:
            await self._complete([row.hit.trace_id for row in batch.rows])

    def offer(self, events: Sequence[Event]) -> None:
        """Tells `events` if there is room for them."""
        try:
            self.send.send_nowait(events)
        except WouldBlock:
            return

    async def settle(self, page: Page) -> None:
        """Announces again what the page says differently of a trace."""
        events: list[Event] = []
        for hit, origin in zip(page.hits, page.origins, strict=True):
            known = self._known.get(hit.trace_id)
            if known is None or (known.hit, known.origins) != (hit, origin):
                position = known.position if known else hit.position
                events.append(self._event(hit.trace_id, _Known(hit, origin, position), again=known is not None))
        if events:
            await self.send.send(events)

    def marks(self) -> list[TraceId]:
        """Returns the latest traces, the oldest first."""
        return list(self._known)

    def _events(self, index: int, rows: Sequence[Row]) -> list[Event]:
        events: list[Event] = []
        for row in rows:
            known = self._known.get(row.hit.trace_id)
            if known is None:
                events.append(self._event(row.hit.trace_id, _Known(row.hit, {index}, row.position), again=False))
            elif index not in known.origins:
                merged = merge_hits(known.hit, row.hit, self.running.question.spans_per_trace)
                newer = _Known(merged, known.origins | {index}, max(known.position, row.position))
                events.append(self._event(row.hit.trace_id, newer, again=True))
        return events

    def _event(self, trace_id: TraceId, known: _Known, *, again: bool) -> Arrived:
        self._known[trace_id] = known
        if len(self._known) > self.remembered:
            self._known.popitem(last=False)
        running = self.running
        whole = running.is_whole(known.origins)
        return Arrived(known.hit, running.names(known.origins), known.position, again, whole)

    async def _complete(self, trace_ids: Sequence[TraceId]) -> None:
        """Looks up what the other datasources have of traces that came without their root."""
        known = {one: self._known[one] for one in trace_ids if one in self._known}
        if len(self.running.askings) == 1 or all(one.hit.root_name is not None for one in known.values()):
            return
        page = Page([one.hit for one in known.values()], [set(one.origins) for one in known.values()], [])
        await self.running.complete(page)
        events: list[Event] = []
        for (trace_id, before), hit, origins in zip(known.items(), page.hits, page.origins, strict=True):
            if hit == before.hit and origins == before.origins:
                continue
            now = self._known.get(trace_id, before)
            if not now.origins <= origins:  # another datasource was quicker than the look-up, and knew more
                hit = merge_hits(hit, now.hit, self.running.question.spans_per_trace)
            events.append(self._event(trace_id, _Known(hit, origins | now.origins, now.position), again=True))
        if events:
            await self.send.send(events)
