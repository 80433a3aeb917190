"""Waiting for a run to get on: told by Postgres, whichever process took the results."""

from __future__ import annotations

from uuid import UUID

from arcane.jobs.service.runs import PROGRESS_TOPIC
from arcane.kit.announce import Announcer
from arcane.outbox.service import Bell

LOOK_EVERY_S = 2.0
"""However silent it is: an announcement may have been missed."""


class Progress:
    """One a process."""

    def __init__(self, announcer: Announcer) -> None:
        self._bell = Bell()
        announcer.subscribe(PROGRESS_TOPIC, self._bell.ring)

    async def wait(self, run_id: UUID | None) -> None:
        """Returns when the run got on, or after a while."""
        await self._bell.wait(str(run_id), LOOK_EVERY_S)
