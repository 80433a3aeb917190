"""Results go back in batches, and are kept until they were taken; only then are the messages of their jobs settled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import anyio
import msgspec
from anyio.abc import TaskGroup

from arcane.kit.logging import get_logger
from arcane.messaging.broker import BrokerError, Delivery
from arcane.messaging.jobs import RESULTS_AT_ONCE_MAX, JobError, JobResult
from worker.backend import BackendRefused, BackendUnreachable
from worker.crew import Held
from worker.desk import Desk

log = get_logger("worker.reporting")

BYTES_AT_ONCE_MAX = 1024 * 1024
_PAUSE_S = 0.5
_PAUSE_S_MAX = 5.0
_TOO_LARGE = 413


@dataclass(slots=True)
class Reports:
    """Sends results as long as `run` runs. `settled` is told of every job whose messages are dealt with."""

    desk: Desk
    settled: Callable[[Held], None]
    _waiting: list[Held] = field(default_factory=list)
    _something: anyio.Event = field(default_factory=anyio.Event)
    _idle: anyio.Event = field(default_factory=anyio.Event)

    def add(self, held: Held) -> None:
        """The job's result will be sent; in place of one that cannot be written as JSON, that it could not."""
        assert held.result is not None  # noqa: S101 - it is what is added
        try:
            msgspec.json.encode(held.result)
        except (ValueError, RecursionError):  # half of a surrogate pair, as models leave it, is a ValueError
            message = "the result holds something that cannot be written as JSON"
            held.result = _in_its_place(held.result, JobError(kind="unreadable", message=message))
        self._waiting.append(held)
        self._something.set()

    async def run(self) -> None:
        """Sends what is added, until cancelled. While the backend is away, results wait here."""
        async with anyio.create_task_group() as group:
            while True:
                await self._something.wait()
                self._something = anyio.Event()
                while self._waiting:
                    batch = self._next_batch()
                    await self._report(batch, group)

    def _next_batch(self) -> list[Held]:
        size = count = 0
        for held in self._waiting[:RESULTS_AT_ONCE_MAX]:
            size += len(msgspec.json.encode(held.result))
            if count and size > BYTES_AT_ONCE_MAX:
                break
            count += 1
        batch, self._waiting = self._waiting[:count], self._waiting[count:]
        return batch

    async def _report(self, batch: Sequence[Held], group: TaskGroup) -> None:
        pause = _PAUSE_S
        while True:
            try:
                answer = await self.desk.send([held.result for held in batch if held.result is not None])
            except BackendUnreachable as exc:
                log.warning("results_not_taken", results=len(batch), reason=str(exc))
            except BackendRefused as exc:
                if exc.status == _TOO_LARGE:
                    await self._smaller(batch, group)
                    return
                log.error("results_refused", results=len(batch), reason=str(exc))
            else:
                again = frozenset(answer.again)
                for held in batch:
                    group.start_soon(self._settle, held, held.job in again)
                return
            await anyio.sleep(pause)
            pause = min(pause * 2, _PAUSE_S_MAX)

    async def _smaller(self, batch: Sequence[Held], group: TaskGroup) -> None:
        """Half of the batch may fit; a single result that does not is told as an error instead."""
        if len(batch) > 1:
            middle = len(batch) // 2
            await self._report(batch[:middle], group)
            await self._report(batch[middle:], group)
            return
        held = batch[0]
        assert held.result is not None  # noqa: S101 - a batch is of results
        error = JobError(kind="too-large", message="the result is larger than the backend takes")
        held.result = _in_its_place(held.result, error)
        await self._report(batch, group)

    async def _settle(self, held: Held, again: bool) -> None:
        error = held.result.error.kind if held.result is not None and held.result.error is not None else ""
        await settle(held, error if again else None)
        self.settled(held)


def _in_its_place(result: JobResult, error: JobError) -> JobResult:
    return JobResult(job=result.job, attempt=result.attempt, duration_ms=result.duration_ms, error=error)


async def settle(held: Held, again: str | None) -> None:
    """The job's messages are acknowledged; with an error in `again`, one of them comes again later."""
    for number, delivery in enumerate(held.deliveries):
        await _settled(delivery, again if number == 0 else None)


async def _settled(delivery: Delivery, again: str | None) -> None:
    try:
        if again is None:
            await delivery.ack()
        else:
            await delivery.retry(again)
    except BrokerError as exc:  # it comes again, and the ledger knows what became of it
        log.info("message_not_settled", reason=type(exc).__name__)


async def give_back(held: Held) -> None:
    """The job's messages may go to another worker at once."""
    for delivery in held.deliveries:
        try:
            await delivery.release()
        except BrokerError as exc:
            log.info("message_not_given_back", reason=type(exc).__name__)
