"""Evaluations over HTTP."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, status
from fastapi.responses import Response

from arcane.access.permissions import (
    EVALUATIONS_CREATE,
    EVALUATIONS_DELETE,
    EVALUATIONS_READ,
    EVALUATIONS_RERUN,
    EVALUATIONS_RESULTS_READ,
    EVALUATIONS_UPDATE,
)
from arcane.evaluations.schemas import (
    AgainIn,
    ComparisonsOut,
    EstimateOut,
    EvaluationIn,
    EvaluationOut,
    EvaluationPage,
    EvaluationPatch,
    ImportedOut,
    ImportIn,
    ScoreComparisonOut,
    ScoreFiguresOut,
    StatisticsOut,
    SubjectOut,
    SubjectPage,
    Summaries,
    SummaryOut,
    VerdictIn,
)
from arcane.evaluations.service.evaluations import EvaluationService
from arcane.evaluations.service.figures import StatisticsService
from arcane.evaluations.service.results import VerdictService
from arcane.evaluations.wiring import evaluations_of, statistics_of, verdicts_of
from arcane.evaluations.words import Given, SubjectsRequest, Verdict
from arcane.experiments.sending import frames_of
from arcane.experiments.words import Status
from arcane.kit.actor import Actor
from arcane.kit.guard import again_of, requires
from arcane.kit.lists import Paging
from arcane.kit.sse import DOCUMENTED, EventStreamResponse, while_allowed


def _in_project(project_id: UUID) -> None:
    """The path names the project; the guard reads it, and so does the OpenAPI document."""


router = APIRouter(
    prefix="/projects/{project_id}/evaluations", tags=["evaluations"], dependencies=[Depends(_in_project)]
)


Statistics = Annotated[StatisticsService, Depends(statistics_of)]
Evaluations = Annotated[EvaluationService, Depends(evaluations_of)]
Verdicts = Annotated[VerdictService, Depends(verdicts_of)]
Reader = Annotated[Actor, requires(EVALUATIONS_READ)]
Creator = Annotated[Actor, requires(EVALUATIONS_CREATE)]
Editor = Annotated[Actor, requires(EVALUATIONS_UPDATE)]
Deleter = Annotated[Actor, requires(EVALUATIONS_DELETE)]
Runner = Annotated[Actor, requires(EVALUATIONS_RERUN)]
ResultReader = Annotated[Actor, requires(EVALUATIONS_RESULTS_READ)]


@router.get("")
async def list_evaluations(
    evaluations: Evaluations,
    paging: Paging,
    actor: Reader,
    dataset_id: Annotated[UUID | None, Query(description="Only those over this dataset.")] = None,
) -> EvaluationPage:
    """The project's evaluations, newest first."""
    return EvaluationPage.model_validate(await evaluations.page(actor, paging, dataset_id))


@router.post("", status_code=status.HTTP_201_CREATED)
async def create_evaluation(body: EvaluationIn, evaluations: Evaluations, actor: Creator) -> EvaluationOut:
    """Judges by scores. What it is over, and what the scores mean, is pinned; the traces of a query are listed next."""
    return EvaluationOut.model_validate(await evaluations.create(actor, body.draft()))


@router.post("/estimate")
async def estimate_evaluation(body: EvaluationIn, evaluations: Evaluations, actor: Creator) -> EstimateOut:
    """What an evaluation would take, without making it."""
    return EstimateOut.model_validate(await evaluations.estimate(actor, body.draft()))


@router.get("/{evaluation_id}")
async def get_evaluation(evaluation_id: UUID, evaluations: Evaluations, actor: Reader) -> EvaluationOut:
    """One evaluation."""
    return EvaluationOut.model_validate(await evaluations.get(actor, evaluation_id))


@router.patch("/{evaluation_id}")
async def update_evaluation(
    evaluation_id: UUID, body: EvaluationPatch, evaluations: Evaluations, actor: Editor
) -> EvaluationOut:
    """Changes name, description or budget."""
    return EvaluationOut.model_validate(await evaluations.change(actor, evaluation_id, body.changes()))


@router.delete("/{evaluation_id}", status_code=status.HTTP_204_NO_CONTENT)
async def delete_evaluation(evaluation_id: UUID, evaluations: Evaluations, actor: Deleter) -> None:
    """Removes an evaluation and all that was said."""
    await evaluations.delete(actor, evaluation_id)


@router.post("/{evaluation_id}/cancel")
async def cancel_evaluation(evaluation_id: UUID, evaluations: Evaluations, actor: Runner) -> EvaluationOut:
    """Stops it for good: workers drop what they are at within two seconds. It can be rerun."""
    return EvaluationOut.model_validate(await evaluations.cancel(actor, evaluation_id))


@router.post("/{evaluation_id}/finish")
async def finish_evaluation(evaluation_id: UUID, evaluations: Evaluations, actor: Editor) -> EvaluationOut:
    """Says that nothing more is said: it is done, and what has no value is cancelled. The last value does the same."""
    return EvaluationOut.model_validate(await evaluations.finish(actor, evaluation_id))


@router.post("/{evaluation_id}/pause")
async def pause_evaluation(evaluation_id: UUID, evaluations: Evaluations, actor: Runner) -> EvaluationOut:
    """Nothing further begins until it is resumed."""
    return EvaluationOut.model_validate(await evaluations.pause(actor, evaluation_id))


