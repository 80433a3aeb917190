"""Deliveries out of leases: lent in batches, settled in batches, extended as long as somebody works on them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

import anyio
from anyio.streams.memory import MemoryObjectSendStream

from arcane.kit.clock import Clock
from arcane.kit.logging import get_logger
from arcane.messaging.broker import BrokerUnavailable, Consumes, Delivery, Fate, SettlementLost
from arcane.messaging.envelope import UnreadableMessage
from arcane.messaging.leases import (
    LEASED_AT_ONCE_MAX,
    SETTLED_AT_ONCE_MAX,
    WAIT_S_MAX,
    Leased,
    LeaseRequest,
    Leases,
    Outcome,
    Settled,
    Settlement,
)
from arcane.messaging.message import Message, message_of, unreadable

log = get_logger("arcane.messaging.leased")

_PAUSE_S = 1.0
_SETTLE_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class LeasedQueues(Consumes):
    """Consumes what `leases` keeps."""

    leases: Leases
    clock: Clock
    wait_s: float = WAIT_S_MAX

    @asynccontextmanager
    async def consume(self, queue: str, *, at_once: int) -> AsyncIterator[AsyncIterator[Delivery]]:
        """See Consumes.consume. While whoever keeps the messages is away, it is asked again every second."""
        async with _Consumption(self, queue, at_once).running() as deliveries:
            yield deliveries

    async def answers(self, *, within_s: float) -> bool:
        """See Consumes.answers."""
        return await self.leases.answers(within_s=within_s)


@dataclass(slots=True)
class _Pending:
    """A settlement on its way, and what became of it."""

    settlement: Settlement
    answered: anyio.Event = field(default_factory=anyio.Event)
    settled: Settled | None = None


@dataclass(slots=True)
class _Consumption:
    queues: LeasedQueues
    queue: str
    at_once: int
    out: dict[UUID, Leased] = field(default_factory=dict)
    _pending: list[_Pending] = field(default_factory=list)
    _changed: anyio.Event = field(default_factory=anyio.Event)
    _work: anyio.Event = field(default_factory=anyio.Event)
    _lent: anyio.Event = field(default_factory=anyio.Event)
    _lease_s: float = 0.0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[AsyncIterator[Delivery]]:
        send, receive = anyio.create_memory_object_stream[Delivery](self.at_once)
        try:
            async with send, anyio.create_task_group() as group:
                group.start_soon(self._lend, send)
                group.start_soon(self._settle)
                group.start_soon(self._extend)
                async with receive:
                    yield receive
                group.cancel_scope.cancel()
        finally:
            with anyio.CancelScope(shield=True), anyio.move_on_after(5.0):
                await self._give_back()

    async def settle(self, leased: Leased, outcome: Outcome, error: str = "") -> Settled:
        """Returns what became of it. Raises SettlementLost, BrokerUnavailable."""
        pending = _Pending(Settlement(leased.id, leased.lease, outcome, error))
        self._pending.append(pending)
        self._work.set()
        await pending.answered.wait()
        self._forget(leased)
        if pending.settled is None:
            raise BrokerUnavailable("the backend did not take the settlement")
        if pending.settled is Settled.LOST:
            raise SettlementLost("the lease had ended; the message went to somebody else")
        return pending.settled

    def _forget(self, leased: Leased) -> None:
        self.out.pop(leased.id, None)
        self._changed.set()

    async def _lend(self, send: MemoryObjectSendStream[Delivery]) -> None:
        while True:
            self._changed = anyio.Event()
            room = min(self.at_once - len(self.out), LEASED_AT_ONCE_MAX)
            if room <= 0:
                await self._changed.wait()
                continue
            try:
                request = LeaseRequest(queue=self.queue, at_most=room, wait_s=self.queues.wait_s)
                answer = await self.queues.leases.lease(request)
            except BrokerUnavailable as exc:
                log.warning("messages_not_leased", queue=self.queue, reason=str(exc))
                await anyio.sleep(_PAUSE_S)
                continue
            self._lease_s = answer.lease_s
            self._lent.set()
            for leased in answer.leased:
                self.out[leased.id] = leased
                await send.send(LeasedDelivery(self, self._read(leased), leased))

    def _read(self, leased: Leased) -> Message:
        try:
            return message_of(self.queue, leased.headers, leased.body)
        except UnreadableMessage as exc:  # whoever keeps the messages wrote the headers: a newer release did
            return unreadable(self.queue, leased.body, str(exc), self.queues.clock.now())

    async def _settle(self) -> None:
        while True:
            await self._work.wait()
            self._work = anyio.Event()
            while self._pending:
                batch, self._pending = self._pending[:SETTLED_AT_ONCE_MAX], self._pending[SETTLED_AT_ONCE_MAX:]
                await self._settle_batch(batch)

    async def _settle_batch(self, batch: list[_Pending]) -> None:
        for attempt in range(1, _SETTLE_ATTEMPTS + 1):
            try:
                found = await self.queues.leases.settle([pending.settlement for pending in batch])
            except BrokerUnavailable:
                if attempt < _SETTLE_ATTEMPTS:
                    await anyio.sleep(_PAUSE_S)
                continue
            for pending, settled in zip(batch, found, strict=True):
                pending.settled = settled
            break
        for pending in batch:
            pending.answered.set()

    async def _extend(self) -> None:
        await self._lent.wait()
        while True:
            await anyio.sleep(self._lease_s / 3)
            if self.out:
                try:
                    await self.queues.leases.extend([(leased.id, leased.lease) for leased in self.out.values()])
                except BrokerUnavailable as exc:
                    log.warning("leases_not_extended", queue=self.queue, reason=str(exc))

    async def _give_back(self) -> None:
        """What is still out is lent to somebody else at once, not only when its lease ends."""
        held = [Settlement(leased.id, leased.lease, Outcome.RELEASE) for leased in self.out.values()]
        for start in range(0, len(held), SETTLED_AT_ONCE_MAX):
            try:
                await self.queues.leases.settle(held[start : start + SETTLED_AT_ONCE_MAX])
            except BrokerUnavailable:
                return


@dataclass(slots=True)
class LeasedDelivery(Delivery):
    """A message that was lent to us."""

    consumption: _Consumption
    message: Message
    leased: Leased

    async def ack(self) -> None:
        """See Delivery.ack."""
        await self.consumption.settle(self.leased, Outcome.ACK)

    async def retry(self, error: str) -> Fate:
        """See Delivery.retry."""
        settled = await self.consumption.settle(self.leased, Outcome.RETRY, error)
        return Fate.DEAD if settled is Settled.DEAD else Fate.WAITS

    async def reject(self, error: str) -> None:
        """See Delivery.reject."""
        await self.consumption.settle(self.leased, Outcome.REJECT, error)

    async def release(self) -> None:
        """See Delivery.release."""
        await self.consumption.settle(self.leased, Outcome.RELEASE)
