"""One call to every datasource at once, whoever fails."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import anyio

from arcane.federation.asking import Asking
from arcane.federation.run import error_of
from arcane.model.outcome import SourceOutcome, SourceStatus
from arcane.spi.errors import DatasourceError, TimedOut

T = TypeVar("T")


@dataclass(slots=True)
class Reply(Generic[T]):
    """What one datasource said: a value, or why not."""

    asking: Asking
    value: T | None = None
    error: DatasourceError | None = None
    elapsed_ms: float = 0.0

    def outcome(self, rows: int, warnings: Sequence[str] = ()) -> SourceOutcome:
        """Returns the row in `sources[]`; warnings say that something is missing."""
        source, status = self.asking.source, SourceStatus.OK
        if self.error is not None:
            status = SourceStatus.FAILED
        elif warnings:
            status = SourceStatus.PARTIAL
        return SourceOutcome(
            source.id,
            source.name,
            source.kind,
            status,
            rows,
            round(self.elapsed_ms, 3),
            warnings=tuple(warnings),
            error=None if self.error is None else error_of(self.error),
        )


async def ask_each(askings: Sequence[Asking], call: Callable[[Asking], Awaitable[T]]) -> list[Reply[T]]:
    """Returns a reply for each of `askings`, in their order; a fault or a deadline of one is its reply."""
    replies = [Reply[T](asking) for asking in askings]

    async def ask(reply: Reply[T]) -> None:
        started = time.perf_counter()
        try:
            with anyio.move_on_after(reply.asking.deadline.remaining()) as scope:
                reply.value = await call(reply.asking)
            if scope.cancelled_caught:
                reply.error = TimedOut()
        except DatasourceError as exc:
            reply.error = exc
        reply.elapsed_ms = (time.perf_counter() - started) * 1_000

    if len(replies) == 1:
        await ask(replies[0])
        return replies
    async with anyio.create_task_group() as group:
        for reply in replies:
            group.start_soon(ask, reply)
    return replies
