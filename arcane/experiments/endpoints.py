"""Experiments over HTTP."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, status
from fastapi.responses import Response

from arcane.access.permissions import (
    EXPERIMENTS_CREATE,
    EXPERIMENTS_DELETE,
    EXPERIMENTS_READ,
    EXPERIMENTS_RERUN,
    EXPERIMENTS_UPDATE,
)
from arcane.experiments.schemas import (
    ComparisonOut,
    ExperimentIn,
    ExperimentOut,
    ExperimentPage,
    ExperimentPatch,
    ExperimentResultOut,
    ExperimentResultPage,
    RerunIn,
    ResultIn,
)
from arcane.experiments.sending import as_csv, as_jsonl, frames_of
from arcane.experiments.service.experiments import ExperimentService
from arcane.experiments.service.results import ResultService
from arcane.experiments.wiring import experiments_of, results_of
from arcane.experiments.words import ResultsRequest, Sort, Status
from arcane.kit.actor import Actor
from arcane.kit.download import Download
from arcane.kit.guard import again_of, requires
from arcane.kit.lists import Paging
from arcane.kit.sse import DOCUMENTED, EventStreamResponse, while_allowed

COMPARED_MAX = 6


def _in_project(project_id: UUID) -> None:
    """The path names the project; the guard reads it, and so does the OpenAPI document."""


router = APIRouter(
    prefix="/projects/{project_id}/experiments", tags=["experiments"], dependencies=[Depends(_in_project)]
)


Experiments = Annotated[ExperimentService, Depends(experiments_of)]
Results = Annotated[ResultService, Depends(results_of)]
Reader = Annotated[Actor, requires(EXPERIMENTS_READ)]
Creator = Annotated[Actor, requires(EXPERIMENTS_CREATE)]
Editor = Annotated[Actor, requires(EXPERIMENTS_UPDATE)]
Deleter = Annotated[Actor, requires(EXPERIMENTS_DELETE)]
Runner = Annotated[Actor, requires(EXPERIMENTS_RERUN)]


@router.get("")
async def list_experiments(
    experiments: Experiments,
    paging: Paging,
    actor: Reader,
    dataset_id: Annotated[UUID | None, Query(description="Only those over this dataset.")] = None,
) -> ExperimentPage:
    """The project's experiments, newest first."""
    return ExperimentPage.model_validate(await experiments.page(actor, paging, dataset_id))


@router.post("", status_code=status.HTTP_201_CREATED)
async def create_experiment(body: ExperimentIn, experiments: Experiments, actor: Creator) -> ExperimentOut:
    """Runs a prompt version over a version of a dataset; both stay what they are, whatever is edited meanwhile."""
    return ExperimentOut.model_validate(await experiments.create(actor, body.draft()))


@router.get("/compare")
async def compare_experiments(
    results: Results,
    paging: Paging,
    actor: Reader,
    experiment_id: Annotated[list[UUID], Query(min_length=2, max_length=COMPARED_MAX)],
) -> ComparisonOut:
    """Experiments over one dataset side by side, with the words in which each answer differs from the first's."""
    return ComparisonOut.of(await results.compare(actor, experiment_id, paging))


@router.get("/{experiment_id}")
async def get_experiment(experiment_id: UUID, experiments: Experiments, actor: Reader) -> ExperimentOut:
    """One experiment."""
    return ExperimentOut.model_validate(await experiments.get(actor, experiment_id))


@router.patch("/{experiment_id}")
async def update_experiment(
    experiment_id: UUID, body: ExperimentPatch, experiments: Experiments, actor: Editor
) -> ExperimentOut:
    """Renames an experiment."""
    return ExperimentOut.model_validate(await experiments.rename(actor, experiment_id, body.name, body.description))


@router.delete("/{experiment_id}", status_code=status.HTTP_204_NO_CONTENT)
async def delete_experiment(experiment_id: UUID, experiments: Experiments, actor: Deleter) -> None:
    """Removes an experiment and its results. What was found out about it in evaluations stays."""
    await experiments.delete(actor, experiment_id)


@router.post("/{experiment_id}/cancel")
async def cancel_experiment(experiment_id: UUID, experiments: Experiments, actor: Runner) -> ExperimentOut:
    """Stops it for good: workers drop what they are at within two seconds. It can be rerun."""
    return ExperimentOut.model_validate(await experiments.cancel(actor, experiment_id))


