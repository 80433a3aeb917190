"""Results lock a run first, then the experiment or evaluation it is of: whoever changes both does the same."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import anyio
import pytest

from arcane.datasets.sources import Scope
from arcane.evaluations.words import Draft as EvaluationDraft
from arcane.evaluations.words import EvaluationView, SearchDraft, State
from arcane.experiments.words import Draft, ExperimentView, Reported, ResultsRequest
from arcane.kit.pagination import PageRequest
from tests.support.evaluating import EXACT, JUDGE, VERSION, Desk

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]
_WAITING = "SELECT count(*) AS waiting FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid()"


async def _experiment(desk: Desk) -> ExperimentView:
    dataset = await desk.dataset({"question": "1+1"}, {"question": "2+2"})
    draft = Draft(name="x", dataset_id=dataset, prompt_version_id=VERSION, mapping={})
    return await desk.experiments.experiments.create(desk.actor, draft)


async def _evaluation(desk: Desk) -> EvaluationView:
    dataset = await desk.dataset({"response": "2", "reference": "2"}, columns=("response", "reference"))
    draft = EvaluationDraft(name="x", scope=Scope.DATASET, dataset_id=dataset, scores=(EXACT,), mappings={})
    return await desk.evaluations.evaluations.create(desk.actor, draft)


async def _listed(desk: Desk) -> EvaluationView:
    search = SearchDraft(query="{}", start=0, end=10)
    mappings = {JUDGE: {"response": "trace:name"}}
    draft = EvaluationDraft(name="x", scope=Scope.TRACES, search=search, scores=(JUDGE,), mappings=mappings)
    return await desk.evaluations.evaluations.create(desk.actor, draft)


async def _report(desk: Desk, made: UUID) -> Any:
    results = desk.experiments.results
    row = (await results.page(desk.actor, made, ResultsRequest(PageRequest(1)))).items[0].row_id
    return await results.report(desk.actor, made, Reported(row, "two"))


Act = Callable[[Desk, UUID], Awaitable[Any]]
_ACTS: dict[str, tuple[Callable[[Desk], Awaitable[Any]], Act]] = {
    "an experiment is cancelled": (_experiment, lambda desk, id_: desk.experiments.experiments.cancel(desk.actor, id_)),
    "an experiment is paused": (_experiment, lambda desk, id_: desk.experiments.experiments.pause(desk.actor, id_)),
    "a row is reported": (_experiment, _report),
    "an evaluation is finished": (_evaluation, lambda desk, id_: desk.evaluations.evaluations.finish(desk.actor, id_)),
    "an evaluation is deleted": (_evaluation, lambda desk, id_: desk.evaluations.evaluations.delete(desk.actor, id_)),
    "traces are listed": (_listed, lambda desk, id_: desk.evaluations.lister.step()),
}


@pytest.mark.parametrize("act", _ACTS)
async def test_what_is_changed_while_results_are_taken_waits_its_turn(desk: Desk, act: str) -> None:
    make, change = _ACTS[act]
    made = await make(desk)
    assert made.run_id is not None
    run = await desk.run(made.run_id)
    subject = desk.ledger.parts.subjects.of(run.kind)
    with anyio.fail_after(20):
        async with anyio.create_task_group() as group, desk.ledger.database.transaction(run.tenant) as session:
            await desk.ledger.jobs.hold(session, run.id)
            group.start_soon(change, desk, made.id)
            while not (await desk.ledger.rows(_WAITING))[0].waiting:  # noqa: ASYNC110 - Postgres tells nobody
                await anyio.sleep(0.01)
            await subject.take(session, run, [])
    assert act != "an evaluation is finished" or (await _state(desk, made.id)) is State.DONE


async def _state(desk: Desk, evaluation_id: UUID) -> State:
    return (await desk.evaluations.evaluations.get(desk.actor, evaluation_id)).state
