"""Each of the three brokers by its name, as a server that a test may kill and start again."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.kafka_server import KafkaServer
from tests.support.not_run import told
from tests.support.rabbitmq import RabbitServer

NAMES = ("embedded", "rabbitmq", "kafka")


def of_today(*, after: int = 0) -> str:
    """Returns the broker whose turn it is, `after` others: a test that is long meets each every third day."""
    return NAMES[(datetime.now(UTC).toordinal() + after) % len(NAMES)]


def needs_of(name: str) -> list[pytest.MarkDecorator]:
    """Returns the marks of tests that start the broker."""
    return [] if name == "embedded" else [pytest.mark.connected(name)]


class Nothing:
    """The embedded broker: there is no server to kill, and nothing on a disk of its own."""

    url: str | None = None
    folder: Path | None = None

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
