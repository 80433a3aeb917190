"""What RabbitMQ delivers, and what goes back: below aio-pika, which makes two tasks and an object of its own of each.

aio-pika still keeps connection, channel and consumer alive. A message comes as aiormq has it, and
acknowledgements that fall together leave together, the oldest as one: "all up to this one".
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from aio_pika import RobustChannel, RobustConnection
from aio_pika.robust_queue import RobustQueue
from aiormq.abc import ChannelFrame, DeliveredMessage
from aiormq.channel import Channel
from aiormq.exceptions import ChannelInvalidStateError
from pamqp.commands import Basic

_FULL_PAUSE_S = 0.01


class Source(RobustQueue):
    """A queue that hands out messages as aiormq has them."""

    async def consume(  # type: ignore[override]  # what is handed out
        self,
        callback: Callable[[DeliveredMessage], Coroutine[Any, Any, None]],
        consumer_tag: str | None = None,
        **options: Any,
    ) -> str:
        """Returns the consumer's tag; it consumes again, by that tag, after the connection was lost."""
        channel = await self.channel.get_underlay_channel()
        begun = await channel.basic_consume(self.name, callback, consumer_tag=consumer_tag)
        tag = str(begun.consumer_tag)
        self._consumers[tag] = {"callback": callback, **options}
        return tag


class SourceChannel(RobustChannel):
    """A channel whose queues are sources."""

    QUEUE_CLASS = Source


class SourceConnection(RobustConnection):
    """A connection whose channels have sources."""

    CHANNEL_CLASS = SourceChannel


@dataclass(slots=True, eq=False)
class Unsettled:
    """What one channel has delivered, by number: True once it is acknowledged here and RabbitMQ has yet to hear it."""

    channel: Channel
    _held: dict[int, bool] = field(default_factory=dict)
    _due: bool = False

    def took(self, number: int) -> None:
        """It was delivered. Numbers only rise."""
        self._held[number] = False

    def ack(self, number: int) -> None:
        """RabbitMQ is told with whatever else is acknowledged now. Raises ChannelInvalidStateError."""
        if self.channel.is_closed:
            raise ChannelInvalidStateError("the channel is closed")
        self._held[number] = True
        if not self._due:
            self._due = True
            asyncio.get_running_loop().call_soon(self._tell)

    async def release(self, number: int) -> None:
        """RabbitMQ was told to deliver it again. Raises ChannelInvalidStateError."""
        await self.channel.basic_nack(number, requeue=True)
        self._held.pop(number, None)  # until RabbitMQ knows it, none after it may be acknowledged as "up to this one"

    def _tell(self) -> None:
        self._due = False
        if self.channel.is_closed:
            return
        done = [number for number, acknowledged in self._held.items() if acknowledged]
        first_held = next((number for number, acknowledged in self._held.items() if not acknowledged), None)
        upto = [number for number in done if first_held is None or number < first_held]
        frames = [Basic.Ack(number) for number in done[len(upto) :]]
        if upto:
            frames.insert(0, Basic.Ack(upto[-1], multiple=True))
        try:
            self.channel.write_queue.put_nowait(ChannelFrame.marshall(self.channel.number, frames))
        except asyncio.QueueFull:
            self._due = True
            asyncio.get_running_loop().call_later(_FULL_PAUSE_S, self._tell)
            return
        for number in done:
            del self._held[number]
