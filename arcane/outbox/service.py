"""Messages that this instance's own Postgres keeps: promises to a broker, and the queues of the embedded one.

A slice promises messages in the transaction that makes the change they speak of (`promise`); the relay
hands them to the broker afterwards. Without a broker, the queues are tables here, and workers borrow from
them over the internal API.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import anyio
from sqlalchemy import Select
from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.kit.actor import Tenant
from arcane.kit.announce import Announcer
from arcane.kit.clock import Clock
from arcane.kit.database import Database
from arcane.kit.logging import get_logger
from arcane.kit.problems import Unavailable
from arcane.messaging.broker import Broker, BrokerUnavailable, Delivery, RetryPolicy
from arcane.messaging.leased import LeasedQueues
from arcane.messaging.leases import LeaseAnswer, Leased, LeaseRequest, Outcome, Settled, Settlement
from arcane.messaging.message import Message, message_of
from arcane.outbox.promise import Promise
from arcane.outbox.repository import MessageRepository

log = get_logger("arcane.outbox")

OUTBOX_TOPIC = "outbox"
QUEUE_TOPIC = "queue"
DELIVERIES_MAX = 20
_INSTANCE = Tenant(instance=True)
_LOOK_EVERY_S = 0.5


@dataclass(slots=True)
class Bell:
    """Rings when another transaction, here or in another process, has put something there."""

    _waiting: defaultdict[str, anyio.Event] = field(default_factory=lambda: defaultdict(anyio.Event))

    def ring(self, key: str) -> None:
        """Everybody who waits for `key` goes on; the empty key is for all."""
        for one in [key] if key else list(self._waiting):
            waiting = self._waiting.pop(one, None)
            if waiting is not None:
                waiting.set()

    def next(self, key: str) -> anyio.Event:
        """Returns what is set when it rings for `key`. Who takes it before looking misses nothing that comes after."""
        return self._waiting[key]

    async def wait(self, key: str, at_most_s: float) -> None:
        """Returns when it rings for `key`, or after a while."""
        await rung(self.next(key), at_most_s)


async def rung(ring: anyio.Event, at_most_s: float) -> None:
    """Returns when `ring` is set, or after a while."""
    with anyio.move_on_after(at_most_s):
        await ring.wait()


@dataclass(frozen=True, slots=True)
class Outbox:
    """Where messages are promised. They reach the broker if, and only if, the transaction commits."""

    announcer: Announcer

    async def promise(self, session: AsyncSession, messages: Sequence[Message]) -> None:
        """When `session` commits, all of `messages` will be published, at least once each, in this order."""
        await MessageRepository(session).promise(messages)
        await self.announcer.announce(session, OUTBOX_TOPIC, "")

    async def promise_each(self, session: AsyncSession, template: Message, ids: Select[UUID]) -> None:
        """As `promise`, for any number of ids without reading one: a copy of `template` for each.

        Wherever the template's own id stands, in its headers and in its body, the copy has the id it is for.
        """
        await MessageRepository(session).promise_each(template, ids)
        await self.announcer.announce(session, OUTBOX_TOPIC, "")


@dataclass(frozen=True, slots=True)
class Promises:
    """The outbox as the relay sees it. Every call raises Unavailable while Postgres does not answer."""

    database: Database
    claim_s: float = 60.0

    async def claim(self, most: int) -> list[Promise]:
        """Returns the oldest promises that nobody else is at, `most` messages or a few more, and keeps others off."""
        async with self.database.transaction(_INSTANCE) as session:
            return await MessageRepository(session).claim(most, self.claim_s)

    async def unclaim(self, promises: Sequence[Promise], delay_s: float) -> None:
        """The promises can be claimed again after a while."""
        async with self.database.transaction(_INSTANCE) as session:
            await MessageRepository(session).unclaim([one.id for one in promises], delay_s)

    async def kept(self, promises: Sequence[Promise]) -> None:
        """The promises are kept, and gone."""
        async with self.database.transaction(_INSTANCE) as session:
            await MessageRepository(session).kept([one.id for one in promises])


@dataclass(frozen=True, slots=True)
class EmbeddedQueues(Broker):
    """The embedded broker, seen from inside the backend: a broker like the others, and `Leases` for the workers."""

    database: Database
    announcer: Announcer
    clock: Clock
    retries: RetryPolicy = field(default_factory=RetryPolicy)
    lease_s: float = 30.0
    bell: Bell = field(default_factory=Bell)

    def __post_init__(self) -> None:
        self.announcer.subscribe(QUEUE_TOPIC, self.bell.ring)

    async def publish(self, messages: Sequence[Message]) -> None:
        """See Broker.publish. A message that is in its queue already is not there twice."""
        async with self._transaction() as (session, repository):
            await repository.put(messages)
            for queue in dict.fromkeys(message.queue for message in messages):
                await self.announcer.announce(session, QUEUE_TOPIC, queue)

    @asynccontextmanager
    async def consume(self, queue: str, *, at_once: int) -> AsyncIterator[AsyncIterator[Delivery]]:
        """See Broker.consume."""
        async with LeasedQueues(self, self.clock).consume(queue, at_once=at_once) as deliveries:
            yield deliveries

    async def answers(self, *, within_s: float) -> bool:
        """See Broker.answers."""
        return await self.database.answers(within_s=within_s)

    async def lease(self, request: LeaseRequest) -> LeaseAnswer:
        """See Leases.lease."""
        with anyio.move_on_after(request.wait_s):
            while True:
                ring = self.bell.next(request.queue)
                leased = await self._lease(request.queue, request.at_most)
                if leased:
                    return LeaseAnswer(leased=leased, lease_s=self.lease_s)
                await rung(ring, _LOOK_EVERY_S)
        return LeaseAnswer(leased=(), lease_s=self.lease_s)

    async def settle(self, settlements: Sequence[Settlement]) -> Sequence[Settled]:
        """See Leases.settle."""
        async with self._transaction() as (session, repository):
            acked = await repository.ack(_held(settlements, Outcome.ACK))
            released = await repository.release(_held(settlements, Outcome.RELEASE))
            settled = {}
            for one in settlements:
                if one.outcome in (Outcome.RETRY, Outcome.REJECT):
                    settled[one.id] = await self._failed(repository, one)
                else:
                    settled[one.id] = Settled.DONE if one.id in acked | released else Settled.LOST
            if released:
                await self.announcer.announce(session, QUEUE_TOPIC, "")
            return [settled[one.id] for one in settlements]

    async def extend(self, held: Sequence[tuple[UUID, UUID]]) -> int:
        """See Leases.extend."""
        async with self._transaction() as (_, repository):
            return len(await repository.extend(held, self.lease_s))

    async def _lease(self, queue: str, most: int) -> tuple[Leased, ...]:
        lease = uuid4()
        async with self._transaction() as (_, repository):
            rows = await repository.lease(queue, most, lease, self.lease_s)
            leased = [Leased(row.id, lease, row.headers, row.body) for row in rows]
            worn = {row.id for row in rows if row.deliveries > DELIVERIES_MAX}
            for one in leased:
                if one.id in worn:
                    gone = Settlement(one.id, lease, Outcome.REJECT, f"given up after {DELIVERIES_MAX} deliveries")
                    await self._failed(repository, gone)
        return tuple(one for one in leased if one.id not in worn)

    async def _failed(self, repository: MessageRepository, settlement: Settlement) -> Settled:
        found = await repository.locked(settlement.id, settlement.lease)
        if found is None:
            return Settled.LOST
        failed = message_of(*found).failed(settlement.error, self.clock.now())
        delay = self.retries.delay_after(len(failed.failures)) if settlement.outcome is Outcome.RETRY else None
        if delay is not None:
            await repository.fail(settlement.id, failed, delay)
            return Settled.WAITS
        await repository.fail(settlement.id, failed.buried(), 0.0)
        return Settled.DEAD

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[tuple[AsyncSession, MessageRepository]]:
        try:
            async with self.database.transaction(_INSTANCE) as session:
                yield session, MessageRepository(session)
        except Unavailable as exc:
            raise BrokerUnavailable("the database does not answer") from exc


def _held(settlements: Sequence[Settlement], outcome: Outcome) -> list[tuple[UUID, UUID]]:
    return [(one.id, one.lease) for one in settlements if one.outcome is outcome]
