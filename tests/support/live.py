"""Live views over sources in memory that grow while somebody watches, in a time that a test moves."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID, uuid4

import anyio

from arcane.access.permissions import TRACES_READ
from arcane.kit.actor import Actor, ActorKind
from arcane.kit.problems import NotSignedIn
from arcane.model.deadline import Deadline
from arcane.model.trace import Trace
from arcane.settings import LimitSettings, LiveSettings
from arcane.spi.capabilities import Capabilities
from arcane.spi.scan import ScanPage, ScanRequest
from arcane.traces.live.tail import TailRequest
from arcane.traces.live.watching import TailEvent
from arcane.traces.live.wiring import Live, build_live
from datasources.memory.adapter import Faults, MemoryAdapter
from datasources.memory.plugin import EVERYTHING
from tests.support.asking import Scope, Shelf, service_on
from tests.support.clock import SetClock

OFTEN = LiveSettings(poll_s=0.01, recheck_s=0.05, overlap_s=30, catch_up_s=300, quiet_s=60)
PATIENCE_S = 20.0


class Growing(MemoryAdapter):
    """A backend in memory that gets more while it is asked."""

    def __init__(self, can: Capabilities = EVERYTHING) -> None:
        super().__init__([], can)
        self._next_faults, self._scans_left = self._faults, 0

    def put(self, *traces: Trace) -> None:
        """The backend has `traces`; one with the id of another takes its place."""
        self._traces = {**self._traces, **{trace.trace_id: trace for trace in traces}}

    def fail(self, faults: Faults, after_scans: int = 0) -> None:
        """From now on, or after so many scans more, this goes wrong."""
        self._next_faults, self._scans_left = faults, after_scans
        if not after_scans:
            self._faults = faults

    async def scan(self, request: ScanRequest, deadline: Deadline) -> AsyncGenerator[ScanPage, None]:
        if not self._scans_left:
            self._faults = self._next_faults
        self._scans_left = max(0, self._scans_left - 1)
        async with aclosing(super().scan(request, deadline)) as pages:
            async for page in pages:
                yield page


@dataclass(slots=True)
class Stage:
    """What is live, and everything a test turns."""

    live: Live
    shelf: Shelf
    scope: Scope
    clock: SetClock
    actor: Actor
    revoked: bool = False
    sources: dict[str, Growing] = field(default_factory=dict)

    def add(self, name: str, can: Capabilities = EVERYTHING) -> Growing:
        """Returns a new datasource that holds nothing."""
        made = self.sources[name] = Growing(can)
        self.shelf.put(name, made)
        return made

    def pass_time(self, seconds: float) -> None:
        self.clock.pass_time(timedelta(seconds=seconds))

    async def again(self) -> Actor:
        if self.revoked:
            raise NotSignedIn("sign in, or send a valid API key")
        return self.actor


def somebody(organisation_id: UUID | None = None) -> Actor:
    """Returns an actor who may read traces."""
    return Actor(
        ActorKind.API_KEY,
        uuid4(),
        "key",
        frozenset({TRACES_READ}),
        organisation_id=organisation_id or uuid4(),
        project_id=uuid4(),
    )


async def until(holds: Callable[[], bool]) -> None:
    """Returns once it holds; the stage's own patience ends it otherwise."""
    while True:
        if holds():
            return
        await anyio.sleep(0.005)


@asynccontextmanager
async def on_stage(settings: LiveSettings = OFTEN, limits: LimitSettings | None = None) -> AsyncIterator[Stage]:
    """Yields live views that run, over no datasource yet; it is noon on the first of August, and stays so."""
    shelf, scope = Shelf(), Scope()
    traces = service_on(shelf, scope, limits or LimitSettings())
    live = build_live(traces, settings)
    assert isinstance(traces.clock, SetClock)
    async with anyio.create_task_group() as group:
        await group.start(live.run)
        with anyio.fail_after(PATIENCE_S):
            yield Stage(live, shelf, scope, traces.clock, somebody())
        group.cancel_scope.cancel()


class Viewer:
    """Somebody who watches a tail and takes down what is told."""

    def __init__(self, stage: Stage, actor: Actor | None = None) -> None:
        self.stage = stage
        self.actor = actor or stage.actor
        self.told: list[TailEvent] = []
        self.mark = 0

    async def watch(self, request: TailRequest, *, until: type[TailEvent] | None = None, count: int = 1) -> None:
        """Returns when `count` events of the kind `until` were told, or the tail is over; leaves it then."""
        tail = await self.stage.live.tails.open(self.actor, request)
        stream = tail.events(self.stage.again)
        try:
            async for events, mark in stream:
                self.told += events
                self.mark = mark or self.mark
                if until is not None and len(self.of(until)) >= count:
                    return
        finally:
            await stream.aclose()

    def of(self, kind: type[TailEvent]) -> list[TailEvent]:
        return [event for event in self.told if isinstance(event, kind)]
