"""Work that outlives whoever asked for it has an owner: one task group, for as long as the process serves."""

from __future__ import annotations

import anyio
from anyio.abc import TaskGroup, TaskStatus


class Owner:
    """Owns what its subclass starts in `_group`, which is None while `run` is not under way."""

    def __init__(self) -> None:
        self._group: TaskGroup | None = None

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Owns the work until it is cancelled."""
        try:
            async with anyio.create_task_group() as group:
                self._group = group
                task_status.started()
                await anyio.sleep_forever()
        finally:
            self._group = None
