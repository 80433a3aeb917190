"""Many messages in few writes, confirmed together: below aio-pika, on the channel of aiormq that it keeps.

aiormq's own `basic_publish` keeps the channel to itself until one message has left for the socket, and two futures for
each. A job's message cost the backend more than the job did. What is used here of aiormq's channel is what its
`basic_publish` uses: the number of the last message, the table of those that are not confirmed, and the queue of the
one task that writes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import pamqp.frame
from aiormq.abc import ChannelFrame
from aiormq.channel import Channel
from aiormq.exceptions import AMQPError
from pamqp.body import ContentBody
from pamqp.commands import Basic
from pamqp.header import ContentHeader

from arcane.messaging.message import Message, headers_of

_AT_ONCE = 64
_PERSISTENT = 2

Letter = tuple[str, Message]
"""The full name of a queue, and what goes there."""


@dataclass(slots=True, eq=False)
class _Batch:
    """Stands for each of its messages in aiormq's table, in place of a future for each."""

    settled: asyncio.Future[None]
    open: int
    fault: BaseException | None = None

    def done(self) -> bool:
        """Whether nobody waits any more."""
        return self.settled.done()

    def cancelled(self) -> bool:
        """Whether whoever waited has gone."""
        return self.settled.cancelled()

    def set_result(self, _: object) -> None:
        """One more is confirmed."""
        self.open -= 1
        if self.open == 0 and not self.settled.done():
            self.settled.set_result(None)

    def set_exception(self, fault: BaseException) -> None:
        """One was refused, or came back because there is no such queue."""
        self.fault = self.fault or fault
        self.set_result(None)


async def send_all(channel: Channel, letters: Sequence[Letter]) -> None:
    """RabbitMQ has confirmed each of `letters`. Raises what aiormq says of the first that failed, or OSError."""
    batch = _Batch(channel.create_future(), len(letters))
    names = [str(message.id) for _, message in letters]
    try:
        for start in range(0, len(letters), _AT_ONCE):
            await _written(channel, letters[start : start + _AT_ONCE], names[start : start + _AT_ONCE], batch)
        await _ended(batch.settled)
    finally:
        for name in names:
            channel.message_id_delivery_tag.pop(name, None)
    if batch.fault is not None:
        raise batch.fault


async def _ended(future: asyncio.Future[None]) -> None:
    """`future` has its result. A channel that closes may leave anything there, also what reads as our own end."""
    await asyncio.wait([future])
    fault = None if future.cancelled() else future.exception()
    if isinstance(fault, AMQPError):
        raise fault
    if fault is not None or future.cancelled():
        raise ConnectionAbortedError("the channel was closed") from fault


async def _written(channel: Channel, letters: Sequence[Letter], names: Sequence[str], batch: _Batch) -> None:
    """`letters` have left; RabbitMQ numbers them as they come, so nobody else writes in between."""
    payload = b"".join(piece for letter in letters for piece in _frames(channel, *letter))
    left = channel.create_future()
    async with channel.lock:
        before = channel.delivery_tag
        for number, name in enumerate(names, before + 1):
            channel.confirmations[number] = cast("Any", batch)
            channel.message_id_delivery_tag[name] = number
        channel.delivery_tag += len(letters)
        try:
            await channel.write_queue.put(ChannelFrame(payload, should_close=False, drain_future=left))
        except BaseException:  # RabbitMQ has seen none of them: the next message has their first number
            channel.delivery_tag = before
            for number in range(before + 1, before + 1 + len(letters)):
                channel.confirmations.pop(number, None)
            raise
        await _ended(left)


def _frames(channel: Channel, queue: str, message: Message) -> Iterator[bytes]:
    properties = Basic.Properties(
        content_type=message.content_type,
        headers=dict(headers_of(message)),
        delivery_mode=_PERSISTENT,
        correlation_id=message.correlation_id or None,
        message_id=str(message.id),
    )
    body, most = message.body, channel.max_content_size
    yield pamqp.frame.marshal(Basic.Publish(exchange="", routing_key=queue, mandatory=True), channel.number)
    yield pamqp.frame.marshal(ContentHeader(body_size=len(body), properties=properties), channel.number)
    for start in range(0, len(body), most):
        yield pamqp.frame.marshal(ContentBody(body[start : start + most]), channel.number)
