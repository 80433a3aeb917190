"""Results of experiments: pages of them, what comes from outside, and experiments side by side."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.audit.service import AuditLog
from arcane.datasets.columns import columns_of
from arcane.experiments.problems import ExperimentsDiffer, UnknownExperimentRow
from arcane.experiments.repository import ExperimentRepository
from arcane.experiments.service.found import found, held
from arcane.experiments.service.subject import as_json, count
from arcane.experiments.tables import Experiment, ExperimentResult
from arcane.experiments.words import ExperimentView, Reported, ResultsRequest, ResultView, State, Status
from arcane.jobs.service.runs import Jobs
from arcane.kit.actor import Actor
from arcane.kit.database import Database
from arcane.kit.pagination import Cursors, Page, PageRequest
from arcane.kit.tables import now
from arcane.messaging.generation import Usage

_EXPORTED_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Side:
    """One row of several experiments; None where an experiment has no such row."""

    row_id: UUID
    ordinal: int
    values: Mapping[str, Any]
    results: tuple[ResultView | None, ...]


@dataclass(frozen=True, slots=True)
class SideBySide:
    """Experiments over one dataset, row by row in the order of the first one's."""

    experiments: tuple[ExperimentView, ...]
    rows: Page[Side]


@dataclass(frozen=True, slots=True)
class ResultService:
    """Every method takes the actor whose project is meant; ids of other projects are unknown."""

    database: Database
    audit: AuditLog
    jobs: Jobs
    cursors: Cursors

    async def page(self, actor: Actor, experiment_id: UUID, request: ResultsRequest) -> Page[ResultView]:
        """Returns a page of results with their rows' values; raises UnknownExperiment."""
        async with self.database.transaction(actor.tenant) as session:
            experiment = await found(session, actor, experiment_id)
            return await self._page(session, experiment, request)

    async def numbered(
        self, actor: Actor, experiment_id: UUID, request: ResultsRequest, page: int
    ) -> tuple[Sequence[ResultView], int]:
        """Returns results by the number of their page, and how many there are; raises UnknownExperiment."""
        async with self.database.transaction(actor.tenant) as session:
            experiment = await found(session, actor, experiment_id)
            rows, total = await ExperimentRepository(session).numbered(experiment.id, request, page)
            return await _viewed(session, experiment, rows), total

    async def get(self, actor: Actor, experiment_id: UUID, result_id: UUID) -> ResultView:
        """Returns one result; raises UnknownExperiment, UnknownExperimentRow."""
        async with self.database.transaction(actor.tenant) as session:
            experiment = await found(session, actor, experiment_id)
            repository = ExperimentRepository(session)
            row = await repository.result(experiment.id, result_id)
            if row is None:
                raise UnknownExperimentRow("the experiment has no such result", result_id=str(result_id))
            values = await repository.values(experiment, [row.row_id])
        return ResultView.of(row, _named(experiment, values.get(row.row_id)))

    async def report(self, actor: Actor, experiment_id: UUID, reported: Reported) -> ResultView:
        """Returns the result of a row as somebody's own program gave it; reporting again replaces it.

        It takes the place of what a worker answered, and what one answers afterwards is dropped; an error does not keep
        a worker from answering. With the last row the experiment is done.

        Raises UnknownExperiment, UnknownExperimentRow.
        """
        async with self.database.transaction(actor.tenant) as session:
            experiment = await held(session, self.jobs, actor, experiment_id)
            repository = ExperimentRepository(session)
            written = await repository.settle(experiment.id, as_json([_row(reported)]), by_row=True)
            if not written:
                raise UnknownExperimentRow("the experiment has no such row", row_id=str(reported.row_id))
            count(experiment, written, {written[0].id: _usage(reported)})
            await self._end_if_complete(session, experiment)
            await self.audit.record(
                session,
                actor,
                "experiment.result_reported",
                ("experiment", experiment.id),
                after={"row_id": reported.row_id},
            )
            row = await repository.result(experiment.id, written[0].id)
            values = await repository.values(experiment, [reported.row_id])
        if row is None:
            raise UnknownExperimentRow("the experiment has no such row", row_id=str(reported.row_id))
        return ResultView.of(row, _named(experiment, values.get(reported.row_id)))

    async def compare(self, actor: Actor, ids: Sequence[UUID], request: PageRequest) -> SideBySide:
        """Returns experiments side by side; raises UnknownExperiment, ExperimentsDiffer."""
        async with self.database.transaction(actor.tenant) as session:
            experiments = [await found(session, actor, one) for one in dict.fromkeys(ids)]
            if len({experiment.dataset_id for experiment in experiments}) > 1:
                raise ExperimentsDiffer("experiments that are compared are over one dataset")
            base, *others = experiments
            page = await self._page(session, base, ResultsRequest(request))
            rows = [result.row_id for result in page.items]
            beside = await ExperimentRepository(session).of_rows([one.id for one in others], rows)
        sides = tuple(
            Side(
                result.row_id,
                result.ordinal,
                result.values,
                (result, *(_beside(beside.get((other.id, result.row_id))) for other in others)),
            )
            for result in page.items
        )
        return SideBySide(tuple(map(ExperimentView.of, experiments)), Page(sides, page.next))

    async def all(self, actor: Actor, experiment_id: UUID) -> AsyncGenerator[ResultView, None]:
        """Yields every result in order, a few hundred at a time: nothing is held while somebody downloads slowly."""
        request = ResultsRequest(PageRequest(_EXPORTED_AT_ONCE))
        while True:
            page = await self.page(actor, experiment_id, request)
            for result in page.items:
                yield result
            if page.next is None:
                return
            request = replace(request, page=PageRequest(_EXPORTED_AT_ONCE, page.next))

    async def _end_if_complete(self, session: AsyncSession, experiment: Experiment) -> None:
        """Nobody has to wait for workers of whom nothing is wanted any more, and who may not even be there."""
        if experiment.run_id is None:
            complete = experiment.done + experiment.failed >= experiment.total
        else:
            complete = experiment.done >= experiment.total
        if not complete or experiment.state == State.DONE:
            return
        if experiment.run_id is not None:
            await self.jobs.cancel(session, experiment.run_id)
        experiment.state, experiment.finished_at = State.DONE, now()

    async def _page(self, session: AsyncSession, experiment: Experiment, request: ResultsRequest) -> Page[ResultView]:
        repository = ExperimentRepository(session)
        page = await repository.results(experiment.id, request, self.cursors)
        return Page(await _viewed(session, experiment, page.items), page.next)


