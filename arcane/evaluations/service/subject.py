"""Evaluations as the ledger sees them: what workers need to judge a subject, and what they say of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.datasets.columns import columns_of
from arcane.datasets.sources import ABSENT, Place, Scope, Source
from arcane.evaluations.problems import EvaluationState
from arcane.evaluations.repository.evaluations import EvaluationRepository
from arcane.evaluations.repository.results import ResultRepository, Settled, Work
from arcane.evaluations.service.reading import TraceReader
from arcane.evaluations.service.wanting import Wanted, wanted_of
from arcane.evaluations.tables import Evaluation
from arcane.evaluations.words import Given, State, is_figure
from arcane.experiments.service.subject import as_json
from arcane.experiments.tables import ExperimentResult
from arcane.experiments.words import Status
from arcane.jobs.service.runs import Jobs
from arcane.jobs.subject import Inputs, RunRef
from arcane.jobs.words import RunState
from arcane.kit.database import Database
from arcane.kit.tables import now
from arcane.messaging.generation import Usage
from arcane.messaging.jobs import Failed, JobResult

BUDGET_SPENT: Final = "the budget is spent"
_ROW_GONE = Failed(error="the row is not in the dataset any more", retry=False)
_ANSWER_GONE = Failed(error="the experiment was deleted", retry=False)


@dataclass(frozen=True, slots=True)
class EvaluationSubject:
    """See arcane.jobs.subject.Subject."""

    database: Database
    jobs: Jobs
    reader: TraceReader

    async def inputs(self, run: RunRef, jobs: Sequence[UUID]) -> Mapping[UUID, Inputs | Failed]:
        """Returns what each score reads of its subject."""
        async with self.database.transaction(run.tenant) as session:
            repository = EvaluationRepository(session)
            evaluation = await repository.of_run(run.id)
            if evaluation is None:
                return {}
            scores = (await repository.scores([evaluation.id]))[evaluation.id]
            results = ResultRepository(session, evaluation)
            work = await results.begin(jobs)
            values = await results.row_values([one.subject.row_id for one in work if one.subject.row_id is not None])
            answers = await results.answers(
                [one.subject.result_id for one in work if one.subject.result_id is not None]
            )
        if Scope(evaluation.scope).of_traces:
            return await self.reader.inputs(evaluation, work, scores)
        ids = {column.name: column.id for column in columns_of(evaluation.pinned["dataset"]["columns"])}
        wanted = {score.score_id: wanted_of(score, Scope(evaluation.scope), list(ids)) for score in scores}
        named = {
            row_id: {name: row.get(column_id) for name, column_id in ids.items()} for row_id, row in values.items()
        }
        return {one.job: _read(one, wanted[one.score_id], named, answers) for one in work}

    async def take(self, session: AsyncSession, run: RunRef, results: Sequence[JobResult]) -> None:
        """What scorers said is written and counted; when the budget is spent, nothing further begins."""
        repository = EvaluationRepository(session)
        evaluation = await repository.of_run(run.id, for_change=True)
        if evaluation is None or evaluation.state == State.CANCELLED:
            return
        scores = (await repository.scores([evaluation.id]))[evaluation.id]
        labels = frozenset(label for score in scores for label, _ in score.pinned["labels"])
        rows = [_row(evaluation, labels, result) for result in results]
        written = await ResultRepository(session, evaluation).settle(as_json(rows))
        count(evaluation, written, {result.job: _usage(result) for result in results})
        spent = evaluation.budget_usd is not None and evaluation.cost_usd >= evaluation.budget_usd
        if spent and evaluation.state == State.RUNNING and await self.jobs.pause(session, run.id):
            evaluation.state, evaluation.note = State.STOPPED, BUDGET_SPENT

    async def keeps_words(self, session: AsyncSession, run: RunRef) -> bool:
        """True unless the words may quote a trace, and nobody chose to keep that (R1)."""
        evaluation = await EvaluationRepository(session).of_run(run.id)
        return evaluation is not None and _kept(evaluation)

    async def told(self, session: AsyncSession, run: RunRef, state: RunState) -> None:
        """The evaluation stands as its run does, once its traces are listed; a spent budget is not gone round."""
        repository = EvaluationRepository(session)
        evaluation = await repository.of_run(run.id, for_change=True)
        if evaluation is None:
            return
        to = State(state.value)
        if evaluation.state == State.STOPPED and to is State.PAUSED:
            return
        if evaluation.state == State.LISTING and to is not State.CANCELLED:
            raise EvaluationState("its traces are still being listed", state=evaluation.state)
        check_budget(evaluation, to)
        evaluation.state, evaluation.note, evaluation.finished_at = to, "", None
        if to is State.CANCELLED:
            evaluation.finished_at = now()
            await repository.cancel_open(evaluation.id)

    async def ended(self, session: AsyncSession, run: RunRef) -> None:
        """All that scorers are to say was said; a live evaluation goes on, and people may still be at it."""
        repository = EvaluationRepository(session)
        evaluation = await repository.of_run(run.id, for_change=True)
        if evaluation is None:
            return
        if evaluation.state == State.CANCELLED:
            await repository.cancel_open(evaluation.id)
        else:
            finish(evaluation, over=not await repository.is_open(evaluation.id))


def check_budget(evaluation: Evaluation, to: State) -> None:
    """Returns when the evaluation may be put into state `to`; raises EvaluationState where there is no money for it."""
    spent = evaluation.budget_usd is not None and evaluation.cost_usd >= evaluation.budget_usd
    if spent and to is State.RUNNING:
        raise EvaluationState("its budget is spent: raise it, then resume", state=evaluation.state)


def finish(evaluation: Evaluation, *, over: bool = False) -> None:
    """The evaluation is done where all was said, or where it is `over`: what is left was cancelled."""
    over = over or evaluation.done + evaluation.failed >= evaluation.total
    if over and evaluation.scope != Scope.LIVE and evaluation.state in (State.RUNNING, State.STOPPED):
        evaluation.state, evaluation.finished_at = State.DONE, now()


def count(evaluation: Evaluation, written: Sequence[Settled], usages: Mapping[UUID, Usage]) -> None:
    """The evaluation's counts say what was written."""
    for one in written:
        evaluation.done += (one.after is Status.DONE) - (one.before is Status.DONE)
        evaluation.failed += (one.after is Status.FAILED) - (one.before is Status.FAILED)
        usage = usages.get(one.id)
        if usage is not None:
            evaluation.input_tokens += usage.input_tokens
            evaluation.output_tokens += usage.output_tokens
            evaluation.cost_usd += usage.cost_usd or 0.0
            evaluation.unpriced += usage.cost_usd is None and usage.calls > 0


