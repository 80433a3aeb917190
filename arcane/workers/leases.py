"""Workers borrow jobs from this instance's own queues over the internal API, when no other broker is set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from arcane.kit.problems import Problem, Unavailable
from arcane.messaging.broker import BrokerUnavailable
from arcane.messaging.envelope import Body
from arcane.messaging.leases import (
    EXTENSIONS_PATH,
    LEASED_AT_ONCE_MAX,
    LEASES_PATH,
    SETTLED_AT_ONCE_MAX,
    SETTLEMENTS_PATH,
    WAIT_S_MAX,
    ExtendAnswer,
    ExtendRequest,
    LeaseAnswer,
    LeaseRequest,
    Leases,
    SettleAnswer,
    SettleRequest,
)
from arcane.workers.sessions import WorkerDoor

BodyType = TypeVar("BodyType", bound=Body)


class QueueElsewhere(Problem):
    """Jobs of this instance travel over a broker; the backend itself has none to lend."""

    status = 409
    slug = "queue-elsewhere"
    title = "The queue is elsewhere"


class TooManyAtOnce(Problem):
    """A request of the internal API that is over its bounds."""

    status = 400
    slug = "too-many-at-once"
    title = "Too many at once"


@dataclass(frozen=True, slots=True)
class LeaseService:
    """Reads signed requests, and lends. `queues` is None where a broker is set."""

    door: WorkerDoor
    queues: Leases | None

    async def lease(self, body: bytes, headers: Mapping[str, str]) -> bytes:
        """Returns a LeaseAnswer. Raises WorkerRefused, UnreadableWorkerMessage, TooManyAtOnce, Unavailable."""
        request = self.door.read(LEASES_PATH, body, headers, LeaseRequest)
        _bounded(request.at_most, LEASED_AT_ONCE_MAX)
        if not 0 <= request.wait_s <= WAIT_S_MAX:
            raise TooManyAtOnce(f"wait_s is at most {WAIT_S_MAX:g}")
        try:
            answer: LeaseAnswer = await self._queues().lease(request)
        except BrokerUnavailable as exc:
            raise Unavailable(str(exc)) from exc
        return msgspec.json.encode(answer)

    async def settle(self, body: bytes, headers: Mapping[str, str]) -> bytes:
        """Returns a SettleAnswer. Raises what `lease` does."""
        request = self.door.read(SETTLEMENTS_PATH, body, headers, SettleRequest)
        _bounded(len(request.settlements), SETTLED_AT_ONCE_MAX)
        try:
            settled = await self._queues().settle(request.settlements)
        except BrokerUnavailable as exc:
            raise Unavailable(str(exc)) from exc
        return msgspec.json.encode(SettleAnswer(settled=tuple(settled)))

    async def extend(self, body: bytes, headers: Mapping[str, str]) -> bytes:
        """Returns an ExtendAnswer. Raises what `lease` does."""
        request = self.door.read(EXTENSIONS_PATH, body, headers, ExtendRequest)
        _bounded(len(request.held), LEASED_AT_ONCE_MAX)
        try:
            return msgspec.json.encode(ExtendAnswer(extended=await self._queues().extend(request.held)))
        except BrokerUnavailable as exc:
            raise Unavailable(str(exc)) from exc

    def _queues(self) -> Leases:
        if self.queues is None:
            raise QueueElsewhere("this instance has ARCANE_BROKER__URL; give the worker the same")
        return self.queues


def _bounded(count: int, most: int) -> None:
    if not 1 <= count <= most:
        raise TooManyAtOnce(f"between 1 and {most} at once")
