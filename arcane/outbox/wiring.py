"""Which broker this instance has: one at an address, or its own Postgres."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from arcane.kit.announce import Announcer
from arcane.kit.clock import Clock
from arcane.kit.database import Database
from arcane.messaging.broker import Broker, RetryPolicy
from arcane.messaging.connect import driver_of
from arcane.outbox.service import EmbeddedQueues
from arcane.settings import BrokerSettings


@dataclass(frozen=True, slots=True)
class InstanceBroker:
    """How this instance's broker is reached. `own` are the queues that the backend keeps itself, if it does."""

    settings: BrokerSettings
    clock: Clock
    own: EmbeddedQueues | None

    def reach(self) -> AbstractAsyncContextManager[Broker]:
        """Returns a connection to the broker. Entering it raises BrokerUnavailable."""
        if self.own is not None:
            return _as_it_is(self.own)
        assert self.settings.url is not None  # noqa: S101 - see broker_of
        url = self.settings.url.get_secret_value()
        return driver_of(url)(url, self.clock, retries_of(self.settings))


def broker_of(settings: BrokerSettings, database: Database, announcer: Announcer, clock: Clock) -> InstanceBroker:
    """Returns the broker of the settings. Raises BadAddress, DriverMissing: at the start, not at the first job."""
    if settings.url is not None:
        driver_of(settings.url.get_secret_value())
        return InstanceBroker(settings, clock, None)
    own = EmbeddedQueues(database, announcer, clock, retries_of(settings), settings.lease_s)
    return InstanceBroker(settings, clock, own)


def retries_of(settings: BrokerSettings) -> RetryPolicy:
    """Returns when a failed message is tried again."""
    return RetryPolicy(tuple(settings.retry_delays_s))


@asynccontextmanager
async def _as_it_is(own: EmbeddedQueues) -> AsyncIterator[Broker]:
    yield own
