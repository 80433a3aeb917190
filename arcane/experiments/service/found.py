"""What every service of experiments begins with."""

from __future__ import annotations

from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.experiments.problems import UnknownExperiment
from arcane.experiments.repository import ExperimentRepository
from arcane.experiments.tables import Experiment
from arcane.jobs.service.runs import Jobs
from arcane.kit.actor import Actor
from arcane.kit.problems import NotFound


async def found(session: AsyncSession, actor: Actor, experiment_id: UUID, *, for_change: bool = False) -> Experiment:
    """Returns the experiment, locked when it is about to change. Raises UnknownExperiment."""
    row = await ExperimentRepository(session).find(actor, experiment_id, for_change=for_change)
    if row is None:
        raise UnknownExperiment("there is no such experiment", experiment_id=str(experiment_id))
    return row


async def held(session: AsyncSession, jobs: Jobs, actor: Actor, experiment_id: UUID) -> Experiment:
    """Returns the experiment, locked together with its run. Raises UnknownExperiment."""
    row = await found(session, actor, experiment_id)
    if row.run_id is not None:
        await jobs.hold(session, row.run_id)
    return await found(session, actor, experiment_id, for_change=True)


def project_of(actor: Actor) -> tuple[UUID, UUID]:
    """Returns the actor's organisation and project; raises NotFound for an actor outside of any."""
    if actor.organisation_id is None or actor.project_id is None:
        raise NotFound("there is no such project")
    return actor.organisation_id, actor.project_id
