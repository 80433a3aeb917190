"""Which scorers there are: what workers announced last, kept for the time when none is there, and who has them now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import anyio
import msgspec
from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.kit.actor import Tenant
from arcane.kit.database import DATABASE_FAILURES, Database
from arcane.kit.logging import get_logger
from arcane.messaging.scoring import ScorerDescription
from arcane.scores.repository import ScorerRepository
from arcane.scores.views import KnownScorer
from arcane.workers.service import WorkerService

log = get_logger("arcane.scores")

LOOK_S = 5.0
MOST_SCORERS = 1_000
"""Most scorers that are kept: announcements come from workers of this instance, and still are bounded."""


@dataclass(slots=True)
class Scorers:
    """What is known of scorers. Reading costs one query; what present workers say goes before what is kept."""

    database: Database
    workers: WorkerService
    look_s: float = LOOK_S
    _kept: dict[str, bytes] = field(default_factory=dict)

    async def run(self) -> None:
        """Keeps what workers announce, until cancelled."""
        while True:
            await anyio.sleep(self.look_s)
            try:
                await self.keep()
            except DATABASE_FAILURES as exc:
                log.warning("scorers_not_kept", reason=type(exc).__name__)

    async def keep(self) -> None:
        """What present workers announce and is not kept yet is stored."""
        announced = {one.key: one for one in self._announced()}
        fresh = {key: one for key, one in announced.items() if self._kept.get(key) != msgspec.json.encode(one)}
        if not fresh:
            return
        async with self.database.transaction(Tenant(instance=True)) as session:
            await ScorerRepository(session).keep(fresh.values(), MOST_SCORERS)
        self._kept |= {key: msgspec.json.encode(one) for key, one in fresh.items()}
        log.info("scorers_announced", scorers=len(fresh))

    async def known(self, session: AsyncSession) -> Mapping[str, KnownScorer]:
        """Returns every scorer by its key."""
        kept = await ScorerRepository(session).all()
        found = {one.key: one for one in (*kept, *self._announced())}
        return {key: KnownScorer(one, self._having(key)) for key, one in found.items()}

    def _announced(self) -> Iterable[ScorerDescription]:
        for worker in self.workers.present():
            yield from worker.announcement.scorers

    def _having(self, key: str) -> tuple[str, ...]:
        present = (worker.announcement for worker in self.workers.present())
        return tuple(one.name for one in present if any(scorer.key == key for scorer in one.scorers))
