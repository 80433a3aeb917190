"""What was said of the subjects: pages of it, values that people give or bring, and the figures others build on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.audit.service import AuditLog
from arcane.datasets.columns import columns_of
from arcane.datasets.sources import Scope
from arcane.evaluations.problems import BadValue, EvaluationState, UnknownSubject
from arcane.evaluations.repository.evaluations import EvaluationRepository
from arcane.evaluations.repository.results import ResultRepository
from arcane.evaluations.service.found import found, held
from arcane.evaluations.service.subject import count, finish
from arcane.evaluations.tables import Evaluation, EvaluationScore, Subject
from arcane.evaluations.words import Given, State, SubjectsRequest, SubjectView, Summary, Verdict, is_figure
from arcane.experiments.service.subject import as_json
from arcane.experiments.words import Status
from arcane.jobs.service.runs import Jobs
from arcane.kit.actor import Actor
from arcane.kit.database import Database
from arcane.kit.pagination import Cursors, Page


@dataclass(frozen=True, slots=True)
class VerdictService:
    """Every method takes the actor whose project is meant; ids of other projects are unknown."""

    database: Database
    audit: AuditLog
    jobs: Jobs
    cursors: Cursors

    async def subjects(self, actor: Actor, evaluation_id: UUID, request: SubjectsRequest) -> Page[SubjectView]:
        """Returns a page of what is judged, with all that was said of it; raises UnknownEvaluation."""
        async with self.database.transaction(actor.tenant) as session:
            evaluation = await found(session, actor, evaluation_id)
            repository = ResultRepository(session, evaluation)
            page = await repository.subjects(request, self.cursors)
            return Page(await _viewed(repository, page.items), page.next)

    async def numbered(
        self, actor: Actor, evaluation_id: UUID, request: SubjectsRequest, page: int
    ) -> tuple[Sequence[SubjectView], int]:
        """Returns what is judged by the number of the page, in its own order, and how much there is of it.

        Raises UnknownEvaluation, and UnknownSubject where the evaluation has no such score.
        """
        async with self.database.transaction(actor.tenant) as session:
            evaluation = await found(session, actor, evaluation_id)
            if request.score_id is not None:
                await _score(session, evaluation, request.score_id)
            repository = ResultRepository(session, evaluation)
            rows, total = await repository.numbered(request, page)
            return await _viewed(repository, rows), total

    async def subject(self, actor: Actor, evaluation_id: UUID, subject_id: UUID) -> SubjectView:
        """Returns one subject; raises UnknownEvaluation, UnknownSubject."""
        async with self.database.transaction(actor.tenant) as session:
            repository = ResultRepository(session, await found(session, actor, evaluation_id))
            row = await repository.subject(subject_id)
            if row is None:
                raise _unknown(subject_id)
            return (await _viewed(repository, [row]))[0]

    async def summaries(self, actor: Actor, evaluation_id: UUID) -> list[Summary]:
        """Returns how each score turned out, for each experiment where there are any; raises UnknownEvaluation."""
        async with self.database.transaction(actor.tenant) as session:
            return await ResultRepository(session, await found(session, actor, evaluation_id)).summaries()

    async def values(
        self, actor: Actor, evaluation_id: UUID, score_id: UUID, experiment_id: UUID | None = None
    ) -> dict[UUID, tuple[float, str]]:
        """Returns value and label by row (by subject, where traces are judged): what statistics pair and group."""
        async with self.database.transaction(actor.tenant) as session:
            repository = ResultRepository(session, await found(session, actor, evaluation_id))
            return {row: (value, label) for row, value, label in await repository.values(score_id, experiment_id)}

    async def give(
        self, actor: Actor, evaluation_id: UUID, verdicts: Mapping[UUID, Sequence[Verdict]], given: Given
    ) -> list[UUID]:
        """Returns the ids of the subjects of which a person, or an import, has now said something; all, or none.

        `verdicts` are by score. Replaces what stood there. With the last value that was missing, workers drop
        what they are still at. Raises UnknownEvaluation, UnknownSubject, BadValue, EvaluationState.
        """
        subjects: list[UUID] = []
        async with self.database.transaction(actor.tenant) as session:
            evaluation = await held(session, self.jobs, actor, evaluation_id)
            before = evaluation.state
            if before == State.CANCELLED:
                raise EvaluationState("the evaluation was cancelled", state=evaluation.state)
            repository = ResultRepository(session, evaluation)
            for score_id, said in verdicts.items():
                score = await _score(session, evaluation, score_id)
                named = await _subjects_of(repository, said)
                rows = [_row(score, one, about, (given, actor.name)) for one, about in zip(said, named, strict=True)]
                written = await repository.settle(as_json(rows), by_subject=True)
                if len(written) != len(rows):
                    raise UnknownSubject("the evaluation judges no such thing by this score")
                count(evaluation, written, {})
                subjects += named
                await self.audit.record(
                    session,
                    actor,
                    f"evaluation.{'scored' if given is Given.PERSON else 'imported'}",
                    ("evaluation", evaluation.id),
                    after={"score_id": score_id, "results": len(rows)},
                )
            finish(evaluation)
            if before != evaluation.state and evaluation.run_id is not None:
                await self.jobs.cancel(session, evaluation.run_id)
        return subjects


async def _score(session: AsyncSession, evaluation: Evaluation, score_id: UUID) -> EvaluationScore:
    scores = (await EvaluationRepository(session).scores([evaluation.id]))[evaluation.id]
    found = next((one for one in scores if one.score_id == score_id), None)
    if found is None:
        raise UnknownSubject("the evaluation has no such score", score_id=str(score_id))
    return found


async def _subjects_of(repository: ResultRepository, verdicts: Sequence[Verdict]) -> list[UUID]:
    """Whoever brings values knows rows, results and traces, not subjects; each is named once."""
    keys = [_key(one) for one in verdicts]
    named = await repository.named([one for one in keys if isinstance(one, str)])
    subjects = [one if isinstance(one, UUID) else named.get(one) for one in keys]
    wrong = [number for number, one in enumerate(subjects) if one is None]
    if wrong:
        raise UnknownSubject(
            "the evaluation judges no such thing", errors=[{"pointer": f"#/results/{number}"} for number in wrong]
        )
    known = [one for one in subjects if one is not None]
    if len(set(known)) != len(known):
        raise BadValue("a subject is named twice")
    return known


def _key(verdict: Verdict) -> UUID | str:
    if verdict.subject_id is not None:
        return verdict.subject_id
    if verdict.trace_id is not None:
        return f"{verdict.trace_id}:{verdict.span_id or ''}"
    return str(verdict.result_id or verdict.row_id or "")


def _row(score: EvaluationScore, verdict: Verdict, subject_id: UUID, by: tuple[Given, str]) -> dict[str, Any]:
    value, label = _value(score.pinned, verdict)
    given, name = by
    return {
        "subject_id": subject_id,
        "score_id": score.score_id,
        "status": Status.DONE,
        "source": given,
        "value": value,
        "label": label,
        "reasoning": verdict.reasoning,
        "error": "",
        "scored_by": name,
        "attempts": 0,
    }


def _value(pinned: Mapping[str, Any], verdict: Verdict) -> tuple[float, str]:
    """Returns value and label; either may be given where the score has labels."""
    labels: dict[str, float] = {label: value for label, value in pinned["labels"]}  # noqa: C416 - pairs of JSON
    if not labels:
        value = verdict.value
        if value is None or not is_figure(value) or verdict.label:
            raise BadValue(f"the score {pinned['name']} takes a number of at most 1e100", label=verdict.label)
        lowest, highest = pinned["lowest"], pinned["highest"]
        if (lowest is not None and value < lowest) or (highest is not None and value > highest):
            raise BadValue(f"the score {pinned['name']} is from {lowest} to {highest}")
        return value, ""
    label = verdict.label or next((name for name, value in labels.items() if value == verdict.value), "")
    if label not in labels:
        raise BadValue(f"the score {pinned['name']} is one of {', '.join(labels)}")
    if not is_figure(labels[label]):
        raise BadValue(f"the score {pinned['name']} counts {label} as more than 1e100")
    return labels[label], label


async def _viewed(repository: ResultRepository, rows: Sequence[Subject]) -> tuple[SubjectView, ...]:
    evaluation = repository.evaluation
    said = await repository.said_of([row.id for row in rows])
    values: dict[UUID, Mapping[str, Any]] = {}
    answers = {}
    if not Scope(evaluation.scope).of_traces:
        values = await repository.row_values([row.row_id for row in rows if row.row_id is not None])
        answers = await repository.answers([row.result_id for row in rows if row.result_id is not None])
    columns = columns_of(evaluation.pinned.get("dataset", {}).get("columns", ()))
    views = []
    for row in rows:
        cells = values.get(row.row_id) if row.row_id is not None else None
        named = {} if cells is None else {column.name: cells.get(column.id) for column in columns}
        answer = answers.get(row.result_id) if row.result_id is not None else None
        views.append(SubjectView.of(row, named, answer.output if answer else None, said[row.id]))
    return tuple(views)


def _unknown(subject_id: UUID) -> UnknownSubject:
    return UnknownSubject("the evaluation judges no such thing", subject_id=str(subject_id))
