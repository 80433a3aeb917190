"""The queues of the backend itself, borrowed from over its internal API (`arcane.messaging.leases`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

import anyio
import msgspec

from arcane.messaging.broker import BrokerUnavailable
from arcane.messaging.envelope import Body
from arcane.messaging.leases import (
    EXTENSIONS_PATH,
    LEASES_PATH,
    SETTLEMENTS_PATH,
    ExtendAnswer,
    ExtendRequest,
    LeaseAnswer,
    LeaseRequest,
    SettleAnswer,
    Settled,
    Settlement,
    SettleRequest,
)
from worker.backend import Backend, BackendRefused, BackendUnreachable

Answer = TypeVar("Answer", bound=Body)


@dataclass(frozen=True, slots=True)
class BackendLeases:
    """`Leases` of the backend."""

    backend: Backend

    async def lease(self, request: LeaseRequest) -> LeaseAnswer:
        """See Leases.lease."""
        return await self._ask(LEASES_PATH, request, LeaseAnswer, wait_s=request.wait_s)

    async def settle(self, settlements: Sequence[Settlement]) -> Sequence[Settled]:
        """See Leases.settle."""
        request = SettleRequest(settlements=tuple(settlements))
        return (await self._ask(SETTLEMENTS_PATH, request, SettleAnswer)).settled

    async def extend(self, held: Sequence[tuple[UUID, UUID]]) -> int:
        """See Leases.extend."""
        return (await self._ask(EXTENSIONS_PATH, ExtendRequest(held=tuple(held)), ExtendAnswer)).extended

    async def answers(self, *, within_s: float) -> bool:
        """See Leases.answers."""
        with anyio.move_on_after(within_s):
            return await self.backend.is_there()
        return False

    async def _ask(self, path: str, request: Body, kind: type[Answer], *, wait_s: float = 0.0) -> Answer:
        try:
            return msgspec.json.decode(await self.backend.ask(path, request, wait_s=wait_s), type=kind)
        except (BackendUnreachable, BackendRefused) as exc:
            raise BrokerUnavailable(str(exc)) from exc
        except msgspec.MsgspecError as exc:
            raise BrokerUnavailable("the backend gave an answer that this release cannot read") from exc
