"""Waiting for a run to get on: told by Postgres, whichever process took the results."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Protocol, TypeVar
from uuid import UUID

import anyio

from arcane.jobs.service.runs import PROGRESS_TOPIC
from arcane.kit.announce import Announcer
from arcane.outbox.service import Bell

LOOK_EVERY_S = 2.0
"""However silent it is: an announcement may have been missed."""
_TELL_AT_MOST_EVERY_S = 0.25
_OVER = ("done", "cancelled")


class Followed(Protocol):
    """What gets on by a run, as it is shown."""

    @property
    def state(self) -> str:
        """How it stands."""
        ...

    @property
    def run_id(self) -> UUID | None:
        """The run that works on it; None where people or programs do."""
        ...


View = TypeVar("View", bound=Followed)


class Progress:
    """One a process."""

    def __init__(self, announcer: Announcer) -> None:
        self._bell = Bell()
        announcer.subscribe(PROGRESS_TOPIC, self._bell.ring)

    async def wait(self, run_id: UUID | None) -> None:
        """Returns when the run got on, or after a while."""
        await self._bell.wait(str(run_id), LOOK_EVERY_S)

    async def follow(self, look: Callable[[], Awaitable[View]]) -> AsyncGenerator[View, None]:
        """Yields what `look` returns, now and whenever that got on, until nothing more happens to it."""
        last: View | None = None
        while True:
            view = await look()
            if view != last:
                yield view
                last = view
            if view.state in _OVER:
                return
            await anyio.sleep(_TELL_AT_MOST_EVERY_S)
            await self.wait(view.run_id)
