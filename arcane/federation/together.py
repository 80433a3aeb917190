"""Calls made at once, of which the first fault counts."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

import anyio
from anyio.abc import TaskGroup

from arcane.spi.errors import DatasourceError

T = TypeVar("T")


async def each(call: Callable[[T], Awaitable[None]], items: Sequence[T]) -> None:
    """Returns when `call` has ended for every item; the first DatasourceError cancels the rest, and is raised.

    How many run at once is for whatever `call` waits at to say.
    """
    if len(items) <= 1:
        for item in items:
            await call(item)
        return
    faults: list[DatasourceError] = []
    async with anyio.create_task_group() as group:

        async def guarded(item: T) -> None:
            try:
                await call(item)
            except DatasourceError as exc:
                faults.append(exc)
                group.cancel_scope.cancel()

        for item in items:
            group.start_soon(guarded, item)
    if faults:
        raise faults[0]


@asynccontextmanager
async def beside() -> AsyncGenerator[TaskGroup, None]:
    """Gives a task group for what runs beside the block and ends with it.

    What goes wrong, in the block or beside it, leaves as itself and not as a group of one.
    """
    try:
        async with anyio.create_task_group() as group:
            yield group
            group.cancel_scope.cancel()
    except BaseExceptionGroup as several:
        if len(several.exceptions) == 1:
            raise several.exceptions[0] from several.exceptions[0].__cause__
        raise
