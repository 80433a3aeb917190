"""What a worker has in its hands, and who begins next: at most so many at once, and no organisation takes all."""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from uuid import UUID

import anyio

from arcane.messaging.broker import Delivery
from arcane.messaging.jobs import Claimed, JobResult, Spec


@dataclass(slots=True, eq=False)
class Held:
    """A job whose messages we hold; more than one when a broker, or the ledger, spoke of it again.

    `claimed` is set once the backend gave it to us, `scope` while it runs.
    """

    job: UUID
    run: UUID
    deliveries: list[Delivery]
    claimed: Claimed | None = None
    spec: Spec | None = None
    scope: anyio.CancelScope | None = None
    stopped: bool = False
    result: JobResult | None = None

    @property
    def traceparent(self) -> str:
        """The trace that the job belongs to."""
        return self.deliveries[0].message.traceparent


@dataclass(slots=True)
class Crew:
    """Jobs that were claimed and wait for their turn. Organisations take turns."""

    at_once: int
    per_organisation: int
    _waiting: OrderedDict[UUID, deque[Held]] = field(default_factory=OrderedDict)
    _running: dict[UUID, int] = field(default_factory=dict)

    @property
    def running(self) -> int:
        """How many run."""
        return sum(self._running.values())

    @property
    def waiting(self) -> int:
        """How many wait."""
        return sum(map(len, self._waiting.values()))

    def add(self, organisation: UUID, held: Held) -> None:
        """The job waits behind those of its organisation."""
        self._waiting.setdefault(organisation, deque()).append(held)

    def next(self) -> Held | None:
        """Returns a job that may begin now, and counts it as running; None when none may."""
        if self.running >= self.at_once:
            return None
        for organisation in list(self._waiting):
            if self._running.get(organisation, 0) < self.per_organisation:
                queue = self._waiting[organisation]
                held = queue.popleft()
                self._waiting.move_to_end(organisation)
                if not queue:
                    del self._waiting[organisation]
                self._running[organisation] = self._running.get(organisation, 0) + 1
                return held
        return None

    def finished(self, organisation: UUID) -> None:
        """One that ran for the organisation does not any more."""
        left = self._running[organisation] - 1
        if left:
            self._running[organisation] = left
        else:
            del self._running[organisation]

    def take_back(self, run: UUID | None = None) -> list[Held]:
        """Returns the jobs of the run that have not begun (of all runs, for None); they wait no longer."""
        taken: list[Held] = []
        for organisation in list(self._waiting):
            queue = self._waiting[organisation]
            taken += [held for held in queue if run is None or held.run == run]
            left = deque(held for held in queue if run is not None and held.run != run)
            if left:
                self._waiting[organisation] = left
            else:
                del self._waiting[organisation]
        return taken
