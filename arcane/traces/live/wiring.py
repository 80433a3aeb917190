"""Puts what is live together: made once a process, and run while the application does."""

from __future__ import annotations

from dataclasses import dataclass

import anyio
from anyio.abc import TaskStatus

from arcane.settings import LiveSettings
from arcane.traces.live.follow import FollowService
from arcane.traces.live.tail import Places, TailService
from arcane.traces.service import TraceService


@dataclass(frozen=True, slots=True)
class Live:
    """Tails and live traces, which share the places for watchers."""

    tails: TailService
    follows: FollowService

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Owns every poller until it is cancelled."""
        async with anyio.create_task_group() as group:
            await group.start(self.tails.hub.run)
            await group.start(self.follows.hub.run)
            task_status.started()


def build_live(traces: TraceService, settings: LiveSettings) -> Live:
    """Returns what is live, over the same datasources, scopes and engine as everything else; nothing is polled yet."""
    places = Places(settings)
    shared = (traces.catalog, traces.scopes, traces.engine)
    return Live(
        TailService(*shared, traces.reader, traces.clock, settings, places),
        FollowService(*shared, traces.llm, traces.clock, settings, places),
    )
