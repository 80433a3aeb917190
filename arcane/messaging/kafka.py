"""Kafka: an idempotent producer, topics for retries whose messages say when they are due, commits by hand.

    arcane.evaluations                  what waits to be tried, by organisation over the partitions
    arcane.evaluations.retry.60000      failed once: held by whoever reads it until it is due
    arcane.evaluations.dead             tried for the last time, or refused

Kafka knows no single message, only how far a group has read each partition; `kafka_consumer` makes
deliveries of that.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import (
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    TopicAlreadyExistsError,
    for_code,
)

from arcane.kit.clock import Clock
from arcane.messaging.broker import Broker, BrokerUnavailable, Delivery, MessageRefused, RetryPolicy, dead
from arcane.messaging.kafka_address import KafkaAddress
from arcane.messaging.kafka_consumer import DUE_HEADER, Consumption
from arcane.messaging.message import DEAD, Message, headers_of

PREFIX = "arcane."
MESSAGE_BYTES_MAX = 8 * 1024 * 1024
_REQUEST_TIMEOUT_MS = 15_000
_FAILURES = (KafkaError, OSError, TimeoutError)
_TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)


@dataclass(slots=True)
class KafkaBroker(Broker):
    """Made by `connected`. Comes back by itself when brokers are lost."""

    address: KafkaAddress
    producer: AIOKafkaProducer
    clock: Clock
    retries: RetryPolicy = field(default_factory=RetryPolicy)
    _made: set[str] = field(default_factory=set)
    _making: anyio.Lock = field(default_factory=anyio.Lock)

    @classmethod
    @asynccontextmanager
    async def connected(cls, url: str, clock: Clock, retries: RetryPolicy) -> AsyncIterator[KafkaBroker]:
        """Yields the broker at `url`. Raises BrokerUnavailable, BadAddress."""
        address = KafkaAddress.of(url)
        producer = AIOKafkaProducer(
            **address.client_options(),
            enable_idempotence=True,
            acks="all",
            linger_ms=2,
            request_timeout_ms=_REQUEST_TIMEOUT_MS,
            max_request_size=MESSAGE_BYTES_MAX,
        )
        try:
            await producer.start()
        except _FAILURES as exc:
            await producer.stop()
            raise BrokerUnavailable(f"Kafka cannot be reached ({type(exc).__name__})") from exc
        try:
            yield cls(address, producer, clock, retries)
        finally:
            with anyio.CancelScope(shield=True), anyio.move_on_after(5.0):
                await producer.stop()

    async def publish(self, messages: Sequence[Message]) -> None:
        """All in-sync replicas have `messages`. Raises BrokerUnavailable or MessageRefused."""
        for queue in dict.fromkeys(message.queue for message in messages):
            await self.make_topics(queue)
        await self.send([(PREFIX + message.queue, message, None) for message in messages])

    @asynccontextmanager
    async def consume(self, queue: str, *, at_once: int) -> AsyncIterator[AsyncIterator[Delivery]]:
        """See Broker.consume. The queue's group shares its partitions among all consumers."""
        await self.make_topics(queue)
        async with Consumption(self, queue, at_once).running() as deliveries:
            yield deliveries

    async def answers(self, *, within_s: float) -> bool:
        """Returns True when a broker tells us of its cluster in time."""
        with anyio.move_on_after(within_s):
            try:
                return bool(await self.producer.client.fetch_all_metadata())
            except _FAILURES:
                return False
        return False

    async def wait(self, message: Message, delay_s: float) -> None:
        """`message` lies in the topic of that delay, confirmed, and says when it is due."""
        due = self.clock.now().timestamp() + delay_s
        await self.send([(retry_topic(message.queue, delay_s), message, due)])

    async def bury(self, message: Message) -> None:
        """`message` lies in the dead letter topic, confirmed."""
        await self.make_topics(dead(message.queue))
        await self.send([(PREFIX + dead(message.queue), message, None)])

    async def send(self, addressed: Sequence[tuple[str, Message, float | None]]) -> None:
        """All of `addressed` (topic, message, when it is due) are confirmed.

        Raises BrokerUnavailable, MessageRefused.
        """
        try:
            confirmations = [
                await self.producer.send(topic, message.body, key=message.key.encode(), headers=_headers(message, due))
                for topic, message, due in addressed
            ]
            for confirmation in confirmations:
                await confirmation
        except _TOO_LARGE as exc:
            raise MessageRefused(f"the message is larger than Kafka takes ({MESSAGE_BYTES_MAX} bytes at most)") from exc
        except _FAILURES as exc:
            raise BrokerUnavailable(f"Kafka did not confirm ({type(exc).__name__})") from exc

    def client_options(self) -> dict[str, Any]:
        """Returns how clients of this broker connect."""
        return self.address.client_options()

    def topics_of(self, queue: str) -> list[str]:
        """Returns the topics that a consumer of `queue` reads."""
        if queue.endswith(DEAD):
            return [PREFIX + queue]
        return [PREFIX + queue, *(retry_topic(queue, delay) for delay in self.retries.delays_s)]

    async def make_topics(self, queue: str) -> None:
        """The topics of `queue` are there. Raises BrokerUnavailable."""
        if queue in self._made:
            return
        async with self._making:
            if queue in self._made:
                return
            admin = AIOKafkaAdminClient(**self.address.client_options(), request_timeout_ms=_REQUEST_TIMEOUT_MS)
            try:
                await admin.start()
                answer = await admin.create_topics([self._topic(name) for name in self.topics_of(queue)])
            except _FAILURES as exc:
                raise BrokerUnavailable(f"Kafka did not make the topics ({type(exc).__name__})") from exc
            finally:
                await admin.close()
            _all_there(answer.to_object()["topic_errors"])
            self._made.add(queue)

    def _topic(self, name: str) -> NewTopic:
        settings = {"max.message.bytes": str(MESSAGE_BYTES_MAX)}
        return NewTopic(name, self.address.partitions, self.address.replication, topic_configs=settings)


def retry_topic(queue: str, delay_s: float) -> str:
    """Returns the topic of messages that wait so long."""
    return f"{PREFIX}{queue}.retry.{round(delay_s * 1_000)}"


def _headers(message: Message, due: float | None) -> list[tuple[str, bytes]]:
    headers = headers_of(message) | ({} if due is None else {DUE_HEADER: f"{due:.3f}"})
    return [(name, value.encode()) for name, value in headers.items()]


def _all_there(outcomes: Sequence[Mapping[str, Any]]) -> None:
    for outcome in outcomes:
        error = for_code(outcome["error_code"])
        if outcome["error_code"] and error is not TopicAlreadyExistsError:
            raise BrokerUnavailable(f"Kafka did not make the topic {outcome['topic']} ({error.__name__})")
