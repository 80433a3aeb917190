"""What every service of evaluations begins with."""

from __future__ import annotations

from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.evaluations.problems import UnknownEvaluation
from arcane.evaluations.repository.evaluations import EvaluationRepository
from arcane.evaluations.tables import Evaluation
from arcane.evaluations.words import EvaluationView
from arcane.jobs.service.runs import Jobs
from arcane.kit.actor import Actor


async def found(session: AsyncSession, actor: Actor, evaluation_id: UUID, *, for_change: bool = False) -> Evaluation:
    """Returns the evaluation, locked when it is about to change. Raises UnknownEvaluation."""
    row = await EvaluationRepository(session).find(actor, evaluation_id, for_change=for_change)
    if row is None:
        raise UnknownEvaluation("there is no such evaluation", evaluation_id=str(evaluation_id))
    return row


async def held(session: AsyncSession, jobs: Jobs, actor: Actor, evaluation_id: UUID) -> Evaluation:
    """Returns the evaluation, locked together with its run. Raises UnknownEvaluation."""
    row = await found(session, actor, evaluation_id)
    if row.run_id is not None:
        await jobs.hold(session, row.run_id)
    return await found(session, actor, evaluation_id, for_change=True)


async def viewed(session: AsyncSession, *rows: Evaluation) -> tuple[EvaluationView, ...]:
    """Returns evaluations as they are shown."""
    ids = [row.id for row in rows]
    repository = EvaluationRepository(session)
    scores, experiments = await repository.scores(ids), await repository.experiments(ids)
    return tuple(EvaluationView.of(row, scores[row.id], experiments[row.id]) for row in rows)
