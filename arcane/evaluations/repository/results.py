"""Subjects of evaluations and what was said of them, inside one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, exists, func, text, update
from sqlalchemy import select as columns
from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.datasets.pinned import rows_at
from arcane.evaluations.tables import Evaluation, ScoreResult, Subject
from arcane.evaluations.words import SubjectsRequest, Summary
from arcane.experiments.tables import Experiment, ExperimentResult
from arcane.experiments.words import Status
from arcane.kit.keyset import Keyset
from arcane.kit.pagination import Cursors, Page

_SETTLE = (
    "WITH given AS MATERIALIZED (SELECT * FROM jsonb_to_recordset(CAST(:results AS jsonb)) AS t(id uuid, "
    "subject_id uuid, score_id uuid, status text, source text, value double precision, label text, reasoning text, "
    "details jsonb, "
    "error text, scored_by text, attempts integer, latency_ms double precision, input_tokens bigint, "
    "output_tokens bigint, cost_usd double precision)), "
    "held AS MATERIALIZED (SELECT r.id, r.status FROM given JOIN score_results r ON {match} "
    "WHERE r.evaluation_id = :evaluation AND {settles} ORDER BY r.id FOR UPDATE OF r) "
    "UPDATE score_results AS r SET status = given.status, source = given.source, value = given.value, "
    "label = given.label, reasoning = given.reasoning, details = nullif(given.details, 'null'), error = given.error, "
    "scored_by = given.scored_by, attempts = given.attempts, latency_ms = given.latency_ms, "
    "input_tokens = given.input_tokens, output_tokens = given.output_tokens, cost_usd = given.cost_usd, "
    "finished_at = now() FROM held, given WHERE r.id = held.id AND {match} "
    "RETURNING r.id, held.status AS before, r.status AS after"
)
_SETTLE_JOBS = text(_SETTLE.format(match="r.id = given.id", settles="r.status <> 'done' AND r.source = 'scorer'"))
_SETTLE_GIVEN = text(
    _SETTLE.format(match="r.subject_id = given.subject_id AND r.score_id = given.score_id", settles="true")
)


@dataclass(frozen=True, slots=True)
class Settled:
    """A result that was written, and what stood there before."""

    id: UUID
    before: Status
    after: Status


@dataclass(frozen=True, slots=True)
class Work:
    """What a job is about."""

    job: UUID
    score_id: UUID
    subject: Subject


@dataclass(frozen=True, slots=True)
class ResultRepository:
    """Works on one evaluation that the actor was found to see."""

    session: AsyncSession
    evaluation: Evaluation

    async def begin(self, jobs: Sequence[UUID]) -> list[Work]:
        """Returns what the jobs are about; their results are being worked on."""
        of_these = col(ScoreResult.id).in_(jobs)
        await self.session.execute(
            update(ScoreResult)
            .where(col(ScoreResult.evaluation_id) == self.evaluation.id, of_these)
            .where(col(ScoreResult.status) == Status.PENDING.value)
            .values(status=Status.RUNNING.value)
        )
        statement = (
            select(col(ScoreResult.id), col(ScoreResult.score_id), Subject)
            .join(Subject, col(Subject.id) == col(ScoreResult.subject_id))
            .where(col(ScoreResult.evaluation_id) == self.evaluation.id, of_these)
        )
        return [
            Work(job, score_id, subject) for job, score_id, subject in (await self.session.execute(statement)).all()
        ]

    async def row_values(self, row_ids: Sequence[UUID]) -> dict[UUID, Mapping[str, Any]]:
        """Returns values by column id of rows of the evaluation's version of the dataset, as far as they are there."""
        if self.evaluation.dataset_id is None or self.evaluation.dataset_version is None or not row_ids:
            return {}
        rows = rows_at(self.evaluation.dataset_id, self.evaluation.dataset_version).subquery()
        statement = select(rows.c.row_id, rows.c["values"]).where(rows.c.row_id.in_(row_ids))
        return {row[0]: row[1] for row in (await self.session.execute(statement)).all()}

    async def answers(self, result_ids: Sequence[UUID]) -> dict[UUID, ExperimentResult]:
        """Returns answers of experiments, as far as they are there."""
        if not result_ids:
            return {}
        statement = (
            select(ExperimentResult)
            .join(Experiment, col(Experiment.id) == col(ExperimentResult.experiment_id))
            .where(col(ExperimentResult.id).in_(result_ids))
            .where(col(Experiment.project_id) == self.evaluation.project_id)
        )
        return {row.id: row for row in (await self.session.scalars(statement)).all()}

    async def settle(self, results: str, *, by_subject: bool = False) -> list[Settled]:
        """Returns what was written of `results` (JSON, see _SETTLE).

        A scorer's are named by job and never replace what is done or what somebody gave; those that somebody gives are
        named by subject and score, and replace what is there.
        """
        values = {"evaluation": self.evaluation.id, "results": results}
        rows = (await self.session.execute(_SETTLE_GIVEN if by_subject else _SETTLE_JOBS, values)).all()
        return [Settled(row.id, Status(row.before), Status(row.after)) for row in rows]

    async def subjects(self, request: SubjectsRequest, cursors: Cursors) -> Page[Subject]:
        """Returns a page of subjects: in their own order, or by what one score says, those without a value last."""
        statement = self._matching(request)
        if request.sort is None:
            keyset: Keyset[Any] = Keyset(
                f"subjects:{request.descending}",
                (col(Subject.ordinal), col(Subject.id)),
                tuple[int, UUID],
                descending=request.descending,
            )
            rows = (await self.session.scalars(keyset.select_after(statement, request.page, cursors))).all()
            return keyset.page(rows, request.page, cursors, lambda row: (row.ordinal, row.id))
        return await self._by_value(statement, request, cursors)

    async def numbered(self, request: SubjectsRequest, page: int) -> tuple[Sequence[Subject], int]:
        """Returns the subjects of page number `page`, which begins at 1, in their own order, and how many there are."""
        matching = self._matching(request)
        total = (await self.session.scalars(select(func.count()).select_from(matching.subquery()))).one()
        limit = request.page.limit
        ordered = matching.order_by(col(Subject.ordinal), col(Subject.id)).limit(limit).offset((page - 1) * limit)
        return (await self.session.scalars(ordered)).all(), total

    def _matching(self, request: SubjectsRequest) -> Select[Any]:
        statement: Select[Any] = select(Subject).where(
            col(Subject.organisation_id) == self.evaluation.organisation_id,
            col(Subject.evaluation_id) == self.evaluation.id,
        )
        if request.experiment_id is not None:
            statement = statement.where(col(Subject.experiment_id) == request.experiment_id)
        if request.status is not None:
            statement = statement.where(_has_result(request.status, request.score_id))
        return statement

    async def _by_value(self, statement: Select[Any], request: SubjectsRequest, cursors: Cursors) -> Page[Subject]:
        said = aliased(ScoreResult)
        nothing = float("-inf") if request.descending else float("inf")
        place = func.coalesce(col(said.value), nothing)
        keyset: Keyset[Any] = Keyset(
            f"subjects:{request.sort}:{request.descending}",
            (place, col(Subject.id)),
            tuple[float, UUID],
            descending=request.descending,
        )
        ordered = statement.add_columns(place.label("place")).outerjoin(
            said, and_(col(said.subject_id) == col(Subject.id), col(said.score_id) == request.sort)
        )
        rows = (await self.session.execute(keyset.select_after(ordered, request.page, cursors))).all()
        page = keyset.page(rows, request.page, cursors, lambda row: (row.place, row[0].id))
        return Page(tuple(row[0] for row in page.items), page.next)

    async def subject(self, subject_id: UUID) -> Subject | None:
        """Returns one subject."""
        statement = select(Subject).where(
            col(Subject.evaluation_id) == self.evaluation.id, col(Subject.id) == subject_id
        )
        return (await self.session.scalars(statement)).one_or_none()

    async def named(self, keys: Sequence[str]) -> dict[str, UUID]:
        """Returns the ids of subjects by their keys."""
        statement = select(col(Subject.key), col(Subject.id)).where(
            col(Subject.evaluation_id) == self.evaluation.id, col(Subject.key).in_(keys)
        )
        return {row[0]: row[1] for row in (await self.session.execute(statement)).all()}

    async def said_of(self, subject_ids: Sequence[UUID]) -> dict[UUID, list[ScoreResult]]:
        """Returns what was said of some subjects."""
        found: dict[UUID, list[ScoreResult]] = {one: [] for one in subject_ids}
        statement = select(ScoreResult).where(col(ScoreResult.subject_id).in_(subject_ids))
        for row in (await self.session.scalars(statement)).all():
            found[row.subject_id].append(row)
        return found

    async def summaries(self) -> list[Summary]:
        """Returns for each score, and each experiment where there are any, how it turned out."""
        said, about = ScoreResult, Subject
        counted: Any = (
            columns(
                col(said.score_id),
                col(about.experiment_id),
                func.count(),
                func.count().filter(col(said.status) == Status.DONE.value),
                func.count().filter(col(said.status) == Status.FAILED.value),
                func.avg(col(said.value)),
                func.min(col(said.value)),
                func.max(col(said.value)),
            )
            .join(about, col(about.id) == col(said.subject_id))
            .where(col(said.evaluation_id) == self.evaluation.id)
            .group_by(col(said.score_id), col(about.experiment_id))
        )
        labels: Any = (
            select(col(said.score_id), col(about.experiment_id), col(said.label), func.count())
            .join(about, col(about.id) == col(said.subject_id))
            .where(col(said.evaluation_id) == self.evaluation.id, col(said.label) != "")
            .group_by(col(said.score_id), col(about.experiment_id), col(said.label))
        )
        by_label: dict[tuple[UUID, UUID | None], dict[str, int]] = {}
        for score_id, experiment_id, label, count in (await self.session.execute(labels)).all():
            by_label.setdefault((score_id, experiment_id), {})[label] = count
        rows = (await self.session.execute(counted)).all()
        return [Summary(*found) for found in ((*row, by_label.get((row[0], row[1]), {})) for row in rows)]

    async def values(self, score_id: UUID, experiment_id: UUID | None) -> list[tuple[UUID, float, str]]:
        """Returns (row id, or the subject's own; value; label) of all that has a value, of one experiment if named."""
        statement: Any = (
            select(func.coalesce(col(Subject.row_id), col(Subject.id)), col(ScoreResult.value), col(ScoreResult.label))
            .join(Subject, col(Subject.id) == col(ScoreResult.subject_id))
            .where(col(ScoreResult.evaluation_id) == self.evaluation.id, col(ScoreResult.score_id) == score_id)
            .where(col(ScoreResult.status) == Status.DONE.value)
        )
        if experiment_id is not None:
            statement = statement.where(col(Subject.experiment_id) == experiment_id)
        return [(row[0], row[1], row[2]) for row in (await self.session.execute(statement)).all()]


def _has_result(status: Status, score_id: UUID | None) -> Any:
    said = exists().where(col(ScoreResult.subject_id) == col(Subject.id), col(ScoreResult.status) == status.value)
    return said if score_id is None else said.where(col(ScoreResult.score_id) == score_id)
