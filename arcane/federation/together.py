"""Calls made at once, of which the first fault counts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import anyio

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
