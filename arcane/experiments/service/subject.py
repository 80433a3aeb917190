"""Experiments as the ledger sees them: what workers need for a row, and what they bring."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.datasets.columns import columns_of
from arcane.experiments.repository import ExperimentRepository, Settled
from arcane.experiments.tables import Experiment
from arcane.experiments.words import State, Status
from arcane.jobs.subject import Inputs, RunRef
from arcane.jobs.words import RunState
from arcane.kit.database import Database
from arcane.kit.tables import now
from arcane.messaging.generation import Usage
from arcane.messaging.jobs import Failed, JobResult

_GONE = Failed(error="the row is not in the dataset any more: the dataset was deleted", retry=False)
_NUL, _INSTEAD = "\\u0000", "\\ufffd"
"""Postgres cannot store NUL."""


@dataclass(frozen=True, slots=True)
class ExperimentSubject:
    """See arcane.jobs.subject.Subject."""

    database: Database

    async def inputs(self, run: RunRef, jobs: Sequence[UUID]) -> Mapping[UUID, Inputs | Failed]:
        """Returns the variables of each row's prompt, from the pinned version of the dataset."""
        async with self.database.transaction(run.tenant) as session:
            repository = ExperimentRepository(session)
            experiment = await repository.of_run(run.id)
            if experiment is None:
                return {}
            rows = await repository.begin(experiment, jobs)
        ids = {column.name: column.id for column in columns_of(experiment.pinned["dataset"]["columns"])}
        mapping = {variable: ids[column] for variable, column in experiment.mapping.items()}
        return {
            job: _GONE if job not in rows else {variable: rows[job].get(column) for variable, column in mapping.items()}
            for job in jobs
        }

    async def take(self, session: AsyncSession, run: RunRef, results: Sequence[JobResult]) -> None:
        """What the model answered for each row is written, and counted."""
        repository = ExperimentRepository(session)
        experiment = await repository.of_run(run.id, for_change=True)
        if experiment is None or experiment.state == State.CANCELLED:
            return
        written = await repository.settle(experiment.id, as_json(map(_row, results)))
        usages = {result.job: result.generated.usage for result in results if result.generated is not None}
        count(experiment, written, usages)

    async def keeps_words(self, session: AsyncSession, run: RunRef) -> bool:
        """True: rows and answers are here already."""
        return True

    async def told(self, session: AsyncSession, run: RunRef, state: RunState) -> None:
        """The experiment stands as its run does."""
        repository = ExperimentRepository(session)
        experiment = await repository.of_run(run.id, for_change=True)
        if experiment is None:
            return
        experiment.state, experiment.finished_at = State(state.value), None
        if state is RunState.CANCELLED:
            experiment.finished_at = now()
            await repository.cancel_open(experiment.id)

    async def ended(self, session: AsyncSession, run: RunRef) -> None:
        """The experiment is over."""
        repository = ExperimentRepository(session)
        experiment = await repository.of_run(run.id, for_change=True)
        if experiment is None:
            return
        await repository.cancel_open(experiment.id)
        if experiment.state != State.CANCELLED:
            experiment.state = State.DONE
        experiment.finished_at = now()


def as_json(rows: Iterable[Mapping[str, Any]]) -> str:
    """Returns rows as Postgres can read and store them."""
    return msgspec.json.encode(list(rows)).decode().replace(_NUL, _INSTEAD)


def count(experiment: Experiment, written: Sequence[Settled], usages: Mapping[UUID, Usage]) -> None:
    """The experiment's counts say what was written."""
    for one in written:
        experiment.done += (one.after is Status.DONE) - (one.before is Status.DONE)
        experiment.failed += (one.after is Status.FAILED) - (one.before is Status.FAILED)
        usage = usages.get(one.id)
        if usage is not None:
            experiment.input_tokens += usage.input_tokens
            experiment.output_tokens += usage.output_tokens
            experiment.cost_usd += usage.cost_usd or 0.0
            experiment.unpriced += usage.cost_usd is None and usage.calls > 0


def _row(result: JobResult) -> dict[str, Any]:
    generated, error = result.generated, result.error
    row: dict[str, Any] = {
        "id": result.job,
        "status": Status.FAILED if generated is None else Status.DONE,
        "output": "",
        "finish_reason": "",
        "model": "",
        "error": error.message if error else "" if generated else "the worker brought no answer",
        "attempts": result.attempt,
        "latency_ms": result.duration_ms,
    }
    if generated is not None:
        row |= {
            "output": generated.text,
            "tool_calls": generated.tool_calls or None,
            "structured": generated.structured,
            "finish_reason": generated.finish_reason,
            "model": generated.model,
            "input_tokens": generated.usage.input_tokens,
            "output_tokens": generated.usage.output_tokens,
            "cost_usd": generated.usage.cost_usd,
        }
    return row
