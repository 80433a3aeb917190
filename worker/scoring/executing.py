"""Jobs that score: the verdict of a scorer, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass

from arcane.messaging.jobs import JobError, ScoreSpec
from worker.executors import Done, JobFailed, Work
from worker.generating import caller_of, job_failed
from worker.llm.errors import ModelError
from worker.llm.models import Models
from worker.scoring.bound import BoundModels
from worker.scoring.errors import ScoringFailed
from worker.scoring.judging import Judge


@dataclass(frozen=True, slots=True)
class Scoring:
    """Executes a ScoreSpec."""

    judge: Judge
    models: Models

    async def run(self, spec: ScoreSpec, work: Work) -> Done:
        """Returns the verdict. Raises JobFailed: what a scorer refuses is final, what a model refuses may pass."""
        bound = BoundModels(self.models, caller_of(work), spec.scorer)
        try:
            return Done(verdict=await self.judge.verdict(spec.scorer, work.inputs, bound))
        except ScoringFailed as exc:
            raise JobFailed(JobError(kind=exc.kind, message=str(exc), usage=bound.usage), retry=exc.retry) from exc
        except ModelError as exc:
            raise job_failed(exc, bound.usage) from exc
