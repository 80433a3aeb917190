"""Each of the three brokers by its name, as a server that a test may kill and start again."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.kafka_server import KafkaServer
from tests.support.not_run import told
from tests.support.rabbitmq import RabbitServer


class Nothing:
    """The embedded broker: there is no server to kill."""

    url: str | None = None

    def start(self) -> None:
        return

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        return


Server = Nothing | RabbitServer | KafkaServer


@contextmanager
def broker_of(name: str, folder: Path) -> Iterator[Server]:
    server: Server = Nothing()
    if name == "rabbitmq":
        server = RabbitServer(folder / "rabbitmq")
    elif name == "kafka":
        server = KafkaServer(folder / "kafka", Path(told("ARCANE_TEST_KAFKA_JARS")))
    server.start()
    try:
        yield server
    finally:
        server.stop(signal.SIGKILL)
