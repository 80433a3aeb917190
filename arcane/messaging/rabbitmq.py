"""RabbitMQ: quorum queues, publisher confirms, retries by queues whose messages expire back into the first one.

    arcane.evaluations                  what waits to be tried
    arcane.evaluations.retry.60000      failed once: after 60 s each message expires into the first queue
    arcane.evaluations.dead             tried for the last time, or refused

Quorum queues survive the loss of a node, count deliveries, and hand expired messages on at least once
(dead-letter-strategy, RabbitMQ 3.10). A message that keeps killing whoever takes it becomes a dead
letter after DELIVERIES_MAX deliveries.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import aio_pika
import anyio
from aio_pika.abc import AbstractQueue, AbstractRobustChannel, AbstractRobustConnection
from aio_pika.exceptions import AMQPException
from aiormq.abc import DeliveredMessage
from aiormq.channel import Channel
from aiormq.exceptions import ChannelInvalidStateError, ChannelPreconditionFailed
from anyio.streams.memory import MemoryObjectSendStream

from arcane.kit.clock import Clock
from arcane.kit.logging import get_logger
from arcane.messaging.broker import (
    Broker,
    BrokerError,
    BrokerUnavailable,
    Delivery,
    Fate,
    MessageRefused,
    RetryPolicy,
    SettlementLost,
    dead,
)
from arcane.messaging.envelope import UnreadableMessage
from arcane.messaging.message import DEAD, Message, message_of, unreadable
from arcane.messaging.rabbitmq_batch import Letter, send_all
from arcane.messaging.rabbitmq_source import Source, SourceConnection, Unsettled

log = get_logger("arcane.messaging.rabbitmq")

PREFIX = "arcane."
DELIVERIES_MAX = 20
_CONFIRMS_AT_ONCE = 512
_CONFIRM_TIMEOUT_S = 30.0
_FAILURES = (AMQPException, OSError, TimeoutError, ChannelInvalidStateError, RuntimeError)
"""What aio-pika raises for a lost connection or channel, and for a broker that does not answer.

