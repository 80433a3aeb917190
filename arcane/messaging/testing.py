"""The contract of brokers: subclass BrokerContract and give it a broker; every test has to pass.

The delays of `retries` are a fraction of the real ones, so that "after 60 and 660 seconds" can be
waited for. Tests use queues of their own, and several of them two consumers.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID, uuid4

import anyio
import pytest

from arcane.messaging.broker import Broker, Delivery, Fate, RetryPolicy, SettlementLost, dead
from arcane.messaging.message import Message

RETRIES = RetryPolicy((0.6, 1.2))
_PATIENCE_S = 40.0
_QUIET_S = 1.0


def message(queue: str, *, key: str = "org", body: bytes = b"{}") -> Message:
    """Returns a message nobody has seen."""
    return Message(id=uuid4(), queue=queue, key=key, body=body)


async def next_of(deliveries: AsyncIterator[Delivery], *, within_s: float = _PATIENCE_S) -> Delivery:
    """Returns the next delivery; fails when none comes in time."""
    with anyio.fail_after(within_s):
        return await anext(deliveries)


async def nothing_comes(deliveries: AsyncIterator[Delivery], *, for_s: float = _QUIET_S) -> None:
    """Nothing is delivered for a while."""
    with anyio.move_on_after(for_s):
        late = await anext(deliveries)
        raise AssertionError(f"{late.message.id} came, and should not have")


async def taken(deliveries: AsyncIterator[Delivery], count: int) -> list[UUID]:
    """Returns the ids of the next `count` deliveries, acknowledged."""
    ids = []
    with anyio.fail_after(_PATIENCE_S):
        for _ in range(count):
            delivery = await anext(deliveries)
            ids.append(delivery.message.id)
            await delivery.ack()
    return ids


def ids(messages: Iterable[Message]) -> set[UUID]:
    """Returns the ids of `messages`."""
    return {one.id for one in messages}


@dataclass(slots=True)
class _Work:
    """Several consumers of one queue; `done` once all of `wanted` were acknowledged."""

    queue: str
    wanted: set[UUID]
    takes_s: float = 0.0
    done: anyio.Event = field(default_factory=anyio.Event)

    async def run(self, broker: Broker) -> None:
        """Acknowledges whatever comes, until it is cancelled."""
        async with broker.consume(self.queue, at_once=4) as deliveries:
            async for delivery in deliveries:
                await anyio.sleep(self.takes_s)
                try:
                    await delivery.ack()
                except SettlementLost:
                    continue  # it comes again
                self.wanted.discard(delivery.message.id)
                if not self.wanted:
                    self.done.set()


@pytest.mark.anyio
class BrokerContract:
    """Subclasses provide `broker` (with RETRIES) and `again`, which opens a second connection to the same broker."""

    @pytest.fixture
    def queue(self) -> str:
        return f"contract-{uuid4().hex[:12]}"

    @pytest.fixture
    def broker(self) -> Broker:
        """Overridden with a fixture that yields a broker."""
        raise NotImplementedError

    def again(self) -> AbstractAsyncContextManager[Broker]:
        """Returns a second connection, such as another worker has."""
        raise NotImplementedError

    async def test_a_message_arrives_as_it_was_sent(self, broker: Broker, queue: str) -> None:
        sent = Message(
            id=uuid4(),
            queue=queue,
            key="org-1",
            body=b'{"a": "\xc3\xa4"}',
            correlation_id="c-1",
            traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        )
        await broker.publish([sent])
        async with broker.consume(queue, at_once=5) as deliveries:
            delivery = await next_of(deliveries)
            assert delivery.message == sent
            assert delivery.message.attempt == 1
            await delivery.ack()

    async def test_what_is_acknowledged_does_not_come_again(self, broker: Broker, queue: str) -> None:
        await broker.publish([message(queue) for _ in range(5)])
        async with broker.consume(queue, at_once=5) as deliveries:
            assert len(set(await taken(deliveries, 5))) == 5
        async with broker.consume(queue, at_once=5) as deliveries:
            await nothing_comes(deliveries)

    async def test_what_nobody_settled_comes_again(self, broker: Broker, queue: str) -> None:
        sent = [message(queue) for _ in range(3)]
        await broker.publish(sent)
        async with broker.consume(queue, at_once=3) as deliveries:
            for _ in sent:
                await next_of(deliveries)
        async with broker.consume(queue, at_once=3) as deliveries:
            assert set(await taken(deliveries, 3)) == ids(sent)

    async def test_what_is_released_goes_to_the_next_one(self, broker: Broker, queue: str) -> None:
        sent = message(queue)
        await broker.publish([sent])
        async with broker.consume(queue, at_once=1) as deliveries:
            await (await next_of(deliveries)).release()
        async with self.again() as other, other.consume(queue, at_once=1) as deliveries:
            delivery = await next_of(deliveries)
            assert delivery.message == sent
            await delivery.ack()

    async def test_no_more_than_asked_for_are_out_at_once(self, broker: Broker, queue: str) -> None:
        await broker.publish([message(queue) for _ in range(6)])
        async with broker.consume(queue, at_once=2) as deliveries:
            held = [await next_of(deliveries), await next_of(deliveries)]
            await nothing_comes(deliveries)
            await held[1].ack()
            held.append(await next_of(deliveries))
            await nothing_comes(deliveries, for_s=0.3)

    async def test_a_poison_message_is_tried_three_times_and_then_dead(self, broker: Broker, queue: str) -> None:
        sent = message(queue)
        await broker.publish([sent])
        times, fates = [], []
        async with broker.consume(queue, at_once=1) as deliveries:
            for attempt in (1, 2, 3):
                delivery = await next_of(deliveries)
                times.append(time.monotonic())
                assert delivery.message.attempt == attempt
                fates.append(await delivery.retry(f"fault {attempt}"))
            await nothing_comes(deliveries, for_s=2.0)
        assert fates == [Fate.WAITS, Fate.WAITS, Fate.DEAD]
        first, second = times[1] - times[0], times[2] - times[1]
        assert first >= RETRIES.delays_s[0] * 0.95
        assert second >= RETRIES.delays_s[1] * 0.95
        async with broker.consume(dead(queue), at_once=1) as letters:
            letter = await next_of(letters)
            assert letter.message.id == sent.id
            assert letter.message.body == sent.body
            assert [failure.error for failure in letter.message.failures] == ["fault 1", "fault 2", "fault 3"]
            assert all(failure.at <= datetime.now(UTC) for failure in letter.message.failures)
            await letter.ack()

    async def test_a_waiting_message_holds_nobody_up(self, broker: Broker, queue: str) -> None:
        first, second = message(queue), message(queue)
        async with broker.consume(queue, at_once=1) as deliveries:
            await broker.publish([first])
            await (await next_of(deliveries)).retry("fault")
            await broker.publish([second])
            assert await taken(deliveries, 1) == [second.id]
            assert await taken(deliveries, 1) == [first.id]

    async def test_a_rejected_message_is_dead_at_once_and_can_be_sent_again(self, broker: Broker, queue: str) -> None:
        sent = message(queue)
        await broker.publish([sent])
        async with broker.consume(queue, at_once=1) as deliveries:
            await (await next_of(deliveries)).reject("no such scorer")
            async with broker.consume(dead(queue), at_once=1) as letters:
                letter = await next_of(letters)
                assert letter.message.failures[-1].error == "no such scorer"
                await broker.publish([letter.message.revived()])
                await letter.ack()
            again = await next_of(deliveries)
            assert again.message == sent
            await again.ack()

    async def test_two_consumers_share_the_work(self, broker: Broker, queue: str) -> None:
        sent = [message(queue, key=f"org-{number}") for number in range(60)]
        work = _Work(queue, ids(sent))
        async with self.again() as other, anyio.create_task_group() as group:
            group.start_soon(work.run, broker)
            group.start_soon(work.run, other)
            await broker.publish(sent)
            with anyio.fail_after(_PATIENCE_S):
                await work.done.wait()
            group.cancel_scope.cancel()

    async def test_a_consumer_that_joins_late_loses_nothing_of_the_others(self, broker: Broker, queue: str) -> None:
        sent = [message(queue, key=f"org-{number % 7}") for number in range(40)]
        work = _Work(queue, ids(sent), takes_s=0.02)
        await broker.publish(sent)
        async with self.again() as other, anyio.create_task_group() as group:
            group.start_soon(work.run, broker)
            await anyio.sleep(0.3)
            group.start_soon(work.run, other)
            with anyio.fail_after(_PATIENCE_S):
                await work.done.wait()
            group.cancel_scope.cancel()

    async def test_a_queue_is_nobody_elses(self, broker: Broker, queue: str) -> None:
        await broker.publish([message(queue)])
        async with broker.consume(queue + "-other", at_once=1) as deliveries:
            await nothing_comes(deliveries)

    async def test_a_large_message_arrives_whole(self, broker: Broker, queue: str) -> None:
        sent = message(queue, body=b"x" * 500_000)
        await broker.publish([sent])
        async with broker.consume(queue, at_once=1) as deliveries:
            delivery = await next_of(deliveries)
            assert delivery.message.body == sent.body
            await delivery.ack()

    async def test_it_says_that_it_answers(self, broker: Broker) -> None:
        assert await broker.answers(within_s=10.0)
