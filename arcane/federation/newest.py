"""Rows of several datasources, newest first, without an end: a merge that holds only what is next of each."""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

from anyio import EndOfStream
from anyio.streams.memory import MemoryObjectReceiveStream

from arcane.federation.events import Arrived
from arcane.federation.merge import Page, Position, Row, merge_hits
from arcane.federation.run import Batch
from arcane.federation.running import Running
from arcane.model.ids import TraceId

_AT_ONCE = 50
"""Most rows that are held back to be completed and sent together."""


@dataclass(slots=True)
class Lane:
    """What one datasource has given and nobody has taken yet; everything that is still to come lies below `place`."""

    batches: MemoryObjectReceiveStream[Batch]
    place: Position | None
    ended: bool = False
    rows: deque[Row] = field(default_factory=deque)
    _frontier: Position | None = None

    async def fill(self) -> None:
        """Returns when the next batch is there, or the end."""
        try:
            batch = await self.batches.receive()
        except EndOfStream:
            self.ended = True
            return
        self.rows.extend(batch.rows)
        self._frontier = batch.frontier
        if not self.rows:
            self.place = batch.frontier

    def take(self) -> Row:
        """Returns the next row; the datasource goes on below it."""
        row = self.rows.popleft()
        self.place = row.position if self.rows else self._frontier
        return row

    def is_behind(self, position: Position) -> bool:
        """True when a row at `position`, or above it, may still come and is not here yet."""
        return not self.rows and not self.ended and self.place is not None and self.place > position


@dataclass(slots=True)
class Newest:
    """Takes rows from lanes in order. Remembers the latest traces, so that older parts of them are not given again."""

    running: Running
    lanes: Sequence[Lane]
    remembered: int
    counts: Counter[int] = field(default_factory=Counter)
    taken: int = 0
    _seen: OrderedDict[TraceId, None] = field(default_factory=OrderedDict)

    async def events(self) -> AsyncGenerator[list[Arrived], None]:
        """Yields the rows in order until there are as many as were asked for, or none are left."""
        limit = self.running.question.limit
        while self.taken < limit:
            page, positions = self._page(limit)
            if page.hits:
                self.taken += len(page.hits)
                await self.running.complete(page)
                yield self._arrived(page, positions)
            elif (lane := self._next_to_fill()) is not None:
                await lane.fill()
            else:
                return

    @property
    def places(self) -> list[Position | None]:
        """Where each datasource goes on below the rows that were taken."""
        return [lane.place for lane in self.lanes]

    def marks(self) -> list[TraceId]:
        """Returns the latest traces, the oldest first."""
        return list(self._seen)

    def _page(self, limit: int) -> tuple[Page, list[Position]]:
        """Takes the rows whose turn it is and that are here."""
        page, positions = Page([], [], []), list[Position]()
        at: dict[TraceId, int] = {}
        while (index := self._turn()) is not None:
            trace_id = self.lanes[index].rows[0].hit.trace_id
            if trace_id in at:
                place = at[trace_id]
                hit = self.lanes[index].take().hit
                page.hits[place] = merge_hits(page.hits[place], hit, self.running.question.spans_per_trace)
                page.origins[place].add(index)
            elif trace_id in self._seen:
                self.lanes[index].take()
            elif len(page.hits) >= min(_AT_ONCE, limit - self.taken):
                break
            else:
                at[trace_id] = len(page.hits)
                row = self.lanes[index].take()
                positions.append(row.position)
                page.hits.append(row.hit)
                page.origins.append({index})
        for trace_id in at:
            self._remember(trace_id)
        return page, positions

    def _turn(self) -> int | None:
        """Returns the lane with the newest row; None while a newer one may come from a lane that is empty now."""
        best: int | None = None
        newest: Position | None = None
        for index, lane in enumerate(self.lanes):
            if lane.rows and (newest is None or lane.rows[0].position > newest):
                best, newest = index, lane.rows[0].position
        if newest is None or any(lane.is_behind(newest) for lane in self.lanes):
            return None
        return best

    def _next_to_fill(self) -> Lane | None:
        """Returns the empty lane that everyone waits for: the one that may give the newest row."""
        empty = [lane for lane in self.lanes if not lane.rows and not lane.ended]
        return max(empty, key=lambda lane: lane.place or (-1, ""), default=None)

    def _remember(self, trace_id: TraceId) -> None:
        if len(self.lanes) > 1:
            self._seen[trace_id] = None
            if len(self._seen) > self.remembered:
                self._seen.popitem(last=False)

    def _arrived(self, page: Page, positions: Sequence[Position]) -> list[Arrived]:
        events = []
        running = self.running
        for at, (hit, origins, position) in enumerate(zip(page.hits, page.origins, positions, strict=True)):
            self.counts.update(origins)
            whole = running.is_whole(origins, looked_up=at in page.looked_up)
            events.append(Arrived(hit, running.names(origins), position, whole=whole))
        return events
