"""Which workers are there. They say so themselves every few seconds; who falls silent is gone.

Kept in memory: a worker announces itself to the backend process it is pointed at, and a restart
knows all of them again after one heartbeat.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from arcane.kit.clock import Clock
from arcane.kit.logging import get_logger
from arcane.kit.problems import Problem
from arcane.kit.signing import Signer
from arcane.messaging.envelope import Body, Envelope, UnreadableMessage
from arcane.messaging.signature import SignatureRefused, SignedRequest, verify
from arcane.messaging.workers import ANNOUNCEMENTS_PATH, SILENCE_S, WorkerAnnouncement

log = get_logger("arcane.workers")

MOST_WORKERS = 1_000

BodyType = TypeVar("BodyType", bound=Body)


class WorkerRefused(Problem):
    """A message that does not come from a worker of this instance."""

    status = 401
    slug = "worker-refused"
    title = "Worker refused"


class UnreadableWorkerMessage(Problem):
    """A signed message that this release cannot read; worker and backend differ in version."""

    status = 400
    slug = "unreadable-worker-message"
    title = "Unreadable worker message"


@dataclass(frozen=True, slots=True)
class PresentWorker:
    """A worker and when it was last heard."""

    announcement: WorkerAnnouncement
    heard_at: datetime


@dataclass(frozen=True, slots=True)
class WorkerDoor:
    """Where signed messages of workers come in. Without a `signer` (no key is set) nobody does."""

    signer: Signer | None
    clock: Clock

    def read(self, path: str, body: bytes, headers: Mapping[str, str], kind: type[BodyType]) -> BodyType:
        """Returns what the worker that signed `body` says. Raises WorkerRefused or UnreadableWorkerMessage."""
        if self.signer is None:
            raise WorkerRefused("this instance has no ARCANE_WORKER__KEY")
        try:
            verify(self.signer, SignedRequest("POST", path, body), headers, self.clock.now())
            return Envelope.read(body).content(kind)
        except SignatureRefused as exc:
            raise WorkerRefused(str(exc)) from exc
        except UnreadableMessage as exc:
            raise UnreadableWorkerMessage(str(exc)) from exc


@dataclass(frozen=True, slots=True)
class WorkerService:
    """Takes announcements and tells who is there."""

    door: WorkerDoor
    clock: Clock
    _heard: dict[str, PresentWorker] = field(default_factory=dict)

    def announce(self, body: bytes, headers: Mapping[str, str]) -> None:
        """The worker that signed `body` counts as present. Raises WorkerRefused or UnreadableWorkerMessage."""
        announcement = self.door.read(ANNOUNCEMENTS_PATH, body, headers, WorkerAnnouncement)
        now = self.clock.now()
        self._forget_silent(now)
        if announcement.name not in self._heard:
            if len(self._heard) >= MOST_WORKERS:
                raise WorkerRefused(f"{MOST_WORKERS} workers are here already")
            log.info("worker_announced", worker=announcement.name, runs=len(announcement.runs))
        self._heard[announcement.name] = PresentWorker(announcement, now)

    def present(self) -> list[PresentWorker]:
        """Returns the workers that were heard lately, by name."""
        self._forget_silent(self.clock.now())
        return [self._heard[name] for name in sorted(self._heard)]

    def _forget_silent(self, now: datetime) -> None:
        oldest = now - timedelta(seconds=SILENCE_S)
        for name in [name for name, worker in self._heard.items() if worker.heard_at < oldest]:
            del self._heard[name]
            log.warning("worker_fell_silent", worker=name)
