"""Deliveries out of Kafka's partitions: handed out when due, settled in any order, committed as a prefix.

While a partition is ours, a `Ledger` knows what of it is out. A rebalance takes partitions away and usually
gives the same ones back: ledgers are kept across it, so what is being worked on is not started again, and
dropped only for partitions that went to somebody else.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

import anyio
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.structs import ConsumerRecord
from anyio.streams.memory import MemoryObjectSendStream

from arcane.kit.clock import Clock
from arcane.kit.logging import get_logger
from arcane.messaging.broker import BrokerUnavailable, Delivery, Fate, RetryPolicy, SettlementLost
from arcane.messaging.envelope import UnreadableMessage
from arcane.messaging.kafka_ledger import Ledger
from arcane.messaging.message import DEAD, Message, message_of, unreadable

log = get_logger("arcane.messaging.kafka")

Record: TypeAlias = "ConsumerRecord[bytes, bytes]"

_POLL_S = 0.1
_COMMIT_EVERY_S = 0.2
_A_DAY_MS = 24 * 60 * 60 * 1_000
DUE_HEADER = "arcane-due"


class Cluster(Protocol):
    """What a consumption needs of the broker it belongs to."""

    clock: Clock
    retries: RetryPolicy

    def client_options(self) -> dict[str, Any]:
        """Returns how clients connect."""
        ...

    def topics_of(self, queue: str) -> list[str]:
        """Returns the topics that a consumer of `queue` reads."""
        ...

    async def wait(self, message: Message, delay_s: float) -> None:
        """`message` waits; it comes again when it is due."""
        ...

    async def bury(self, message: Message) -> None:
        """`message` is a dead letter."""
        ...


@dataclass(slots=True)
class Consumption:
    """One consumer of one queue, from `running` until its block ends."""

    broker: Cluster
    queue: str
    at_once: int
    ledgers: dict[TopicPartition, Ledger] = field(default_factory=dict)
    _consumer: AIOKafkaConsumer | None = None
    _held: dict[TopicPartition, deque[Record]] = field(default_factory=dict)
    _out: int = 0
    _settled: anyio.Event = field(default_factory=anyio.Event)
    _returned: deque[Delivery] = field(default_factory=deque)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[AsyncIterator[Delivery]]:
        """Yields the deliveries; at the end what is settled is committed, and the group knows that we left."""
        send, receive = anyio.create_memory_object_stream[Delivery](self.at_once)
        consumer = self._consumer = AIOKafkaConsumer(
            **self.broker.client_options(),
            group_id=f"arcane.{self.queue}",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            max_poll_interval_ms=_A_DAY_MS,  # how long a job may take is for its deadline to say
            session_timeout_ms=10_000,
            rebalance_timeout_ms=10_000,
        )
        consumer.subscribe(self.broker.topics_of(self.queue), listener=_Listener(self))
        try:
            await self._start(consumer)
            async with anyio.create_task_group() as group:
                group.start_soon(self._deliver, consumer, send)
                group.start_soon(self._commit_often, consumer)
                async with receive:
                    yield receive
                group.cancel_scope.cancel()
        finally:
            with anyio.CancelScope(shield=True), anyio.move_on_after(10.0):
                await self.commit()
                await consumer.stop()
            receive.close()
            send.close()

    def settle(self, partition: TopicPartition, offset: int) -> None:
        """The message is done. Raises SettlementLost where the partition went to somebody else."""
        self.owned(partition).settle(offset)
        self._free()

    def owned(self, partition: TopicPartition) -> Ledger:
        """Returns the ledger of a partition that is ours. Raises SettlementLost."""
        ledger = self.ledgers.get(partition)
        if ledger is None:
            self._free()
            raise SettlementLost("the partition went to another consumer")
        return ledger

    def give_back(self, delivery: Delivery) -> None:
        """`delivery` is handed out again."""
        self._returned.append(delivery)
        self._free()

    async def commit(self) -> None:
        """Kafka knows how far everything is settled; where it cannot be told, messages come again."""
        changed = {one: ledger.to_commit for one, ledger in self.ledgers.items() if ledger.to_commit is not None}
        if not changed or self._consumer is None:
            return
        try:
            await self._consumer.commit(changed)
        except KafkaError as exc:
            log.info("positions_not_committed", queue=self.queue, reason=type(exc).__name__)
            return
        for partition, position in changed.items():
            if partition in self.ledgers:
                self.ledgers[partition].committed = position

    def assigned(self, partitions: Iterable[TopicPartition]) -> None:
        """From now on these partitions are ours, and no others."""
        self.ledgers = {one: self.ledgers.get(one) or Ledger() for one in partitions}
        self._held.clear()

    async def _start(self, consumer: AIOKafkaConsumer) -> None:
        try:
            await consumer.start()
        except (KafkaError, OSError, TimeoutError) as exc:
            raise BrokerUnavailable(f"Kafka cannot be reached ({type(exc).__name__})") from exc

    async def _deliver(self, consumer: AIOKafkaConsumer, send: MemoryObjectSendStream[Delivery]) -> None:
        while True:
            self._settled = anyio.Event()
            now = self.broker.clock.now().timestamp()
            await self._hand_out(send, now)
            free = [one for one in consumer.assignment() if one in self.ledgers and not self._held.get(one)]
            if self._out >= self.at_once or not free:
                with anyio.move_on_after(_POLL_S):
                    await self._settled.wait()
                continue
            await self._fetch(consumer, free)

    async def _fetch(self, consumer: AIOKafkaConsumer, free: list[TopicPartition]) -> None:
        try:
            found = await consumer.getmany(
                *free, timeout_ms=round(_POLL_S * 1_000), max_records=self.at_once - self._out
            )
        except KafkaError as exc:
            log.warning("messages_not_read", queue=self.queue, reason=type(exc).__name__)
            await anyio.sleep(_POLL_S)
            return
        for partition, records in found.items():
            if partition in self.ledgers:
                self._held.setdefault(partition, deque()).extend(records)

    async def _hand_out(self, send: MemoryObjectSendStream[Delivery], now: float) -> None:
        while self._returned and self._out < self.at_once:
            self._out += 1
            await send.send(self._returned.popleft())
        for partition, records in list(self._held.items()):
            while records and self._out < self.at_once and _due(records[0]) <= now:
                record = records.popleft()
                ledger = self.ledgers.get(partition)
                if ledger is None or not ledger.take(record.offset):
                    continue
                message = await self._read(partition, record)
                if message is not None:
                    self._out += 1
                    await send.send(KafkaDelivery(self, message, partition, record.offset))

    async def _read(self, partition: TopicPartition, record: Record) -> Message | None:
        body = record.value or b""
        headers = {name: value.decode(errors="replace") for name, value in record.headers}
        try:
            return message_of(self.queue, headers, body)
        except UnreadableMessage as exc:
            message = unreadable(self.queue, body, str(exc), self.broker.clock.now())
        if self.queue.endswith(DEAD):
            return message
        log.warning("message_unreadable", queue=self.queue)
        await self.broker.bury(message)
        self.ledgers[partition].settle(record.offset)
        return None

    async def _commit_often(self, consumer: AIOKafkaConsumer) -> None:
        while True:
            await anyio.sleep(_COMMIT_EVERY_S)
            await self.commit()

    def _free(self) -> None:
        self._out -= 1
        self._settled.set()


@dataclass(slots=True)
class KafkaDelivery(Delivery):
    """A message of one of our partitions."""

    consumption: Consumption
    message: Message
    partition: TopicPartition
    offset: int

    async def ack(self) -> None:
        """See Delivery.ack. Kafka is told within a fraction of a second."""
        self.consumption.settle(self.partition, self.offset)

    async def retry(self, error: str) -> Fate:
        """See Delivery.retry. The copy that waits is confirmed before this one is given up."""
        self.consumption.owned(self.partition)
        broker = self.consumption.broker
        failed = self.message.failed(error, broker.clock.now())
        delay = broker.retries.delay_after(len(failed.failures))
        if delay is None:
            return await self._buried(failed)
        await broker.wait(failed, delay)
        await self.ack()
        return Fate.WAITS

    async def reject(self, error: str) -> None:
        """See Delivery.reject."""
        self.consumption.owned(self.partition)
        await self._buried(self.message.failed(error, self.consumption.broker.clock.now()))

    async def release(self) -> None:
        """See Delivery.release. Kafka has no way to give one message to somebody else: it is handed out here again,
        or by whoever gets the partition when this consumer leaves.
        """
        self.consumption.give_back(self)

    async def _buried(self, failed: Message) -> Fate:
        await self.consumption.broker.bury(failed)
        await self.ack()
        return Fate.DEAD


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is not typed
    """What the group's coordinator says to a consumption."""

    def __init__(self, consumption: Consumption) -> None:
        self._consumption = consumption

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        await self._consumption.commit()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        self._consumption.assigned(assigned)


def _due(record: Record) -> float:
    for name, value in record.headers:
        if name == DUE_HEADER:
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 0.0
