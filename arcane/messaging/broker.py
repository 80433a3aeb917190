"""What every broker does: takes messages for good, hands each out until somebody settles it, and forgets none.

Delivery is at least once. A message comes again when the process that held it died, when the connection
was lost, or when a broker could not tell whether it had been settled, so whatever a message causes must
not depend on being caused once.

    BrokerError
    ├── BrokerUnavailable   no answer, or not in time: the same call may succeed later
    ├── MessageRefused      the broker will never take this message, as it is (too large, for instance)
    └── SettlementLost      the message is no longer ours to settle; it comes again, here or elsewhere
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum

from arcane.messaging.message import DEAD, Message


class BrokerError(Exception):
    """Something went wrong between us and the broker; the message holds no credentials."""


class BrokerUnavailable(BrokerError):
    """The broker did not answer, or did not confirm: what was sent may or may not be there."""


class MessageRefused(BrokerError):
    """The broker does not take this message; sending it again changes nothing."""


class SettlementLost(BrokerError):
    """The delivery is not ours any more: its connection or its partition is gone. The message comes again."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long a failed message waits before its second, third, ... try; afterwards it is dead."""

    delays_s: tuple[float, ...] = (60.0, 600.0)

    @property
    def attempts(self) -> int:
        """How often a message is tried at most."""
        return len(self.delays_s) + 1

    def delay_after(self, failures: int) -> float | None:
        """Returns the seconds to wait after so many failures (1 or more), None when there is no further try."""
        return self.delays_s[failures - 1] if failures <= len(self.delays_s) else None


class Fate(StrEnum):
    """What became of a message that failed."""

    WAITS = "waits"  # it comes again after its delay
    DEAD = "dead"  # it lies in the dead letter queue


class Delivery(ABC):
    """One message in our hands. Exactly one of its methods is called, once; each raises BrokerError."""

    message: Message

    @abstractmethod
    async def ack(self) -> None:
        """The message is done and does not come again (see SettlementLost)."""

    @abstractmethod
    async def retry(self, error: str) -> Fate:
        """The message comes again after its delay, with `error` in its history, or is dead after its last try.

        `error` is kept with the message: it holds no content of traces and no secrets.
        """

    @abstractmethod
    async def reject(self, error: str) -> None:
        """The message lies in the dead letter queue: trying it again would change nothing."""

    @abstractmethod
    async def release(self) -> None:
        """The message is given back as it was and may go to somebody else at once."""


class Consumes(ABC):
    """Hands out the messages of queues. Used by many tasks at once; all that a worker needs of a broker.

    For a queue `evaluations` there is a dead letter queue `evaluations.dead`, which is read, and settled,
    like any other one: `ack` discards a dead letter.
    """

    @abstractmethod
    def consume(self, queue: str, *, at_once: int) -> AbstractAsyncContextManager[AsyncIterator[Delivery]]:
        """Opens a stream of deliveries of which at most `at_once` are not settled; it lasts through reconnections.

        When the block ends, what was not settled goes back to the broker.
        """

    @abstractmethod
    async def answers(self, *, within_s: float) -> bool:
        """Returns True when the broker can be reached in time."""


class Broker(Consumes):
    """A connection to a broker. Publishing a dead letter's `revived()` message tries it again."""

    retries: RetryPolicy

    @abstractmethod
    async def publish(self, messages: Sequence[Message]) -> None:
        """The broker keeps all of `messages`, also when it is killed now.

        Raises BrokerError; none, some or all of them are there then.
        """


def dead(queue: str) -> str:
    """Returns the name of the dead letter queue of `queue`."""
    return queue + DEAD