async def _viewed(
    session: AsyncSession, experiment: Experiment, rows: Sequence[ExperimentResult]
) -> tuple[ResultView, ...]:
    values = await ExperimentRepository(session).values(experiment, [row.row_id for row in rows])
    return tuple(ResultView.of(row, _named(experiment, values.get(row.row_id))) for row in rows)


def _named(experiment: Experiment, values: Mapping[str, Any] | None) -> dict[str, Any]:
    if values is None:
        return {}
    columns = columns_of(experiment.pinned["dataset"]["columns"])
    return {column.name: values.get(column.id) for column in columns}


def _beside(row: Any) -> ResultView | None:
    return None if row is None else ResultView.of(row, {})


def _usage(reported: Reported) -> Usage:
    return Usage(
        input_tokens=reported.input_tokens or 0,
        output_tokens=reported.output_tokens or 0,
        cost_usd=reported.cost_usd,
        calls=int(reported.input_tokens is not None),
    )


def _row(reported: Reported) -> dict[str, Any]:
    return {
        "row_id": reported.row_id,
        "status": Status.FAILED if reported.error else Status.DONE,
        "output": reported.output,
        "structured": reported.structured,
        "tool_calls": list(reported.tool_calls) or None,
        "finish_reason": "",
        "model": "",
        "error": reported.error,
        "attempts": 1,
        "latency_ms": reported.latency_ms,
        "input_tokens": reported.input_tokens,
        "output_tokens": reported.output_tokens,
        "cost_usd": reported.cost_usd,
    }
