"""Which broker an address means. The drivers are optional, and loaded only where they are needed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from importlib import import_module
from typing import TypeAlias

from arcane.kit.clock import Clock
from arcane.messaging.broker import Broker, RetryPolicy
from arcane.messaging.kafka_address import BadAddress

Connect: TypeAlias = Callable[[str, Clock, RetryPolicy], AbstractAsyncContextManager[Broker]]

_DRIVERS = {
    "amqp": ("arcane.messaging.rabbitmq", "RabbitBroker", "rabbitmq"),
    "amqps": ("arcane.messaging.rabbitmq", "RabbitBroker", "rabbitmq"),
    "kafka": ("arcane.messaging.kafka", "KafkaBroker", "kafka"),
    "kafka+ssl": ("arcane.messaging.kafka", "KafkaBroker", "kafka"),
}


class DriverMissing(Exception):
    """The broker's driver is not installed; the message says how to install it."""


def driver_of(url: str) -> Connect:
    """Returns what connects to the kind of broker that `url` names. Raises BadAddress, DriverMissing."""
    scheme = url.partition("://")[0]
    if scheme not in _DRIVERS:
        raise BadAddress(f"a broker's address begins with one of {', '.join(f'{name}://' for name in _DRIVERS)}")
    module, name, extra = _DRIVERS[scheme]
    try:
        connect: Connect = getattr(import_module(module), name).connected
    except ModuleNotFoundError as exc:
        raise DriverMissing(f"install the driver: pip install 'arcane[{extra}]'") from exc
    return connect
