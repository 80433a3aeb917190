"""How messages are lent out where the backend itself keeps them: a lease ends, and what was not settled is lent again.

`Leases` is what keeps the messages: the backend's database, seen directly or over the internal API.
`arcane.messaging.leased` makes deliveries of it. Also what travels over that API.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol
from uuid import UUID

import msgspec

from arcane.messaging.envelope import Body

LEASES_PATH = "/internal/v1/queue/leases"
SETTLEMENTS_PATH = "/internal/v1/queue/settlements"
EXTENSIONS_PATH = "/internal/v1/queue/extensions"

LEASED_AT_ONCE_MAX = 500
SETTLED_AT_ONCE_MAX = 500
WAIT_S_MAX = 20.0


class Leased(msgspec.Struct, frozen=True, gc=False):
    """A message that was lent: `id` is its place, `lease` proves that it was lent to us."""

    id: UUID
    lease: UUID
    headers: dict[str, str]
    body: bytes


class Outcome(StrEnum):
    """What whoever held a message says of it."""

    ACK = "ack"
    RETRY = "retry"
    REJECT = "reject"
    RELEASE = "release"


class Settlement(msgspec.Struct, frozen=True, gc=False):
    """One lease is given up."""

    id: UUID
    lease: UUID
    outcome: Outcome
    error: str = ""


class Settled(StrEnum):
    """What became of a settlement."""

    DONE = "done"
    WAITS = "waits"
    DEAD = "dead"
    LOST = "lost"  # the lease had ended, and the message went to somebody else


class LeaseRequest(Body, frozen=True, kw_only=True, tag="lease_request"):
    """Lend me messages of `queue`; wait for the first one as long as `wait_s`."""

    queue: str
    at_most: int
    wait_s: float


class LeaseAnswer(Body, frozen=True, kw_only=True, tag="lease_answer"):
    """What was lent, for `lease_s` seconds."""

    leased: tuple[Leased, ...]
    lease_s: float


class SettleRequest(Body, frozen=True, kw_only=True, tag="settle_request"):
    """These leases are given up."""

    settlements: tuple[Settlement, ...]


class SettleAnswer(Body, frozen=True, kw_only=True, tag="settle_answer"):
    """What became of each, in the same order."""

    settled: tuple[Settled, ...]


class ExtendRequest(Body, frozen=True, kw_only=True, tag="extend_request"):
    """These leases are still needed."""

    held: tuple[tuple[UUID, UUID], ...]


class ExtendAnswer(Body, frozen=True, kw_only=True, tag="extend_answer"):
    """How many of them were extended."""

    extended: int


class Leases(Protocol):
    """Whoever keeps the messages. Every call raises BrokerUnavailable when it cannot be made."""

    async def lease(self, request: LeaseRequest) -> LeaseAnswer:
        """Returns messages that are nobody else's for a while; an empty answer after `wait_s`."""
        ...

    async def settle(self, settlements: Sequence[Settlement]) -> Sequence[Settled]:
        """Returns what became of each; a lease that had ended is `LOST`, and nothing was changed for it."""
        ...

    async def extend(self, held: Sequence[tuple[UUID, UUID]]) -> int:
        """The leases last from now on as long as new ones; returns how many were still ours."""
        ...

    async def answers(self, *, within_s: float) -> bool:
        """Returns True when whoever keeps the messages can be reached in time."""
        ...
