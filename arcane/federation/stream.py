"""An answer that leaves while it is being made.

Rows travel through buffers that hold little: whoever reads slowly makes the datasources wait. What is
remembered is bounded, so that an answer of a million rows takes no more memory than one of ten thousand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from arcane.federation.arrival import Arrivals
from arcane.federation.events import Ended, Ending, Event, Progress, Settled
from arcane.federation.merge import Position
from arcane.federation.newest import Lane, Newest
from arcane.federation.question import Found, StreamOrder
from arcane.federation.run import Batch, SourceRun
from arcane.federation.running import Running, places_of
from arcane.federation.together import beside
from arcane.model.deadline import Deadline
from arcane.model.ids import TraceId
from arcane.settings import LimitSettings
from arcane.spi.errors import TimedOut

_BUFFERED = 16
"""Most bunches of events that wait for the reader."""
_AHEAD = 1
"""Most batches of a datasource that wait for their turn in a merge."""


@asynccontextmanager
async def streamed(
    running: Running, deadline: Deadline, limits: LimitSettings
) -> AsyncGenerator[MemoryObjectReceiveStream[Sequence[Event]], None]:
    """Gives the events of `running` to whoever reads; leaving the block ends everything that is under way."""
    send, receive = anyio.create_memory_object_stream[Sequence[Event]](_BUFFERED)
    streaming = _Streaming(running, deadline, limits, send)
    async with beside() as group, receive:
        group.start_soon(streaming.drive)
        yield receive


@dataclass(slots=True)
class _Streaming:
    running: Running
    deadline: Deadline
    limits: LimitSettings
    send: MemoryObjectSendStream[Sequence[Event]]
    given: int = 0
    is_full: bool = False

    async def drive(self) -> None:
        """Returns when the last event is on its way."""
        in_order = self.running.question.order is StreamOrder.NEWEST
        async with self.send:
            found = await (self._newest() if in_order else self._arriving())
            await self.send.send([Ended(found, self._ending(found))])

    async def _newest(self) -> Found:
        ways = [anyio.create_memory_object_stream[Batch](_AHEAD) for _ in self.running.runs]
        senders = [sender for sender, _ in ways]
        lanes = [
            Lane(receiver, run.begin if run else None, ended=run is None)
            for (_, receiver), run in zip(ways, self.running.runs, strict=True)
        ]

        async def feed(index: int, run: SourceRun) -> None:
            async def give(batch: Batch) -> None:
                await senders[index].send(batch)
                self._progress(run)

            async with senders[index]:
                await run.collect(give)
            await self._settled(run)

        merged = Newest(self.running, lanes, self.limits.stream_seen_max)
        with anyio.move_on_after(self.deadline.remaining()), ExitStack() as held:
            for way in ways:
                for end in way:
                    held.enter_context(end)
            async with anyio.create_task_group() as feeding:
                feeding.start_soon(self.running.each_run, feed)
                async for events in merged.events():
                    await self.send.send(events)
                self.is_full = merged.taken >= self.running.question.limit
                feeding.cancel_scope.cancel()
        self._dismiss()
        return self._found_below(merged.places, merged.counts, merged.marks())

    async def _arriving(self) -> Found:
        question = self.running.question
        page_of_each = 0 if question.endless else question.limit * len(self.running.runs)
        arrivals = Arrivals(self.running, self.send, max(self.limits.stream_seen_max, page_of_each))
        enough = anyio.CancelScope(deadline=anyio.current_time() + self.deadline.remaining())

        async def collect(index: int, run: SourceRun) -> None:
            async def give(batch: Batch) -> None:
                if not question.endless:
                    run.rows += batch.rows
                await arrivals.give(index, batch)
                self._progress(run)
                self.given += len(batch.rows)
                if question.endless and self.given >= question.limit:
                    self.is_full = True
                    enough.cancel()

            arrivals.listen(index, run)
            await run.collect(give)
            await self._settled(run)

        with enough:
            await self.running.each_run(collect)
        self._dismiss()
        if question.endless:
            counts = Counter({index: run.given for index, run in enumerate(self.running.runs) if run})
            return self._found_below(places_of(self.running.runs), counts, arrivals.marks())
        page = await self.running.page()
        await arrivals.settle(page)
        self.is_full = len(page.hits) >= question.limit
        return self.running.found(page)

    def _progress(self, run: SourceRun) -> None:
        """Says how far the datasource is, unless the reader has enough to read."""
        room = self.send.statistics()
        if room.current_buffer_used < room.max_buffer_size // 2:
            source_id = run.asking.source.id
            self.send.send_nowait([Progress(source_id, run.given, run.walk.looked_at, round(run.elapsed_ms, 3))])

    async def _settled(self, run: SourceRun) -> None:
        await self.send.send([Settled(run.outcome(run.given))])

    def _dismiss(self) -> None:
        """What was under way when the answer had enough did what it was asked for, as far as it came."""
        question = self.running.question
        failed = any(run.error for run in self.running.runs if run)
        for run in self.running.runs:
            if run is None or (question.abort and failed):
                continue
            is_late = question.endless and (self.deadline.expired or self.is_full)
            if is_late and (not run.finished or isinstance(run.error, TimedOut)):
                run.error, run.cut, run.finished = None, True, True
            elif not run.finished and self.is_full:
                run.finished = True
            elif not run.finished:
                run.error, run.finished = TimedOut(), True

    def _found_below(self, places: Sequence[Position | None], counts: Counter[int], given: Sequence[TraceId]) -> Found:
        """Returns the end of an answer whose rows have all left."""
        outcome = self.running.outcome(counts)
        following = self.running.following(places, given)
        return Found((), (), outcome, following, self.running.all_failed, is_page=False)

    def _ending(self, found: Found) -> Ending:
        question = self.running.question
        runs = [run for run in self.running.runs if run]
        if self.is_full and found.resume is not None:
            return Ending.BOUND if question.endless else Ending.LIMIT
        if any(run.cut for run in runs):
            return Ending.BOUND
        if any(run.error for run in runs):
            return Ending.FAULT
        return Ending.RANGE if found.resume is None else Ending.BOUND
