"""Making experiments and steering them: everything that changes one, and the list of them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.access.permissions import DATASETS_READ
from arcane.audit.service import AuditLog
from arcane.datasets.pinned import PinnedDataset
from arcane.experiments.mapping import completed
from arcane.experiments.problems import ExperimentEmpty, ExperimentState, ExperimentTooLarge
from arcane.experiments.repository import ExperimentRepository
from arcane.experiments.service.found import found, held, project_of
from arcane.experiments.service.progress import Progress
from arcane.experiments.tables import Experiment
from arcane.experiments.words import KIND, Again, Draft, ExperimentView, State, Status
from arcane.jobs.service.runs import Jobs
from arcane.jobs.words import Run, RunState
from arcane.kit.actor import Actor
from arcane.kit.database import Database
from arcane.kit.pagination import Cursors, Page, PageRequest
from arcane.kit.problems import NotAllowed
from arcane.kit.tables import now
from arcane.messaging.generation import ModelSpec, PromptSpec
from arcane.messaging.jobs import GenerateSpec
from arcane.prompting.render import required, variables
from arcane.settings import EvaluationSettings


@dataclass(frozen=True, slots=True)
class PinnedPrompt:
    """A prompt version and a model, whole, and what they are called."""

    prompt: PromptSpec
    model: ModelSpec
    named: Mapping[str, Any]


class Prompts(Protocol):
    """Where prompt versions and models come from."""

    async def pinned(self, actor: Actor, version_id: UUID, model_configuration_id: UUID | None) -> PinnedPrompt:
        """Returns the version and the model, its own where none is named; raises what says that there is none."""
        ...


class Datasets(Protocol):
    """Where datasets come from."""

    async def pin(
        self, session: AsyncSession, actor: Actor, dataset_id: UUID, version: int | None = None
    ) -> PinnedDataset:
        """Returns a version, the newest where none is named; raises UnknownDataset."""
        ...


@dataclass(frozen=True, slots=True)
class ExperimentService:
    """Every method takes the actor whose project is meant; ids of other projects are unknown."""

    database: Database
    audit: AuditLog
    jobs: Jobs
    cursors: Cursors
    prompts: Prompts
    datasets: Datasets
    progress: Progress
    settings: EvaluationSettings

    async def page(self, actor: Actor, request: PageRequest, dataset_id: UUID | None = None) -> Page[ExperimentView]:
        """Returns a page of experiments, newest first; of one dataset where it is named."""
        async with self.database.transaction(actor.tenant) as session:
            page = await ExperimentRepository(session).page(actor, request, self.cursors, dataset_id)
        return Page(tuple(map(ExperimentView.of, page.items)), page.next)

    async def get(self, actor: Actor, experiment_id: UUID) -> ExperimentView:
        """Returns one experiment; raises UnknownExperiment."""
        async with self.database.transaction(actor.tenant) as session:
            return ExperimentView.of(await found(session, actor, experiment_id))

    async def several(self, actor: Actor, ids: Collection[UUID]) -> dict[UUID, ExperimentView]:
        """Returns those of the experiments that are in the actor's project, by id."""
        async with self.database.transaction(actor.tenant) as session:
            rows = await ExperimentRepository(session).several(actor, ids)
        return {row.id: ExperimentView.of(row) for row in rows}

    def watch(self, actor: Actor, experiment_id: UUID) -> AsyncGenerator[ExperimentView, None]:
        """Yields the experiment now and whenever it got on, until nothing more happens to it."""
        return self.progress.follow(lambda: self.get(actor, experiment_id))

    async def create(self, actor: Actor, draft: Draft) -> ExperimentView:
        """Returns the new experiment: one pending result for each row, and with a prompt one job for each.

        Raises BadMapping, ExperimentEmpty, ExperimentTooLarge, NotAllowed for who may not read the dataset, and what
        says that something pinned is not there.
        """
        if not actor.may(DATASETS_READ):
            raise NotAllowed(
                "an experiment shows its dataset: it needs the permission to read it", permission=DATASETS_READ
            )
        organisation_id, project_id = project_of(actor)
        prompt = await self._prompt(actor, draft)
        async with self.database.transaction(actor.tenant) as session:
            dataset = await self.datasets.pin(session, actor, draft.dataset_id, draft.dataset_version)
            experiment = Experiment(
                organisation_id=organisation_id,
                project_id=project_id,
                name=draft.name,
                description=draft.description,
                prompt_version_id=draft.prompt_version_id,
                model_configuration_id=None if prompt is None else prompt.model.configuration,
                dataset_id=dataset.id,
                dataset_version=dataset.version,
                split=draft.split,
                mapping=_mapping(prompt, dataset, draft),
                pinned=_pinned(prompt, dataset),
                state=State.RUNNING,
                created_by=actor.name,
            )
            session.add(experiment)
            await session.flush()
            await self._fill(session, experiment, prompt)
            await self.audit.record(
                session, actor, "experiment.created", ("experiment", experiment.id), after=_audited(experiment)
            )
        return ExperimentView.of(experiment)

    async def rename(
        self, actor: Actor, experiment_id: UUID, name: str | None, description: str | None
    ) -> ExperimentView:
        """Returns the experiment under its new name; raises UnknownExperiment."""
        async with self.database.transaction(actor.tenant) as session:
            row = await found(session, actor, experiment_id, for_change=True)
            before = _audited(row)
            row.name = row.name if name is None else name
            row.description = row.description if description is None else description
            await self.audit.record(
                session, actor, "experiment.updated", ("experiment", row.id), before=before, after=_audited(row)
            )
        return ExperimentView.of(row)

    async def delete(self, actor: Actor, experiment_id: UUID) -> None:
        """The experiment and its results are gone; work under way is cancelled. Raises UnknownExperiment."""
        async with self.database.transaction(actor.tenant) as session:
            row = await held(session, self.jobs, actor, experiment_id)
            if row.run_id is not None:
                await self.jobs.cancel(session, row.run_id)
            await self.audit.record(session, actor, "experiment.deleted", ("experiment", row.id), before=_audited(row))
            await session.delete(row)

    async def cancel(self, actor: Actor, experiment_id: UUID) -> ExperimentView:
        """Returns the experiment, of which nothing more is done; raises ExperimentState when it is over."""
        return await self._steer(actor, experiment_id, State.CANCELLED, (State.RUNNING, State.PAUSED))

    async def finish(self, actor: Actor, experiment_id: UUID) -> ExperimentView:
        """Returns the experiment, which is done as it is: rows without an answer are left without one.

        Raises ExperimentState when it is over.
        """
        return await self._steer(actor, experiment_id, State.DONE, (State.RUNNING, State.PAUSED))

    async def pause(self, actor: Actor, experiment_id: UUID) -> ExperimentView:
        """Returns the experiment, of which no further row begins; raises ExperimentState."""
        return await self._steer(actor, experiment_id, State.PAUSED, (State.RUNNING,))

    async def resume(self, actor: Actor, experiment_id: UUID) -> ExperimentView:
        """Returns the experiment, which goes on; raises ExperimentState."""
        return await self._steer(actor, experiment_id, State.RUNNING, (State.PAUSED,))

    async def rerun(self, actor: Actor, experiment_id: UUID, again: Again) -> ExperimentView:
        """Returns the experiment, whose failed rows (or all) are done again; raises ExperimentState."""
        async with self.database.transaction(actor.tenant) as session:
            row = await held(session, self.jobs, actor, experiment_id)
            if row.run_id is None:
                raise ExperimentState("results of this experiment come from outside: report them again")
            if row.state == State.PAUSED:
                raise ExperimentState("the experiment is paused: resume it first", state=row.state)
            begun = await ExperimentRepository(session).repeated(row.id).begin(session, self.jobs, row.run_id, again)
            if not begun:
                raise ExperimentState("there is nothing to do again", state=row.state)
            row.done -= begun[Status.DONE]
            row.failed -= begun[Status.FAILED]
            row.state, row.finished_at = State.RUNNING, None
            await self.audit.record(session, actor, "experiment.rerun", ("experiment", row.id), after={"rows": again})
        return ExperimentView.of(row)

    async def _prompt(self, actor: Actor, draft: Draft) -> PinnedPrompt | None:
        if draft.prompt_version_id is None:
            return None
        return await self.prompts.pinned(actor, draft.prompt_version_id, draft.model_configuration_id)

    async def _fill(self, session: AsyncSession, experiment: Experiment, prompt: PinnedPrompt | None) -> None:
        repository = ExperimentRepository(session)
        experiment.total = await repository.add_results(experiment)
        if not experiment.total:
            raise ExperimentEmpty("the version of the dataset has no rows, or the split has none")
        most = self.settings.rows_max
        if experiment.total > most:
            raise ExperimentTooLarge(f"an experiment has at most {most} rows on this instance", maximum=most)
        if prompt is not None:
            run = Run(
                kind=KIND,
                organisation_id=experiment.organisation_id,
                project_id=experiment.project_id,
                subject_id=experiment.id,
                created_by=experiment.created_by,
            )
            created = await self.jobs.create_run(session, run, [GenerateSpec(prompt=prompt.prompt, model=prompt.model)])
            experiment.run_id = created.run_id
            await self.jobs.add(session, created.run_id, repository.units(experiment.id, created.spec_ids[0]))

    async def _steer(self, actor: Actor, experiment_id: UUID, to: State, allowed: tuple[State, ...]) -> ExperimentView:
        async with self.database.transaction(actor.tenant) as session:
            row = await held(session, self.jobs, actor, experiment_id)
            if row.state not in allowed:
                raise ExperimentState(f"the experiment is {row.state}", state=row.state)
            before = row.state
            if row.run_id is not None:
                await self.jobs.steer(session, row.run_id, RunState(to.value))
            row.state = to
            if to in (State.CANCELLED, State.DONE):
                row.finished_at = now()
                await ExperimentRepository(session).cancel_open(row.id)
            await self.audit.record(
                session,
                actor,
                f"experiment.{_VERBS[to]}",
                ("experiment", row.id),
                before={"state": before},
                after={"state": to},
            )
        return ExperimentView.of(row)


_VERBS = {State.CANCELLED: "cancelled", State.DONE: "finished", State.PAUSED: "paused", State.RUNNING: "resumed"}


def _mapping(prompt: PinnedPrompt | None, dataset: PinnedDataset, draft: Draft) -> dict[str, str]:
    columns = [column.name for column in dataset.columns]
    if prompt is None:
        return completed(list(draft.mapping), (), columns, draft.mapping)
    return completed(variables(prompt.prompt), required(prompt.prompt), columns, draft.mapping)


def _pinned(prompt: PinnedPrompt | None, dataset: PinnedDataset) -> dict[str, Any]:
    columns = [column.stored() for column in dataset.columns]
    named: dict[str, Any] = {"dataset": {"name": dataset.name, "columns": columns}}
    return named if prompt is None else {**named, **prompt.named}


def _audited(row: Experiment) -> dict[str, Any]:
    return {
        "name": row.name,
        "description": row.description,
        "prompt_version_id": row.prompt_version_id,
        "dataset_id": row.dataset_id,
        "dataset_version": row.dataset_version,
        "rows": row.total,
    }
