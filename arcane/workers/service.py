"""Which workers are there. They say so themselves every few seconds; who falls silent is gone.

Kept in memory: a worker announces itself to the backend process it is pointed at, and a restart
knows all of them again after one heartbeat.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from arcane.kit.clock import Clock
from arcane.kit.logging import get_logger
from arcane.messaging.workers import ANNOUNCEMENTS_PATH, SILENCE_S, WorkerAnnouncement
from arcane.workers.sessions import WorkerDoor, WorkerRefused

log = get_logger("arcane.workers")

MOST_WORKERS = 1_000


@dataclass(frozen=True, slots=True)
class PresentWorker:
    """A worker and when it was last heard."""

    announcement: WorkerAnnouncement
    heard_at: datetime


@dataclass(frozen=True, slots=True)
class WorkerService:
    """Takes announcements and tells who is there."""

    door: WorkerDoor
    clock: Clock
    _heard: dict[str, PresentWorker] = field(default_factory=dict)

    def announce(self, body: bytes, headers: Mapping[str, str]) -> None:
        """The worker that signed `body` counts as present. Raises as WorkerDoor.entered does."""
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
