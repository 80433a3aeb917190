"""Several calls at once, their results in order."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import anyio

Result = TypeVar("Result")


async def together(calls: Sequence[Callable[[], Awaitable[Result]]]) -> list[Result]:
    """Returns what the calls return, in their order; the first failure ends the others and is raised as it is."""
    results: dict[int, Result] = {}

    async def one(place: int, call: Callable[[], Awaitable[Result]]) -> None:
        results[place] = await call()

    try:
        async with anyio.create_task_group() as group:
            for place, call in enumerate(calls):
                group.start_soon(one, place, call)
    except ExceptionGroup as several:
        raise _first(several) from None
    return [results[place] for place in range(len(calls))]


def _first(several: ExceptionGroup[Exception]) -> Exception:
    inner = several.exceptions[0]
    return _first(inner) if isinstance(inner, ExceptionGroup) else inner
