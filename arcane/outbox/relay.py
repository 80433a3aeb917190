"""The relay: promised messages go to the broker, and are forgotten once it has confirmed them.

A promise is claimed for a while, not locked: no transaction is open while the broker is waited for.

Any number of backends may run one. A relay that dies between the confirmation and the end of its claim
leaves the promise where it is, and the message is published again: delivery is at least once anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

import anyio

from arcane.kit.announce import Announcer
from arcane.kit.logging import get_logger
from arcane.kit.problems import Unavailable
from arcane.messaging.broker import Broker, BrokerUnavailable, MessageRefused
from arcane.outbox.promise import Promise
from arcane.outbox.service import OUTBOX_TOPIC, Bell, Promises, rung

log = get_logger("arcane.relay")

_LOOK_EVERY_S = 2.0
_PAUSE_S = 1.0
_REFUSED_PAUSE_S = 60.0
_BATCH = 500


Reach = Callable[[], AbstractAsyncContextManager[Broker]]


async def relay_forever(promises: Promises, announcer: Announcer, reach: Reach) -> None:
    """Promises reach the broker that `reach` connects to, until this is cancelled; it may be away at first."""
    bell = Bell()
    announcer.subscribe(OUTBOX_TOPIC, bell.ring)
    while True:
        try:
            async with reach() as broker:
                await Relay(promises, broker, bell).run()
        except BrokerUnavailable as exc:
            log.warning("broker_unreachable", reason=str(exc))
        except Exception as exc:  # noqa: BLE001 - messages wait; whatever a driver raises must not end the backend
            log.error("relay_broke", reason=type(exc).__name__)
        await anyio.sleep(_PAUSE_S)


@dataclass(frozen=True, slots=True)
class Relay:
    """Moves promises to `broker` as long as `run` runs."""

    promises: Promises
    broker: Broker
    bell: Bell

    async def run(self) -> None:
        """Publishes what is promised, until it is cancelled; a broker that is away is asked again every second."""
        while True:
            ring = self.bell.next("")
            try:
                moved = await self.move()
            except (BrokerUnavailable, Unavailable) as exc:
                log.warning("messages_not_relayed", reason=str(exc))
                await anyio.sleep(_PAUSE_S)
                continue
            if moved < _BATCH:
                await rung(ring, _LOOK_EVERY_S)

    async def move(self) -> int:
        """Returns how many messages were published just now. Raises BrokerUnavailable, Unavailable."""
        promises = await self.promises.claim(_BATCH)
        if not promises:
            return 0
        messages = [message for one in promises for message in one.messages()]
        try:
            await self.broker.publish(messages)
        except BrokerUnavailable:
            await self.promises.unclaim(promises, 0.0)
            raise
        except MessageRefused as exc:
            await self._one_by_one(promises, exc)
        else:
            await self.promises.kept(promises)
        return len(messages)

    async def _one_by_one(self, promises: Sequence[Promise], refused: MessageRefused) -> None:
        """One of them is not taken, and must not hold up the others; it is tried again later, and loudly."""
        for one in promises:
            try:
                await self.broker.publish(one.messages())
            except MessageRefused:
                log.error("message_refused", queue=one.queue, message_id=one.headers["arcane-id"], reason=str(refused))
                await self.promises.unclaim([one], _REFUSED_PAUSE_S)
            else:
                await self.promises.kept([one])
