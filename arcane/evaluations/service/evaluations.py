"""Making evaluations and steering them: everything that changes one, and the list of them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.audit.service import AuditLog
from arcane.datasets.sources import Scope
from arcane.evaluations.problems import BadEvaluation, EvaluationEmpty, EvaluationState, EvaluationTooLarge
from arcane.evaluations.repository.evaluations import EvaluationRepository
from arcane.evaluations.service.estimating import Estimator
from arcane.evaluations.service.found import found, held, viewed
from arcane.evaluations.service.pinning import Pinned, Pinner, pinned_score, searched
from arcane.evaluations.service.reading import reader_of
from arcane.evaluations.service.subject import check_budget
from arcane.evaluations.tables import Evaluation, EvaluationExperiment, EvaluationScore
from arcane.evaluations.words import KIND, Draft, Estimate, EvaluationView, State
from arcane.experiments.service.found import project_of
from arcane.experiments.service.progress import Progress
from arcane.experiments.words import Again, Status
from arcane.jobs.service.runs import Jobs
from arcane.jobs.words import Run, RunState
from arcane.kit.actor import Actor
from arcane.kit.database import Database
from arcane.kit.pagination import Cursors, Page, PageRequest
from arcane.kit.tables import now
from arcane.messaging.jobs import ScoreSpec
from arcane.settings import EvaluationSettings


class Queries(Protocol):
    """Who knows whether a query can be asked."""

    def check(self, text: str) -> str | None:
        """Returns what is wrong with a query for traces, None where nothing is."""
        ...


@dataclass(frozen=True, slots=True)
class EvaluationService:
    """Every method takes the actor whose project is meant; ids of other projects are unknown."""

    database: Database
    audit: AuditLog
    jobs: Jobs
    cursors: Cursors
    pinner: Pinner
    estimator: Estimator
    queries: Queries
    progress: Progress
    settings: EvaluationSettings

    async def page(self, actor: Actor, request: PageRequest, dataset_id: UUID | None = None) -> Page[EvaluationView]:
        """Returns a page of evaluations, newest first; of one dataset where it is named."""
        async with self.database.transaction(actor.tenant) as session:
            page = await EvaluationRepository(session).page(actor, request, self.cursors, dataset_id)
            return Page(await viewed(session, *page.items), page.next)

    async def get(self, actor: Actor, evaluation_id: UUID) -> EvaluationView:
        """Returns one evaluation; raises UnknownEvaluation."""
        async with self.database.transaction(actor.tenant) as session:
            return (await viewed(session, await found(session, actor, evaluation_id)))[0]

    async def names(self, actor: Actor, ids: Collection[UUID]) -> dict[UUID, str]:
        """Returns the names of those of the evaluations that are in the actor's project, by id."""
        async with self.database.transaction(actor.tenant) as session:
            return await EvaluationRepository(session).names(actor, ids)

    def watch(self, actor: Actor, evaluation_id: UUID) -> AsyncGenerator[EvaluationView, None]:
        """Yields the evaluation now and whenever it got on, until nothing more happens to it."""
        return self.progress.follow(lambda: self.get(actor, evaluation_id))

    async def estimate(self, actor: Actor, draft: Draft) -> Estimate:
        """Returns what `draft` would take, without making it; raises what `create` does."""
        async with self.database.transaction(actor.tenant) as session:
            pinned = await self.pinner.pinned(session, actor, draft)
            return await self.estimator.estimate(session, draft, pinned)

    async def create(self, actor: Actor, draft: Draft) -> EvaluationView:
        """Returns the new evaluation: its subjects, a pending result for each and every score, and the jobs.

        The traces of a query are listed afterwards. Raises BadEvaluation, EvaluationEmpty, EvaluationTooLarge, and what
        says that something pinned is not there.
        """
        self._check_search(draft)
        organisation_id, project_id = project_of(actor)
        async with self.database.transaction(actor.tenant) as session:
            pinned = await self.pinner.pinned(session, actor, draft)
            self._check_budget(draft, pinned)
            dataset = pinned.dataset
            evaluation = Evaluation(
                organisation_id=organisation_id,
                project_id=project_id,
                name=draft.name,
                description=draft.description,
                mode=draft.mode,
                scope=draft.scope,
                dataset_id=None if dataset is None else dataset.id,
                dataset_version=None if dataset is None else dataset.version,
                split=draft.split,
                search=searched(draft),
                reader=reader_of(actor),
                pinned=_pinned(pinned),
                extra=dict(draft.metadata or {}),
                model_configuration_id=draft.model_configuration_id,
                capture=draft.capture,
                state=State.LISTING if draft.scope is Scope.TRACES else State.RUNNING,
                budget_usd=draft.budget_usd,
                created_by=actor.name,
            )
            session.add(evaluation)
            await session.flush()
            await self._fill(session, evaluation, draft, pinned)
            await self.audit.record(
                session, actor, "evaluation.created", ("evaluation", evaluation.id), after=_audited(evaluation)
            )
            return (await viewed(session, evaluation))[0]

    async def change(self, actor: Actor, evaluation_id: UUID, changes: dict[str, Any]) -> EvaluationView:
        """Returns the evaluation with another name, description or budget; raises UnknownEvaluation."""
        async with self.database.transaction(actor.tenant) as session:
            row = await found(session, actor, evaluation_id, for_change=True)
            before = _audited(row)
            for name, value in changes.items():
                setattr(row, name, value)
            await self.audit.record(
                session, actor, "evaluation.updated", ("evaluation", row.id), before=before, after=_audited(row)
            )
            return (await viewed(session, row))[0]

    async def delete(self, actor: Actor, evaluation_id: UUID) -> None:
        """The evaluation and all that was said are gone; work under way is cancelled. Raises UnknownEvaluation."""
        async with self.database.transaction(actor.tenant) as session:
            row = await held(session, self.jobs, actor, evaluation_id)
            if row.run_id is not None:
                await self.jobs.cancel(session, row.run_id)
            await self.audit.record(session, actor, "evaluation.deleted", ("evaluation", row.id), before=_audited(row))
            await session.delete(row)

    async def cancel(self, actor: Actor, evaluation_id: UUID) -> EvaluationView:
        """Returns the evaluation, of which nothing more is done; raises EvaluationState when it is over."""
        return await self._steer(actor, evaluation_id, State.CANCELLED)

    async def finish(self, actor: Actor, evaluation_id: UUID) -> EvaluationView:
        """Returns the evaluation, which is done as it is: what nobody has said yet is not waited for.

        Raises EvaluationState when it is over.
        """
        return await self._steer(actor, evaluation_id, State.DONE)

    async def pause(self, actor: Actor, evaluation_id: UUID) -> EvaluationView:
        """Returns the evaluation, of which nothing further begins; raises EvaluationState."""
        return await self._steer(actor, evaluation_id, State.PAUSED)

    async def resume(self, actor: Actor, evaluation_id: UUID) -> EvaluationView:
        """Returns the evaluation, which goes on; one whose budget is spent needs a larger one first."""
        return await self._steer(actor, evaluation_id, State.RUNNING)

    async def rerun(self, actor: Actor, evaluation_id: UUID, again: Again) -> EvaluationView:
        """Returns the evaluation, of which what failed (or all that scorers say) is done again."""
        async with self.database.transaction(actor.tenant) as session:
            row = await held(session, self.jobs, actor, evaluation_id)
            if row.run_id is None:
                raise EvaluationState("people give the scores of this evaluation", state=row.state)
            if row.state not in (State.DONE, State.CANCELLED, State.RUNNING):
                raise EvaluationState(f"the evaluation is {row.state}", state=row.state)
            check_budget(row, State.RUNNING)
            begun = await EvaluationRepository(session).repeated(row.id).begin(session, self.jobs, row.run_id, again)
            if not begun:
                raise EvaluationState("there is nothing to do again", state=row.state)
            row.done -= begun[Status.DONE]
            row.failed -= begun[Status.FAILED]
            row.state, row.finished_at, row.note = State.RUNNING, None, ""
            await self.audit.record(session, actor, "evaluation.rerun", ("evaluation", row.id), after={"what": again})
            return (await viewed(session, row))[0]

    async def _fill(self, session: AsyncSession, evaluation: Evaluation, draft: Draft, pinned: Pinned) -> None:
        repository = EvaluationRepository(session)
        spec_ids = await self._run(session, evaluation, draft, pinned)
        _members(session, evaluation, pinned, spec_ids)
        await session.flush()
        if draft.scope.of_traces:
            return
        if pinned.experiments:
            found = await repository.add_experiments(evaluation)
        elif pinned.dataset is not None:
            found = await repository.add_rows(evaluation, pinned.dataset.rows(split=draft.split))
        else:
            found = 0
        if not found:
            raise EvaluationEmpty("there is nothing to judge: no row, or no answer of an experiment")
        evaluation.total = await repository.add_results(evaluation.id)
        most = self.settings.results_max
        if evaluation.total > most:
            raise EvaluationTooLarge(f"an evaluation has at most {most} results on this instance", maximum=most)
        if evaluation.run_id is not None:
            await self.jobs.add(session, evaluation.run_id, repository.units(evaluation.id))

    async def _run(
        self, session: AsyncSession, evaluation: Evaluation, draft: Draft, pinned: Pinned
    ) -> dict[UUID, UUID]:
        automatic = pinned.automatic(draft.mode)
        if not automatic:
            return {}
        run = Run(
            kind=KIND,
            organisation_id=evaluation.organisation_id,
            project_id=evaluation.project_id,
            subject_id=evaluation.id,
            created_by=evaluation.created_by,
        )
        specs = [ScoreSpec(scorer=one.spec) for one in automatic if one.spec is not None]
        created = await self.jobs.create_run(session, run, specs)
        evaluation.run_id = created.run_id
        return dict(zip((one.id for one in automatic), created.spec_ids, strict=True))

    async def _steer(self, actor: Actor, evaluation_id: UUID, to: State) -> EvaluationView:
        async with self.database.transaction(actor.tenant) as session:
            row = await held(session, self.jobs, actor, evaluation_id)
            if row.state not in _FROM[to]:
                raise EvaluationState(f"the evaluation is {row.state}", state=row.state)
            check_budget(row, to)
            before = row.state
            if row.run_id is not None:
                await self.jobs.steer(session, row.run_id, RunState(to.value))
            row.state, row.note = to, ""
            if to in (State.CANCELLED, State.DONE):
                row.finished_at = now()
                await EvaluationRepository(session).cancel_open(row.id, of_people=to is State.DONE)
            await self.audit.record(
                session,
                actor,
                f"evaluation.{_VERBS[to]}",
                ("evaluation", row.id),
                before={"state": before},
                after={"state": to},
            )
            return (await viewed(session, row))[0]

    def _check_search(self, draft: Draft) -> None:
        if draft.search is None:
            return
        errors: list[tuple[str, str]] = []
        wrong = self.queries.check(draft.search.query)
        if wrong is not None:
            errors.append(("#/search/query", wrong))
        if draft.search.limit > self.settings.hits_max:
            errors.append(("#/search/limit", f"at most {self.settings.hits_max} traces are listed"))
        start, end = draft.search.start, draft.search.end
        if draft.scope is Scope.TRACES and (start is None or end is None or start >= end):
            errors.append(("#/search/start", "say from when to when: start and end, start first"))
        if errors:
            raise BadEvaluation(errors)

    def _check_budget(self, draft: Draft, pinned: Pinned) -> None:
        """A budget that cannot be kept is refused rather than taken lightly."""
        unpriced = self.estimator.unpriced(pinned.automatic(draft.mode))
        if draft.budget_usd is not None and unpriced:
            names = ", ".join(unpriced)
            detail = f"no price is known of {names}: enter one at the model configuration, or leave the budget out"
            raise BadEvaluation([("#/budget_usd", detail)])