@router.post("/{evaluation_id}/resume")
async def resume_evaluation(evaluation_id: UUID, evaluations: Evaluations, actor: Runner) -> EvaluationOut:
    """A paused evaluation goes on, and so does one whose budget was raised."""
    return EvaluationOut.model_validate(await evaluations.resume(actor, evaluation_id))


@router.post("/{evaluation_id}/rerun")
async def rerun_evaluation(
    evaluation_id: UUID, evaluations: Evaluations, actor: Runner, body: AgainIn | None = None
) -> EvaluationOut:
    """Scorers do again what failed or was cancelled, or all. What people said stays."""
    again = (body or AgainIn()).results
    return EvaluationOut.model_validate(await evaluations.rerun(actor, evaluation_id, again))


@router.get("/{evaluation_id}/events", response_class=EventStreamResponse, responses=DOCUMENTED)
async def watch_evaluation(request: Request, evaluation_id: UUID, evaluations: Evaluations, actor: Reader) -> Response:
    """Server-sent events named `progress`, each an evaluation as it is now, until it is done or cancelled.

    `problem` ends them earlier: the evaluation was deleted, or you may not see it any more.
    """
    await evaluations.get(actor, evaluation_id)
    frames = frames_of(evaluations.watch(actor, evaluation_id), EvaluationOut)
    return EventStreamResponse(while_allowed(frames, again_of(request, EVALUATIONS_READ)))


@router.get("/{evaluation_id}/summary")
async def summarise_evaluation(evaluation_id: UUID, verdicts: Verdicts, actor: ResultReader) -> Summaries:
    """How each score turned out."""
    found = await verdicts.summaries(actor, evaluation_id)
    return Summaries(items=[SummaryOut.model_validate(one) for one in found], next=None)


@router.get("/{evaluation_id}/statistics")
async def describe_evaluation(evaluation_id: UUID, statistics: Statistics, actor: ResultReader) -> StatisticsOut:
    """Each score in figures: means with intervals, shares of labels, percentiles, what is good enough."""
    found = await statistics.figures(actor, evaluation_id)
    return StatisticsOut(items=[ScoreFiguresOut.of(one) for one in found], next=None)


@router.get("/{evaluation_id}/comparison")
async def compare_evaluated_experiments(
    evaluation_id: UUID,
    statistics: Statistics,
    actor: ResultReader,
    a: Annotated[UUID, Query(description="The experiment that is compared with.")],
    b: Annotated[UUID, Query(description="The experiment that is compared: differences are B minus A.")],
) -> ComparisonsOut:
    """Two experiments by each score, paired by row: differences with intervals, tests, and sizes of effects."""
    found = await statistics.comparisons(actor, evaluation_id, a, b)
    return ComparisonsOut(items=[ScoreComparisonOut.of(one) for one in found], next=None)


@router.get("/{evaluation_id}/subjects")
async def list_evaluation_subjects(  # noqa: PLR0913 - what a list can be narrowed and ordered by
    evaluation_id: UUID,
    verdicts: Verdicts,
    paging: Paging,
    actor: ResultReader,
    experiment_id: Annotated[UUID | None, Query(description="Only answers of this experiment.")] = None,
    result_status: Annotated[Status | None, Query(alias="status", description="With a result in this state.")] = None,
    score_id: Annotated[UUID | None, Query(description="The score whose result `status` means; any, if left out.")] = (
        None
    ),
    sort: Annotated[
        UUID | None, Query(description="A score: by what it says. In their own order, if left out.")
    ] = None,
    descending: bool = False,
) -> SubjectPage:
    """What is judged, and all that was said of it."""
    wanted = SubjectsRequest(paging, experiment_id, score_id, result_status, sort, descending)
    return SubjectPage.of(await verdicts.subjects(actor, evaluation_id, wanted))


@router.get("/{evaluation_id}/subjects/{subject_id}")
async def get_evaluation_subject(
    evaluation_id: UUID, subject_id: UUID, verdicts: Verdicts, actor: ResultReader
) -> SubjectOut:
    """One of them."""
    return SubjectOut.of(await verdicts.subject(actor, evaluation_id, subject_id))


@router.put("/{evaluation_id}/subjects/{subject_id}/scores/{score_id}")
async def score_evaluation_subject(  # noqa: PLR0913 - three ids name one result
    evaluation_id: UUID, subject_id: UUID, score_id: UUID, body: VerdictIn, verdicts: Verdicts, actor: Editor
) -> SubjectOut:
    """A person says what it is worth. It takes the place of what a scorer said."""
    verdict = Verdict(body.value, body.label, body.reasoning, subject_id=subject_id)
    await verdicts.give(actor, evaluation_id, {score_id: [verdict]}, Given.PERSON)
    return SubjectOut.of(await verdicts.subject(actor, evaluation_id, subject_id))


@router.post("/{evaluation_id}/scores/{score_id}/import")
async def import_evaluation_results(
    evaluation_id: UUID, score_id: UUID, body: ImportIn, verdicts: Verdicts, actor: Editor
) -> ImportedOut:
    """Takes values that were found elsewhere; all of them, or none."""
    given = [one.verdict() for one in body.results]
    return ImportedOut(imported=len(await verdicts.give(actor, evaluation_id, {score_id: given}, Given.IMPORT)))
