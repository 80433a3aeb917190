"""Selects and settles experiments inside one transaction. Whatever the number of rows, each is one round trip."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, insert, literal, literal_column, text, update
from sqlalchemy import select as columns
from sqlalchemy.sql.elements import SQLColumnExpression
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.datasets.pinned import rows_at
from arcane.experiments.again import Repeated
from arcane.experiments.tables import Experiment, ExperimentResult
from arcane.experiments.words import OPEN, ResultsRequest, Sort, Status
from arcane.kit.actor import Actor
from arcane.kit.ids import NEW_ID_SQL
from arcane.kit.keyset import Keyset
from arcane.kit.pagination import Cursors, Page, PageRequest

_NEWEST = Keyset("experiments", (col(Experiment.id),), tuple[UUID], descending=True)
_COMPARED = 200
"""Characters of an answer that answers are ordered by: they go into a cursor."""
_ORDERS: Mapping[Sort, tuple[SQLColumnExpression[Any], type[Any]]] = {
    Sort.ORDINAL: (col(ExperimentResult.ordinal), tuple[int, UUID]),
    Sort.LATENCY: (func.coalesce(col(ExperimentResult.latency_ms), -1.0), tuple[float, UUID]),
    Sort.TOKENS: (func.coalesce(col(ExperimentResult.output_tokens), -1), tuple[int, UUID]),
    Sort.OUTPUT: (func.left(col(ExperimentResult.output), _COMPARED), tuple[str, UUID]),
    Sort.COST: (func.coalesce(col(ExperimentResult.cost_usd), -1.0), tuple[float, UUID]),
}
_NOTHING = {
    "output": "",
    "tool_calls": None,
    "structured": None,
    "finish_reason": "",
    "model": "",
    "error": "",
    "attempts": 0,
    "latency_ms": None,
    "input_tokens": None,
    "output_tokens": None,
    "cost_usd": None,
    "finished_at": None,
}
_SETTLE = (
    "WITH given AS MATERIALIZED (SELECT * FROM jsonb_to_recordset(CAST(:results AS jsonb)) AS t(id uuid, row_id uuid, "
    "status text, output text, tool_calls jsonb, structured jsonb, finish_reason text, model text, error text, "
    "attempts integer, latency_ms double precision, input_tokens bigint, output_tokens bigint, "
    "cost_usd double precision)), "
    "held AS MATERIALIZED (SELECT r.id, r.status FROM given JOIN experiment_results r ON {match} "
    "WHERE r.experiment_id = :experiment AND {settles} ORDER BY r.id FOR UPDATE OF r) "
    "UPDATE experiment_results AS r SET status = given.status, output = given.output, "
    "tool_calls = nullif(given.tool_calls, 'null'), structured = nullif(given.structured, 'null'), "
    "finish_reason = given.finish_reason, model = given.model, error = given.error, attempts = given.attempts, "
    "latency_ms = given.latency_ms, input_tokens = given.input_tokens, output_tokens = given.output_tokens, "
    "cost_usd = given.cost_usd, finished_at = now() "
    "FROM held, given WHERE r.id = held.id AND {match} "
    "RETURNING r.id, r.row_id, held.status AS before, r.status AS after"
)
_SETTLE_JOBS = text(_SETTLE.format(match="r.id = given.id", settles="r.status <> 'done'"))
_SETTLE_ROWS = text(_SETTLE.format(match="r.row_id = given.row_id", settles="true"))


@dataclass(frozen=True, slots=True)
class Settled:
    """A result that was written, and what stood there before."""

    id: UUID
    row_id: UUID
    before: Status
    after: Status


@dataclass(frozen=True, slots=True)
class ExperimentRepository:
    """Reads within what one actor may see, and writes for the service."""

    session: AsyncSession

    def visible_to(self, actor: Actor) -> Select[Any]:
        """Selects the experiments of the actor's project."""
        return select(Experiment).where(
            col(Experiment.organisation_id) == actor.organisation_id, col(Experiment.project_id) == actor.project_id
        )

    async def page(
        self, actor: Actor, request: PageRequest, cursors: Cursors, dataset_id: UUID | None
    ) -> Page[Experiment]:
        """Returns a page, newest first; of one dataset where it is named."""
        statement = self.visible_to(actor)
        if dataset_id is not None:
            statement = statement.where(col(Experiment.dataset_id) == dataset_id)
        rows = (await self.session.scalars(_NEWEST.select_after(statement, request, cursors))).all()
        return _NEWEST.page(rows, request, cursors, lambda row: (row.id,))

    async def find(self, actor: Actor, experiment_id: UUID, *, for_change: bool = False) -> Experiment | None:
        """Returns the experiment, with its row locked when it is about to change."""
        statement = self.visible_to(actor).where(col(Experiment.id) == experiment_id)
        if for_change:
            statement = statement.with_for_update().execution_options(populate_existing=True)
        found: Experiment | None = (await self.session.scalars(statement)).one_or_none()
        return found

    async def several(self, actor: Actor, ids: Collection[UUID]) -> Sequence[Experiment]:
        """Returns those of the experiments that the actor may see."""
        statement = self.visible_to(actor).where(col(Experiment.id).in_(ids))
        return (await self.session.scalars(statement)).all()

    async def of_run(self, run_id: UUID, *, for_change: bool = False) -> Experiment | None:
        """Returns the experiment of a run; its tenant is the transaction's."""
        statement = select(Experiment).where(col(Experiment.run_id) == run_id)
        if for_change:
            statement = statement.with_for_update()
        return (await self.session.scalars(statement)).one_or_none()

    async def add_results(self, experiment: Experiment) -> int:
        """Returns how many results, one for each row of the pinned version, are there and pending."""
        rows = self._rows(experiment).subquery()
        names = ["id", "created_at", "organisation_id", "project_id", "experiment_id", "row_id", "ordinal", "status"]
        made: Any = columns(
            literal_column(NEW_ID_SQL),
            func.now(),
            literal(experiment.organisation_id),
            literal(experiment.project_id),
            literal(experiment.id),
            rows.c.row_id,
            rows.c.ordinal,
            literal(Status.PENDING.value),
        )
        done = await self.session.execute(insert(ExperimentResult).from_select(names, made, include_defaults=False))
        return int(done.rowcount)  # type: ignore[attr-defined]

    def units(self, experiment_id: UUID, spec_id: UUID) -> Select[Any]:
        """Selects a job for each result."""
        of_this = col(ExperimentResult.experiment_id) == experiment_id
        units: Any = select(col(ExperimentResult.id), literal(spec_id)).where(of_this)
        found: Select[Any] = units
        return found

    def repeated(self, experiment_id: UUID) -> Repeated:
        """Returns the results of the experiment, to be done again."""
        return Repeated(ExperimentResult, col(ExperimentResult.experiment_id) == experiment_id, _NOTHING)

    async def cancel_open(self, experiment_id: UUID) -> None:
        """What has no result yet is cancelled."""
        statement = (
            update(ExperimentResult)
            .where(col(ExperimentResult.experiment_id) == experiment_id)
            .where(col(ExperimentResult.status).in_([one.value for one in OPEN]))
            .values(status=Status.CANCELLED.value)
        )
        await self.session.execute(statement)

    async def begin(self, experiment: Experiment, ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
        """Returns the values of each result's row by column id; the results are being worked on."""
        await self.session.execute(
            update(ExperimentResult)
            .where(col(ExperimentResult.experiment_id) == experiment.id, col(ExperimentResult.id).in_(ids))
            .where(col(ExperimentResult.status) == Status.PENDING.value)
            .values(status=Status.RUNNING.value)
        )
        rows = self._rows(experiment).subquery()
        statement = (
            select(col(ExperimentResult.id), rows.c["values"])
            .join(rows, rows.c.row_id == col(ExperimentResult.row_id))
            .where(col(ExperimentResult.experiment_id) == experiment.id, col(ExperimentResult.id).in_(ids))
        )
        return {row[0]: row[1] for row in (await self.session.execute(statement)).all()}

    async def settle(self, experiment_id: UUID, results: str, *, by_row: bool = False) -> list[Settled]:
        """Returns what was written of `results` (JSON, see _SETTLE).

        Jobs' results are named by id, and what is done already stays; reported ones by row, and replace what is there.
        """
        values = {"experiment": experiment_id, "results": results}
        rows = (await self.session.execute(_SETTLE_ROWS if by_row else _SETTLE_JOBS, values)).all()
        return [Settled(row.id, row.row_id, Status(row.before), Status(row.after)) for row in rows]

    async def results(self, experiment_id: UUID, request: ResultsRequest, cursors: Cursors) -> Page[ExperimentResult]:
        """Returns a page of results in the order that is asked for."""
        key, position = _ORDERS[request.sort]
        kind = f"experiment-results:{request.sort}:{request.descending}"
        keyset: Keyset[Any] = Keyset(kind, (key, col(ExperimentResult.id)), position, descending=request.descending)
        selected: Any = select(ExperimentResult, key.label("place"))
        statement = selected.where(*_matching(experiment_id, request))
        rows = (await self.session.execute(keyset.select_after(statement, request.page, cursors))).all()
        page = keyset.page(rows, request.page, cursors, lambda row: (row.place, row[0].id))
        return Page(tuple(row[0] for row in page.items), page.next)

    async def numbered(
        self, experiment_id: UUID, request: ResultsRequest, page: int
    ) -> tuple[Sequence[ExperimentResult], int]:
        """Returns the results of page number `page`, which begins at 1, and how many there are."""
        matching = _matching(experiment_id, request)
        total = (await self.session.scalars(select(func.count()).select_from(ExperimentResult).where(*matching))).one()
        keys = (_ORDERS[request.sort][0], col(ExperimentResult.id))
        order = [key.desc() if request.descending else key.asc() for key in keys]
        limit = request.page.limit
        statement = select(ExperimentResult).where(*matching).order_by(*order).limit(limit).offset((page - 1) * limit)
        return (await self.session.scalars(statement)).all(), total

    async def result(self, experiment_id: UUID, result_id: UUID) -> ExperimentResult | None:
        """Returns one result."""
        statement = select(ExperimentResult).where(
            col(ExperimentResult.experiment_id) == experiment_id, col(ExperimentResult.id) == result_id
        )
        return (await self.session.scalars(statement)).one_or_none()

    async def of_rows(
        self, experiment_ids: Sequence[UUID], row_ids: Sequence[UUID]
    ) -> dict[tuple[UUID, UUID], ExperimentResult]:
        """Returns the results of some rows by experiment and row."""
        statement = select(ExperimentResult).where(
            col(ExperimentResult.experiment_id).in_(experiment_ids), col(ExperimentResult.row_id).in_(row_ids)
        )
        return {(row.experiment_id, row.row_id): row for row in (await self.session.scalars(statement)).all()}

    async def values(self, experiment: Experiment, row_ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
        """Returns values by column id of some rows of the pinned version; of a dataset that is gone, none."""
        rows = self._rows(experiment).subquery()
        statement = select(rows.c.row_id, rows.c["values"]).where(rows.c.row_id.in_(row_ids))
        return {row[0]: row[1] for row in (await self.session.execute(statement)).all()}

    def _rows(self, experiment: Experiment) -> Select[Any]:
        return rows_at(experiment.dataset_id, experiment.dataset_version, split=experiment.split)


def _matching(experiment_id: UUID, request: ResultsRequest) -> list[ColumnElement[bool]]:
    found = [col(ExperimentResult.experiment_id) == experiment_id]
    if request.status is not None:
        found.append(col(ExperimentResult.status) == request.status.value)
    if request.search:
        found.append(col(ExperimentResult.output).icontains(request.search, autoescape=True))
    return found
