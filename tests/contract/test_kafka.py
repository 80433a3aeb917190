"""The broker contract over a real Kafka, and what only Kafka can do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager

import pytest

from arcane.kit.clock import SystemClock
from arcane.messaging.broker import Broker
from arcane.messaging.kafka import KafkaBroker
from arcane.messaging.testing import RETRIES, BrokerContract
from tests.support.kafka_server import kafka


@pytest.fixture(scope="session")
def kafka_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with kafka(tmp_path_factory.mktemp("kafka")) as url:
        yield url


@pytest.mark.connected("kafka")
class TestKafka(BrokerContract):
    @pytest.fixture(autouse=True)
    def _at(self, kafka_url: str) -> None:
        self.url = kafka_url

    @pytest.fixture
    async def broker(self) -> AsyncIterator[Broker]:
        async with self.again() as found:
            yield found

    def again(self) -> AbstractAsyncContextManager[Broker]:
        return KafkaBroker.connected(self.url, SystemClock(), RETRIES)
