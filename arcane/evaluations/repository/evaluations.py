"""Selects and fills evaluations inside one transaction. Whatever the number of rows, each is one round trip."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Text, cast, func, insert, literal, literal_column, text, update
from sqlalchemy import select as columns
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.evaluations.tables import Evaluation, EvaluationExperiment, EvaluationScore, ScoreResult, Subject
from arcane.experiments.again import Repeated
from arcane.experiments.tables import ExperimentResult
from arcane.experiments.words import OPEN, Status
from arcane.kit.actor import Actor
from arcane.kit.ids import NEW_ID_SQL, numbered_id_sql
from arcane.kit.keyset import Keyset
from arcane.kit.pagination import Cursors, Page, PageRequest

_NEWEST = Keyset("evaluations", (col(Evaluation.id),), tuple[UUID], descending=True)
_NEW: Any = literal_column(NEW_ID_SQL)
_NEW_IN_PLACE: Any = literal_column(numbered_id_sql(f"least({EvaluationExperiment.__tablename__}.position, 4095)"))
"""Ids of answers to one row in the order of their experiments, where they are made row by row in that order."""
_SUBJECT = ["id", "created_at", "organisation_id", "project_id", "evaluation_id", "ordinal", "key", "row_id"]
_ADD_TRACES = text(
    "INSERT INTO evaluation_subjects (id, created_at, organisation_id, project_id, evaluation_id, ordinal, key, "  # noqa: S608 - a constant
    f"datasource_id, trace_id, span_id, time_ns) SELECT {NEW_ID_SQL}, now(), :organisation, :project, :evaluation, "
    "time_ns, trace_id || ':' || span_id, datasource_id, trace_id, span_id, time_ns "
    "FROM unnest(CAST(:datasources AS uuid[]), CAST(:traces AS text[]), CAST(:spans AS text[]), "
    "CAST(:times AS bigint[])) AS t(datasource_id, trace_id, span_id, time_ns) "
    "ON CONFLICT (evaluation_id, key) DO NOTHING RETURNING id"
)
_ADD_RESULTS = (
    "INSERT INTO score_results (id, created_at, organisation_id, project_id, evaluation_id, score_id, subject_id, "  # noqa: S608 - a constant
    f"status, source) SELECT {NEW_ID_SQL}, now(), s.organisation_id, s.project_id, s.evaluation_id, e.score_id, s.id, "
    "'pending', CASE WHEN e.spec_id IS NULL THEN 'person' ELSE 'scorer' END "
    "FROM evaluation_subjects s JOIN evaluation_scores e ON e.evaluation_id = s.evaluation_id "
    "AND e.organisation_id = s.organisation_id WHERE s.evaluation_id = :evaluation{narrowed}"
)
_ADD_ALL_RESULTS = text(_ADD_RESULTS.format(narrowed=""))
_ADD_SOME_RESULTS = text(_ADD_RESULTS.format(narrowed=" AND s.id = ANY(CAST(:subjects AS uuid[]))"))
_NOTHING: Mapping[str, Any] = {
    **dict.fromkeys(("label", "reasoning", "error"), ""),
    **dict.fromkeys(("value", "details", "latency_ms", "input_tokens", "output_tokens", "cost_usd", "finished_at")),
    "attempts": 0,
}
"""What stands in a result of which nothing was said."""
_LEASE = text(
    "WITH picked AS (SELECT id FROM evaluations WHERE (state = 'listing' OR (scope = 'live' AND state = 'running' "
    "AND (looked_at IS NULL OR looked_at < now() - make_interval(secs => :every_s)))) "
    "AND (leased_until IS NULL OR leased_until < now()) ORDER BY leased_until NULLS FIRST LIMIT 1 "
    "FOR UPDATE SKIP LOCKED) "
    "UPDATE evaluations e SET leased_until = now() + make_interval(secs => :lease_s) FROM picked "
    "WHERE e.id = picked.id RETURNING e.id, e.organisation_id, e.project_id, e.leased_until"
)


@dataclass(frozen=True, slots=True)
class Hit:
    """A trace, or a span of it, that a query found: all that is kept of it."""

    datasource_id: UUID
    trace_id: str
    span_id: str
    time_ns: int


@dataclass(frozen=True, slots=True)
class EvaluationRepository:
    """Reads within what one actor may see, and writes for the service."""

    session: AsyncSession

    def visible_to(self, actor: Actor) -> Select[Any]:
        """Selects the evaluations of the actor's project."""
        return select(Evaluation).where(
            col(Evaluation.organisation_id) == actor.organisation_id, col(Evaluation.project_id) == actor.project_id
        )

    async def page(
        self, actor: Actor, request: PageRequest, cursors: Cursors, dataset_id: UUID | None
    ) -> Page[Evaluation]:
        """Returns a page, newest first; of one dataset where it is named."""
        statement = self.visible_to(actor)
        if dataset_id is not None:
            statement = statement.where(col(Evaluation.dataset_id) == dataset_id)
        rows = (await self.session.scalars(_NEWEST.select_after(statement, request, cursors))).all()
        return _NEWEST.page(rows, request, cursors, lambda row: (row.id,))

    async def find(self, actor: Actor, evaluation_id: UUID, *, for_change: bool = False) -> Evaluation | None:
        """Returns the evaluation, with its row locked when it is about to change."""
        statement = self.visible_to(actor).where(col(Evaluation.id) == evaluation_id)
        if for_change:
            statement = statement.with_for_update().execution_options(populate_existing=True)
        found: Evaluation | None = (await self.session.scalars(statement)).one_or_none()
        return found

    async def names(self, actor: Actor, ids: Collection[UUID]) -> dict[UUID, str]:
        """Returns the names of those of the evaluations that the actor may see, by id."""
        statement = self.visible_to(actor).where(col(Evaluation.id).in_(ids))
        named = statement.with_only_columns(col(Evaluation.id), col(Evaluation.name))
        return {row.id: row.name for row in (await self.session.execute(named)).all()}

    async def of_run(self, run_id: UUID, *, for_change: bool = False) -> Evaluation | None:
        """Returns the evaluation of a run; its tenant is the transaction's."""
        statement = select(Evaluation).where(col(Evaluation.run_id) == run_id)
        if for_change:
            statement = statement.with_for_update()
        return (await self.session.scalars(statement)).one_or_none()

    async def scores(self, evaluation_ids: Sequence[UUID]) -> dict[UUID, list[EvaluationScore]]:
        """Returns the scores of some evaluations, in their order."""
        statement = (
            select(EvaluationScore)
            .where(col(EvaluationScore.evaluation_id).in_(evaluation_ids))
            .order_by(col(EvaluationScore.position))
        )
        found: dict[UUID, list[EvaluationScore]] = {one: [] for one in evaluation_ids}
        for row in (await self.session.scalars(statement)).all():
            found[row.evaluation_id].append(row)
        return found

    async def experiments(self, evaluation_ids: Sequence[UUID]) -> dict[UUID, list[tuple[UUID, str]]]:
        """Returns id and name of the experiments of some evaluations, in their order."""
        statement = (
            select(EvaluationExperiment)
            .where(col(EvaluationExperiment.evaluation_id).in_(evaluation_ids))
            .order_by(col(EvaluationExperiment.position))
        )
        found: dict[UUID, list[tuple[UUID, str]]] = {one: [] for one in evaluation_ids}
        for row in (await self.session.scalars(statement)).all():
            found[row.evaluation_id].append((row.experiment_id, row.name))
        return found

    async def add_rows(self, evaluation: Evaluation, rows: Select[Any]) -> int:
        """Returns how many rows of a dataset's version are subjects now; `rows` selects row_id and ordinal."""
        found = rows.subquery()
        made: Any = columns(*self._identity(evaluation), found.c.ordinal, cast(found.c.row_id, Text), found.c.row_id)
        return await self._inserted(_SUBJECT, made)

    async def add_experiments(self, evaluation: Evaluation) -> int:
        """Returns how many answers of its experiments are subjects now: those that succeeded.

        The answers to one row stand in the order of the experiments.
        """
        result, judged = ExperimentResult, EvaluationExperiment
        _, *identity = self._identity(evaluation)
        made: Any = (
            columns(
                _NEW_IN_PLACE,
                *identity,
                col(result.ordinal),
                cast(col(result.id), Text),
                col(result.row_id),
                col(result.experiment_id),
                col(result.id),
            )
            .join(judged, col(judged.experiment_id) == col(result.experiment_id))
            .where(col(judged.evaluation_id) == evaluation.id, col(result.status) == Status.DONE.value)
            .order_by(col(result.ordinal), col(judged.position))
        )
        return await self._inserted([*_SUBJECT, "experiment_id", "result_id"], made)

    async def add_traces(self, evaluation: Evaluation, hits: Sequence[Hit]) -> list[UUID]:
        """Returns the ids of those of the hits that were no subjects yet."""
        values = {
            "organisation": evaluation.organisation_id,
            "project": evaluation.project_id,
            "evaluation": evaluation.id,
            "datasources": [hit.datasource_id for hit in hits],
            "traces": [hit.trace_id for hit in hits],
            "spans": [hit.span_id for hit in hits],
            "times": [hit.time_ns for hit in hits],
        }
        return list((await self.session.execute(_ADD_TRACES, values)).scalars())

    async def add_results(self, evaluation_id: UUID, subjects: Sequence[UUID] | None = None) -> int:
        """Returns how many pending results there are now: one a score, for all subjects or for some."""
        if subjects is None:
            done = await self.session.execute(_ADD_ALL_RESULTS, {"evaluation": evaluation_id})
        else:
            done = await self.session.execute(
                _ADD_SOME_RESULTS, {"evaluation": evaluation_id, "subjects": list(subjects)}
            )
        return int(done.rowcount)  # type: ignore[attr-defined]

    def units(self, evaluation_id: UUID, subjects: Sequence[UUID] | None = None) -> Select[Any]:
        """Selects a job for each result that a scorer gives, for all subjects or for some."""
        statement: Any = (
            select(col(ScoreResult.id), col(EvaluationScore.spec_id))
            .join(
                EvaluationScore,
                (col(EvaluationScore.evaluation_id) == col(ScoreResult.evaluation_id))
                & (col(EvaluationScore.score_id) == col(ScoreResult.score_id)),
            )
            .where(col(ScoreResult.evaluation_id) == evaluation_id, col(EvaluationScore.spec_id).is_not(None))
        )
        found: Select[Any] = (
            statement if subjects is None else statement.where(col(ScoreResult.subject_id).in_(subjects))
        )
        return found

    def repeated(self, evaluation_id: UUID) -> Repeated:
        """Returns what scorers said, to be said again; what people gave, also in place of a scorer, stays."""
        of_scorers = (col(ScoreResult.evaluation_id) == evaluation_id) & (col(ScoreResult.source) == "scorer")
        return Repeated(ScoreResult, of_scorers, _NOTHING)

    async def cancel_open(self, evaluation_id: UUID, *, of_people: bool = False) -> None:
        """What no scorer has said yet will not be said. What people are to give stays open, unless `of_people`."""
        statement = (
            update(ScoreResult)
            .where(col(ScoreResult.evaluation_id) == evaluation_id)
            .where(col(ScoreResult.status).in_([one.value for one in OPEN]))
            .values(status=Status.CANCELLED.value)
        )
        if not of_people:
            statement = statement.where(col(ScoreResult.source) == "scorer")
        await self.session.execute(statement)

    async def is_open(self, evaluation_id: UUID) -> bool:
        """Returns True when something is still to be said."""
        in_open = col(ScoreResult.status).in_([one.value for one in OPEN])
        statement = select(col(ScoreResult.id)).where(col(ScoreResult.evaluation_id) == evaluation_id, in_open).limit(1)
        return (await self.session.scalars(statement)).first() is not None

    async def lease(self, *, every_s: float, lease_s: float) -> Any | None:
        """Returns an evaluation whose traces are to be listed and keeps other processes off it; None: there is none.

        For the process itself, in a transaction of the instance.
        """
        return (await self.session.execute(_LEASE, {"every_s": every_s, "lease_s": lease_s})).one_or_none()

    async def locked(self, evaluation_id: UUID) -> Evaluation | None:
        """Returns the evaluation, locked; its tenant is the transaction's."""
        statement = select(Evaluation).where(col(Evaluation.id) == evaluation_id).with_for_update()
        return (await self.session.scalars(statement)).one_or_none()

    def _identity(self, evaluation: Evaluation) -> list[Any]:
        return [
            _NEW,
            func.now(),
            literal(evaluation.organisation_id),
            literal(evaluation.project_id),
            literal(evaluation.id),
        ]

    async def _inserted(self, names: Sequence[str], made: Select[Any]) -> int:
        done = await self.session.execute(insert(Subject).from_select(names, made, include_defaults=False))
        return int(done.rowcount)  # type: ignore[attr-defined]