_OPEN = (State.LISTING, State.RUNNING, State.PAUSED, State.STOPPED)
_FROM = {
    State.CANCELLED: _OPEN,
    State.DONE: _OPEN,
    State.PAUSED: (State.RUNNING,),
    State.RUNNING: (State.PAUSED, State.STOPPED),
}
_VERBS = {State.CANCELLED: "cancelled", State.DONE: "finished", State.PAUSED: "paused", State.RUNNING: "resumed"}


def _members(session: AsyncSession, evaluation: Evaluation, pinned: Pinned, spec_ids: dict[UUID, UUID]) -> None:
    for position, score in enumerate(pinned.scores):
        session.add(
            EvaluationScore(
                organisation_id=evaluation.organisation_id,
                project_id=evaluation.project_id,
                evaluation_id=evaluation.id,
                score_id=score.id,
                position=position,
                spec_id=spec_ids.get(score.id),
                mapping=dict(pinned.mappings[score.id]) if score.id in spec_ids else {},
                pinned=pinned_score(score),
            )
        )
    for position, experiment in enumerate(pinned.experiments):
        session.add(
            EvaluationExperiment(
                organisation_id=evaluation.organisation_id,
                project_id=evaluation.project_id,
                evaluation_id=evaluation.id,
                experiment_id=experiment.id,
                position=position,
                name=experiment.name,
            )
        )


def _pinned(pinned: Pinned) -> dict[str, Any]:
    dataset = pinned.dataset
    if dataset is None:
        return {}
    return {"dataset": {"name": dataset.name, "columns": [column.stored() for column in dataset.columns]}}


def _audited(row: Evaluation) -> dict[str, Any]:
    return {
        "name": row.name,
        "description": row.description,
        "mode": row.mode,
        "scope": row.scope,
        "results": row.total,
        "budget_usd": row.budget_usd,
        "capture": row.capture,
    }
