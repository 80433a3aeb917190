"""The broker contract over a real RabbitMQ, and what only RabbitMQ can do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager
from urllib.parse import urlsplit

import anyio
import pytest

from arcane.kit.clock import SystemClock
from arcane.messaging.broker import Broker, BrokerUnavailable, SettlementLost
from arcane.messaging.message import Message
from arcane.messaging.rabbitmq import RabbitBroker
from arcane.messaging.testing import RETRIES, BrokerContract, ids, message, next_of, taken
from tests.support.rabbitmq import rabbitmq
from tests.support.relay import relaying


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

    async def test_a_consumer_goes_on_after_its_line_was_cut(self, queue: str) -> None:
        port = urlsplit(self.url).port
        assert port is not None
        async with relaying(port) as line:
            url = self.url.replace(f":{port}", f":{line.port}")
            async with RabbitBroker.connected(url, SystemClock(), RETRIES) as broker:
                sent = [message(queue) for _ in range(3)]
                await broker.publish(sent[:2])
                async with broker.consume(queue, at_once=4) as deliveries:
                    held = await next_of(deliveries)
                    await next_of(deliveries)
                    await line.cut()
                    with anyio.fail_after(10.0):
                        while not held.unsettled.channel.is_closed:  # type: ignore[attr-defined]  # noqa: ASYNC110
                            await anyio.sleep(0.01)
                    with pytest.raises(SettlementLost):
                        await held.ack()
                    await _published(broker, sent[2])
                    assert set(await taken(deliveries, 3)) == ids(sent)

    async def test_while_the_connection_is_away_publishing_says_so(self, queue: str) -> None:
        port = urlsplit(self.url).port
        assert port is not None
        async with relaying(port) as line:
            url = self.url.replace(f":{port}", f":{line.port}")
            async with RabbitBroker.connected(url, SystemClock(), RETRIES) as broker:
                line.target = None
                await line.cut()
                with anyio.fail_after(20.0):
                    for _ in range(20):
                        with pytest.raises(BrokerUnavailable), anyio.fail_after(5.0):
                            await broker.publish([message(f"{queue}-other")])
                        await anyio.sleep(0.02)
                line.target = port
                await _published(broker, message(queue))


async def _published(broker: Broker, one: Message) -> None:
    """`one` lies in its queue, as soon as the broker is back."""
    with anyio.fail_after(30.0):
        while True:
            try:
                return await broker.publish([one])
            except BrokerUnavailable:
                await anyio.sleep(0.05)
