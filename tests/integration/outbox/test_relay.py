"""What is promised in a transaction reaches the broker if, and only if, the transaction commits."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from uuid import uuid4

import anyio
import pytest
from sqlalchemy import ARRAY, TextClause, Uuid, func, literal, select, text

from arcane.kit.actor import Tenant
from arcane.kit.announce import Announcer
from arcane.kit.clock import SystemClock
from arcane.kit.database import Database
from arcane.kit.migrate import app_url
from arcane.messaging.broker import Broker, BrokerUnavailable, Delivery, MessageRefused
from arcane.messaging.message import Message
from arcane.messaging.testing import RETRIES, message, taken
from arcane.outbox.relay import Relay, relay_forever
from arcane.outbox.service import Bell, EmbeddedQueues, Outbox, Promises
from tests.support.postgres import MigratedDatabase

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]

INSTANCE = Tenant(instance=True)


@dataclass
class House:
    """One backend's outbox, and the queues it relays to."""

    database: Database
    announcer: Announcer
    queues: EmbeddedQueues
    promises: Promises

    async def promise(self, *messages: Message) -> None:
        async with self.database.transaction(INSTANCE) as session:
            await Outbox(self.announcer).promise(session, messages)

    async def arrived(self, queue: str, count: int) -> set[object]:
        async with self.queues.consume(queue, at_once=10) as deliveries:
            return set(await taken(deliveries, count))


@pytest.fixture
async def house(migrated_database: MigratedDatabase) -> AsyncIterator[House]:
    url = app_url(migrated_database.settings)
    database, announcer = Database.connect(url), Announcer(url)
    async with anyio.create_task_group() as group:
        await group.start(announcer.run)
        queues = EmbeddedQueues(database, announcer, SystemClock(), RETRIES)
        yield House(database, announcer, queues, Promises(database, claim_s=1.0))
        group.cancel_scope.cancel()
    await database.aclose()


@dataclass
class Moody(Broker):
    """A broker in front of a real one, that fails on demand."""

    real: Broker
    faults: list[Exception] = field(default_factory=list)
    refuses: frozenset[object] = frozenset()
    asked: int = 0

    async def publish(self, messages: Sequence[Message]) -> None:
        self.asked += 1
        if self.faults:
            raise self.faults.pop()
        if self.refuses & {one.id for one in messages}:
            raise MessageRefused("too large")
        await self.real.publish(messages)

    def consume(self, queue: str, *, at_once: int) -> AbstractAsyncContextManager[AsyncIterator[Delivery]]:
        return self.real.consume(queue, at_once=at_once)

    async def answers(self, *, within_s: float) -> bool:
        return await self.real.answers(within_s=within_s)


async def test_what_was_promised_and_committed_arrives(house: House) -> None:
    sent = [message("jobs") for _ in range(3)]
    await house.promise(*sent)
    assert await Relay(house.promises, house.queues, Bell()).move() == 3
    assert await house.arrived("jobs", 3) == {one.id for one in sent}
    assert await Relay(house.promises, house.queues, Bell()).move() == 0


async def test_what_was_rolled_back_was_never_promised(house: House) -> None:
    async def change_that_fails() -> None:
        async with house.database.transaction(INSTANCE) as session:
            await Outbox(house.announcer).promise(session, [message("jobs")])
            raise LookupError

    with pytest.raises(LookupError):
        await change_that_fails()
    assert await Relay(house.promises, house.queues, Bell()).move() == 0


@pytest.mark.parametrize("fault", [BrokerUnavailable("away"), RuntimeError("unforeseen")], ids=["away", "unforeseen"])
async def test_a_running_relay_moves_a_promise_at_once_and_survives_its_broker(house: House, fault: Exception) -> None:
    broker = Moody(house.queues, [fault])

    @asynccontextmanager
    async def reach() -> AsyncIterator[Broker]:
        yield broker

    async with anyio.create_task_group() as group:
        group.start_soon(relay_forever, house.promises, house.announcer, reach)
        sent = message("jobs")
        await house.promise(sent)
        assert await house.arrived("jobs", 1) == {sent.id}
        group.cancel_scope.cancel()
    assert broker.asked == 2


async def test_a_message_that_is_refused_holds_up_no_other(house: House) -> None:
    sent = [message("jobs") for _ in range(3)]
    await house.promise(*sent)
    await Relay(house.promises, Moody(house.queues, refuses=frozenset({sent[1].id})), Bell()).move()
    assert await house.arrived("jobs", 2) == {sent[0].id, sent[2].id}


async def test_copies_of_a_message_are_published_each_under_its_own_id(house: House) -> None:
    ids, template = [uuid4() for _ in range(3)], message("jobs")
    wanted = select(func.unnest(literal(ids, ARRAY(Uuid))))
    async with house.database.transaction(INSTANCE) as session:
        await Outbox(house.announcer).promise_each(session, template, wanted)
    await house.promise(message("jobs"))
    claimed = await house.promises.claim(3)
    assert [len(one.messages()) for one in claimed] == [3]
    assert await Relay(house.promises, house.queues, Bell()).move() == 1
    await house.promises.unclaim(claimed, 0.0)
    assert await Relay(house.promises, house.queues, Bell()).move() == 3
    assert set(ids) < await house.arrived("jobs", 4)
    assert await Relay(house.promises, house.queues, Bell()).move() == 0


async def test_two_relays_are_never_at_the_same_promise(house: House) -> None:
    await house.promise(*[message("jobs") for _ in range(20)])
    first, second = await house.promises.claim(10), await house.promises.claim(20)
    assert len(first) == 10
    assert len(second) == 10
    assert not {one.id for one in first} & {one.id for one in second}


async def test_the_promises_of_a_relay_that_died_are_taken_over(house: House) -> None:
    sent = message("jobs")
    await house.promise(sent)
    assert await house.promises.claim(10)
    assert await Relay(house.promises, house.queues, Bell()).move() == 0
    await anyio.sleep(1.2)
    assert await Relay(house.promises, house.queues, Bell()).move() == 1
    assert await house.arrived("jobs", 1) == {sent.id}


async def test_no_organisation_sees_what_travels(house: House) -> None:
    await house.promise(message("jobs"))
    await house.queues.publish([message("jobs")])
    async with house.database.transaction(Tenant()) as session:
        for table in ("outbox_messages", "queued_messages"):
            assert (await session.execute(_count(table))).scalar_one() == 0


def _count(table: str) -> TextClause:
    return text(f"SELECT count(*) FROM {table}")