def _read(
    work: Work,
    wanted: Wanted,
    rows: Mapping[UUID, Mapping[str, Any]],
    answers: Mapping[UUID, ExperimentResult],
) -> Mapping[str, Any] | Failed:
    about = work.subject
    row = rows.get(about.row_id) if about.row_id is not None else None
    answer = answers.get(about.result_id) if about.result_id is not None else None
    if about.result_id is not None and answer is None:
        return _ANSWER_GONE
    if row is None and any(source.place is Place.COLUMN for source in wanted.sources.values()):
        return _ROW_GONE
    return wanted.given({name: _value(source, row or {}, answer) for name, source in wanted.sources.items()})


def _value(source: Source, row: Mapping[str, Any], answer: ExperimentResult | None) -> Any:
    if source.place is Place.TEXT:
        return source.name
    if source.place is Place.COLUMN:
        return source.pick(row.get(source.name))
    if answer is None:
        return ABSENT
    match source.name:
        case "structured":
            return source.pick(answer.structured)
        case "tool_calls":
            return source.pick(answer.tool_calls or [])
        case "messages":
            said = {"role": "assistant", "content": answer.output, "tool_calls": answer.tool_calls or []}
            return source.pick([said])
        case _:
            return source.pick(answer.output)


def _usage(result: JobResult) -> Usage:
    """A scorer that asked and found no verdict has asked all the same."""
    if result.verdict is not None:
        return result.verdict.usage
    return Usage() if result.error is None else result.error.usage


def _kept(evaluation: Evaluation) -> bool:
    return evaluation.capture or not Scope(evaluation.scope).of_traces


def _row(evaluation: Evaluation, labels: frozenset[str], result: JobResult) -> dict[str, Any]:
    """A result as it is stored. Of traces, a verdict is kept and no word about it, unless that was asked for (R1)."""
    kept = _kept(evaluation)
    verdict, error, usage = result.verdict, result.error, _usage(result)
    row: dict[str, Any] = {
        "id": result.job,
        "source": Given.SCORER,
        "label": "",
        "reasoning": "",
        "scored_by": "",
        "attempts": result.attempt,
        "latency_ms": result.duration_ms,
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cost_usd": usage.cost_usd,
    }
    if verdict is None or not is_figure(verdict.value):
        kind, message = (
            (error.kind, error.message) if error else ("no-value", "the scorer gave no value that can be reckoned with")
        )
        return {**row, "status": Status.FAILED, "error": message if kept else kind}
    return {
        **row,
        "status": Status.DONE,
        "value": verdict.value,
        "label": verdict.label if kept or verdict.label in labels else "",
        "reasoning": verdict.reasoning if kept else "",
        "details": (verdict.details or None) if kept else None,
        "error": "",
    }