A connection that is away just now is a bare RuntimeError there.
"""


@dataclass(slots=True)
class RabbitBroker(Broker):
    """Made by `connected`. Comes back by itself when the connection is lost."""

    connection: AbstractRobustConnection
    publishing: AbstractRobustChannel
    clock: Clock
    retries: RetryPolicy = field(default_factory=RetryPolicy)
    _declared: set[str] = field(default_factory=set)
    _declaring: anyio.Lock = field(default_factory=anyio.Lock)

    @classmethod
    @asynccontextmanager
    async def connected(cls, url: str, clock: Clock, retries: RetryPolicy) -> AsyncIterator[RabbitBroker]:
        """Yields the broker at `url` (amqp:// or amqps://). Raises BrokerUnavailable."""
        try:
            connection = await aio_pika.connect_robust(
                url, connection_class=SourceConnection, timeout=10.0, reconnect_interval=1.0
            )
        except _FAILURES as exc:
            raise BrokerUnavailable(f"RabbitMQ cannot be reached ({type(exc).__name__})") from exc
        try:
            publishing = await connection.channel(publisher_confirms=True, on_return_raises=True)
            assert isinstance(publishing, AbstractRobustChannel)  # noqa: S101 - what a robust connection makes
            yield cls(connection, publishing, clock, retries)
        finally:
            with anyio.CancelScope(shield=True), anyio.move_on_after(5.0):
                await connection.close()

    async def publish(self, messages: Sequence[Message]) -> None:
        """The broker has confirmed all of `messages`. Raises BrokerUnavailable or MessageRefused."""
        for queue in dict.fromkeys(message.queue for message in messages):
            await self._declare(queue)
        await self._send([(PREFIX + message.queue, message) for message in messages])

    @asynccontextmanager
    async def consume(self, queue: str, *, at_once: int) -> AsyncIterator[AsyncIterator[Delivery]]:
        """See Broker.consume. Waits until the broker is there."""
        await self._declare(queue)
        send, receive = anyio.create_memory_object_stream[Delivery](at_once)
        try:
            channel = await self.connection.channel()
            await channel.set_qos(prefetch_count=at_once)
            (arguments,) = (own for name, own in _queues(queue, self.retries) if name == PREFIX + queue)
            source = cast("Source", await channel.declare_queue(PREFIX + queue, durable=True, arguments=arguments))
            tag = await source.consume(self._taking(queue, send))
        except _FAILURES as exc:
            raise _unavailable(exc) from exc
        try:
            async with send, receive:
                yield receive
        finally:
            with anyio.CancelScope(shield=True), anyio.move_on_after(5.0):
                await _close(source, tag, channel)

    async def answers(self, *, within_s: float) -> bool:
        """Returns True when the connection stands, or comes back in time."""
        with anyio.move_on_after(within_s):
            try:
                await self.publishing.ready()
            except _FAILURES:
                return False
            return self.connection.connected.is_set()
        return False

    async def move(self, message: Message, queue: str) -> None:
        """`message` lies in `queue` (a full name), confirmed."""
        await self._send([(queue, message)])

    def _taking(
        self, queue: str, send: MemoryObjectSendStream[Delivery]
    ) -> Callable[[DeliveredMessage], Coroutine[Any, Any, None]]:
        unsettled: Unsettled | None = None

        async def take(incoming: DeliveredMessage) -> None:
            nonlocal unsettled
            if unsettled is None or unsettled.channel is not incoming.channel:  # another one after a lost connection
                unsettled = Unsettled(cast("Channel", incoming.channel))
            number = incoming.delivery_tag or 0
            unsettled.took(number)
            headers = {name: str(value) for name, value in (incoming.header.properties.headers or {}).items()}
            try:
                message = message_of(queue, headers, incoming.body)
            except UnreadableMessage as exc:
                message = unreadable(queue, incoming.body, str(exc), self.clock.now())
                if not queue.endswith(DEAD):
                    await self._bury(RabbitDelivery(self, message, unsettled, number))
                    return
            try:
                send.send_nowait(RabbitDelivery(self, message, unsettled, number))
            except (anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.WouldBlock):
                return  # the consumer is going away; closing its channel gives the message back

        return take

    async def _bury(self, delivery: RabbitDelivery) -> None:
        log.warning("message_unreadable", queue=delivery.message.queue)
        try:
            await self.move(delivery.message, PREFIX + dead(delivery.message.queue))
            await delivery.ack()
        except BrokerError as exc:
            log.warning("message_not_buried", reason=type(exc).__name__)  # it comes again

    async def _send(self, letters: Sequence[Letter]) -> None:
        try:
            for start in range(0, len(letters), _CONFIRMS_AT_ONCE):
                with anyio.fail_after(_CONFIRM_TIMEOUT_S):
                    channel = cast("Channel", await self.publishing.get_underlay_channel())
                    await send_all(channel, letters[start : start + _CONFIRMS_AT_ONCE])
        except _FAILURES as exc:
            self._declared.clear()  # whoever emptied the broker took the queues away, too
            raise _refused(exc) from exc

    async def _declare(self, queue: str) -> None:
        if queue in self._declared:
            return
        async with self._declaring:
            if queue in self._declared:
                return
            try:
                async with self.connection.channel() as channel:
                    for name, arguments in _queues(queue, self.retries):
                        await channel.declare_queue(name, durable=True, arguments=arguments)
            except _FAILURES as exc:
                raise _unavailable(exc) from exc
            self._declared.add(queue)


@dataclass(slots=True)
class RabbitDelivery(Delivery):
    """A message that RabbitMQ waits for us to acknowledge."""

    broker: RabbitBroker
    message: Message
    unsettled: Unsettled
    number: int

    async def ack(self) -> None:
        """See Delivery.ack."""
        try:
            self.unsettled.ack(self.number)
        except _FAILURES as exc:
            raise _lost(exc) from exc

    async def retry(self, error: str) -> Fate:
        """See Delivery.retry. The copy that waits is confirmed before this one is given up."""
        failed = self.message.failed(error, self.broker.clock.now())
        delay = self.broker.retries.delay_after(len(failed.failures))
        if delay is None:
            return await self._buried(failed)
        await self.broker.move(failed, _retry_queue(self.message.queue, delay))
        await self.ack()
        return Fate.WAITS

    async def reject(self, error: str) -> None:
        """See Delivery.reject."""
        await self._buried(self.message.failed(error, self.broker.clock.now()))

    async def release(self) -> None:
        """See Delivery.release."""
        try:
            await self.unsettled.release(self.number)
        except _FAILURES as exc:
            raise _lost(exc) from exc

    async def _buried(self, failed: Message) -> Fate:
        await self.broker.move(failed, PREFIX + dead(self.message.queue))
        await self.ack()
        return Fate.DEAD


def _queues(queue: str, retries: RetryPolicy) -> list[tuple[str, dict[str, str | int]]]:
    """Returns the names and arguments of all queues that belong to `queue`."""
    first = PREFIX + queue
    quorum: dict[str, str | int] = {"x-queue-type": "quorum"}
    if queue.endswith(DEAD):
        return [(first, quorum)]
    onwards = {
        **quorum,
        "x-dead-letter-exchange": "",
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }
    waiting = [
        (_retry_queue(queue, delay), {**onwards, "x-dead-letter-routing-key": first, "x-message-ttl": _ms(delay)})
        for delay in retries.delays_s
    ]
    worked = {**onwards, "x-dead-letter-routing-key": PREFIX + dead(queue), "x-delivery-limit": DELIVERIES_MAX}
    return [(PREFIX + dead(queue), quorum), (first, worked), *waiting]


def _retry_queue(queue: str, delay_s: float) -> str:
    return f"{PREFIX}{queue}.retry.{_ms(delay_s)}"


def _ms(seconds: float) -> int:
    return round(seconds * 1_000)


async def _close(source: AbstractQueue, tag: str, channel: aio_pika.abc.AbstractChannel) -> None:
    try:
        await source.cancel(tag)
        await channel.close()
    except _FAILURES:
        return  # gone with its connection; the broker has everything back


def _lost(exc: Exception) -> SettlementLost:
    return SettlementLost(f"the connection to RabbitMQ was lost ({type(exc).__name__})")


def _unavailable(exc: Exception) -> BrokerUnavailable:
    return BrokerUnavailable(f"RabbitMQ did not answer ({type(exc).__name__})")


def _refused(exc: Exception) -> BrokerUnavailable | MessageRefused:
    if isinstance(exc, ChannelPreconditionFailed):
        return MessageRefused("RabbitMQ does not take the message; is it larger than max_message_size?")
    return _unavailable(exc)
