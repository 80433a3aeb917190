"""Where a worker's messages come from: the broker of the settings, or the backend itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import anyio

from arcane.kit.clock import Clock
from arcane.kit.logging import get_logger
from arcane.messaging.broker import BrokerUnavailable, Consumes, RetryPolicy
from arcane.messaging.connect import driver_of
from arcane.messaging.jobs import QUEUE
from arcane.messaging.leased import LeasedQueues
from worker.backend import Backend
from worker.leases import BackendLeases
from worker.settings import BrokerSettings
from worker.shift import Shift

log = get_logger("worker.consume")

_PAUSE_S = 1.0


def reach(settings: BrokerSettings, backend: Backend, clock: Clock) -> AbstractAsyncContextManager[Consumes]:
    """Returns a connection to where the messages are. Raises BadAddress, DriverMissing; entering, BrokerUnavailable."""
    if settings.url is None:
        return _borrowed(backend, clock)
    url = settings.url.get_secret_value()
    return driver_of(url)(url, clock, RetryPolicy(tuple(settings.retry_delays_s)))


@asynccontextmanager
async def _borrowed(backend: Backend, clock: Clock) -> AsyncIterator[Consumes]:
    yield LeasedQueues(BackendLeases(backend), clock)


async def work(shift: Shift, settings: BrokerSettings, clock: Clock, *, grace_s: float, ending: anyio.Event) -> None:
    """Works on jobs until `ending` is set; while the broker cannot be reached it is tried every second."""
    at_once = shift.crew.at_once + shift.ahead
    while not ending.is_set():
        try:
            async with (
                reach(settings, shift.desk.backend, clock) as broker,
                broker.consume(QUEUE, at_once=at_once) as deliveries,
            ):
                log.info("shift_began", at_once=at_once)
                await shift.run(deliveries, grace_s=grace_s, ending=ending)
        except BrokerUnavailable as exc:
            log.warning("broker_unreachable", reason=str(exc))
            with anyio.move_on_after(_PAUSE_S):
                await ending.wait()