@router.post("/{experiment_id}/finish")
async def finish_experiment(experiment_id: UUID, experiments: Experiments, actor: Editor) -> ExperimentOut:
    """Says that no more answers come: it is done, and rows without one are cancelled. The last row does the same."""
    return ExperimentOut.model_validate(await experiments.finish(actor, experiment_id))


@router.post("/{experiment_id}/pause")
async def pause_experiment(experiment_id: UUID, experiments: Experiments, actor: Runner) -> ExperimentOut:
    """No further row begins until it is resumed."""
    return ExperimentOut.model_validate(await experiments.pause(actor, experiment_id))


@router.post("/{experiment_id}/resume")
async def resume_experiment(experiment_id: UUID, experiments: Experiments, actor: Runner) -> ExperimentOut:
    """A paused experiment goes on."""
    return ExperimentOut.model_validate(await experiments.resume(actor, experiment_id))


@router.post("/{experiment_id}/rerun")
async def rerun_experiment(
    experiment_id: UUID, experiments: Experiments, actor: Runner, body: RerunIn | None = None
) -> ExperimentOut:
    """Does failed and cancelled rows again, or all of them."""
    rows = (body or RerunIn()).rows
    return ExperimentOut.model_validate(await experiments.rerun(actor, experiment_id, rows))


@router.get("/{experiment_id}/events", response_class=EventStreamResponse, responses=DOCUMENTED)
async def watch_experiment(request: Request, experiment_id: UUID, experiments: Experiments, actor: Reader) -> Response:
    """Server-sent events named `progress`, each an experiment as it is now, until it is done or cancelled.

    `problem` ends them earlier: the experiment was deleted, or you may not see it any more.
    """
    await experiments.get(actor, experiment_id)
    frames = frames_of(experiments.watch(actor, experiment_id), ExperimentOut)
    return EventStreamResponse(while_allowed(frames, again_of(request, EXPERIMENTS_READ)))


@router.get("/{experiment_id}/results")
async def list_experiment_results(  # noqa: PLR0913 - what a list can be narrowed and ordered by
    experiment_id: UUID,
    results: Results,
    paging: Paging,
    actor: Reader,
    result_status: Annotated[Status | None, Query(alias="status")] = None,
    search: Annotated[str, Query(max_length=500, description="Anywhere in the answer.")] = "",
    sort: Sort = Sort.ORDINAL,
    descending: bool = False,
) -> ExperimentResultPage:
    """What came of the rows."""
    wanted = ResultsRequest(paging, result_status, search, sort, descending)
    return ExperimentResultPage.model_validate(await results.page(actor, experiment_id, wanted))


@router.post("/{experiment_id}/results", status_code=status.HTTP_201_CREATED)
async def report_experiment_result(
    experiment_id: UUID, body: ResultIn, results: Results, actor: Editor
) -> ExperimentResultOut:
    """Takes what your own program answered for a row; it stands in place of what a worker answered."""
    return ExperimentResultOut.model_validate(await results.report(actor, experiment_id, body.reported()))


@router.get("/{experiment_id}/results/{result_id}")
async def get_experiment_result(
    experiment_id: UUID, result_id: UUID, results: Results, actor: Reader
) -> ExperimentResultOut:
    """What came of one row."""
    return ExperimentResultOut.model_validate(await results.get(actor, experiment_id, result_id))


@router.get("/{experiment_id}/export", response_class=Response)
async def export_experiment(  # noqa: PLR0913 - who asks for which of what, and whether they still may
    request: Request,
    experiment_id: UUID,
    experiments: Experiments,
    results: Results,
    actor: Reader,
    as_: Annotated[str, Query(alias="format", pattern="^(csv|jsonl)$")] = "jsonl",
) -> Response:
    """All results, streamed: one JSON object a line, or CSV that no spreadsheet takes for formulas."""
    view = await experiments.get(actor, experiment_id)
    rows, again = results.all(actor, experiment_id), again_of(request, EXPERIMENTS_READ)
    if as_ == "csv":
        return Download(as_csv(view, rows), again, "text/csv; charset=utf-8")
    return Download(as_jsonl(rows), again, "application/x-ndjson")
