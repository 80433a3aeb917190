"""Trying a score before it is stored: a worker judges what somebody enters, and nothing of it is kept."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from arcane.kit.actor import Actor
from arcane.messaging.running import RunFailed
from arcane.messaging.scoring import ScorerSpec, Verdict
from arcane.scores.editing import ScoreDraft
from arcane.scores.service.scores import ScoreService
from arcane.scores.views import Tried


class Judges(Protocol):
    """Who has scorers at hand."""

    async def judged(
        self, actor: Actor, scorer: ScorerSpec, inputs: Mapping[str, Any]
    ) -> tuple[str, Verdict | RunFailed]:
        """Returns the name of a worker, and its verdict or why there is none; raises NoWorker."""
        ...


@dataclass(frozen=True, slots=True)
class ScoreTrials:
    """Whoever calls it has checked that the actor may create scores: a judge asks the organisation's model."""

    scores: ScoreService
    judges: Judges

    async def run(self, actor: Actor, draft: ScoreDraft, inputs: Mapping[str, Any]) -> Tried:
        """Returns what the score said; raises InvalidScore, ScoreModelNeeded and NoWorker."""
        spec = await self.scores.spec(actor, draft)
        began = time.monotonic()
        worker, said = await self.judges.judged(actor, spec, inputs)
        duration_ms = (time.monotonic() - began) * 1_000
        await self._recorded(actor, spec, said)
        if isinstance(said, RunFailed):
            return Tried(
                worker=worker, duration_ms=duration_ms, error=said.message, cause=said.cause, detail=said.detail
            )
        return Tried(worker=worker, duration_ms=duration_ms, verdict=said)

    async def _recorded(self, actor: Actor, spec: ScorerSpec, said: Verdict | RunFailed) -> None:
        """Who had which scorer tried, and what it cost, is in the audit log; what was judged is nowhere."""
        told = {"scorer": spec.key, "model_id": None if spec.model is None else str(spec.model.configuration)}
        if isinstance(said, Verdict):
            told["cost_usd"] = None if said.usage.cost_usd is None else str(said.usage.cost_usd)
        async with self.scores.database.transaction(actor.tenant) as session:
            about = ("project", actor.project_id)
            await self.scores.audit.record(session, actor, "score.tried", about, after=told)
