"""The broker contract over a real RabbitMQ, and what only RabbitMQ can do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager

import pytest

from arcane.kit.clock import SystemClock
from arcane.messaging.broker import Broker
from arcane.messaging.rabbitmq import RabbitBroker
from arcane.messaging.testing import RETRIES, BrokerContract
from tests.support.rabbitmq import rabbitmq


@pytest.fixture(scope="session")
def rabbitmq_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with rabbitmq(tmp_path_factory.mktemp("rabbitmq")) as url:
        yield url


@pytest.mark.connected("rabbitmq")
class TestRabbitMQ(BrokerContract):
    @pytest.fixture(autouse=True)
    def _at(self, rabbitmq_url: str) -> None:
        self.url = rabbitmq_url

    @pytest.fixture
    async def broker(self) -> AsyncIterator[Broker]:
        async with self.again() as found:
            yield found

    def again(self) -> AbstractAsyncContextManager[Broker]:
        return RabbitBroker.connected(self.url, SystemClock(), RETRIES)
