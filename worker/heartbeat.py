"""The backend hears from this worker every few seconds: that it is there, and what it can run."""

from __future__ import annotations

from dataclasses import dataclass, field

import anyio

from arcane.kit.logging import get_logger
from arcane.messaging.workers import ANNOUNCEMENTS_PATH, HEARTBEAT_S, WorkerAnnouncement
from worker.backend import Backend, BackendRefused, BackendUnreachable

log = get_logger("worker.heartbeat")

_RETRY_S = 1.0


@dataclass(slots=True)
class Heartbeat:
    """Announces this worker again and again. `announced` is set once the backend took it the first time."""

    backend: Backend
    announcement: WorkerAnnouncement
    interval_s: float = HEARTBEAT_S
    announced: anyio.Event = field(default_factory=anyio.Event)
    heard: bool = False
    _trouble: str = ""

    async def run(self) -> None:
        """Announces until cancelled; trouble is logged when it begins and when it ends."""
        while True:
            await self._beat()
            await anyio.sleep(self.interval_s if self.heard else min(_RETRY_S, self.interval_s))

    async def _beat(self) -> None:
        try:
            await self.backend.send(ANNOUNCEMENTS_PATH, self.announcement)
        except (BackendUnreachable, BackendRefused) as exc:
            self.heard = False
            if self._trouble != str(exc):
                self._trouble = str(exc)
                event = "backend_refused" if isinstance(exc, BackendRefused) else "backend_unreachable"
                log.warning(event, reason=self._trouble)
            return
        if not self.heard:
            log.info("backend_reached")
        self.heard, self._trouble = True, ""
        self.announced.set()
