"""Evaluations for the published clients, in the shapes of the original product."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import ConfigDict, Field
from starlette.responses import Response

from arcane.access.permissions import (
    EVALUATIONS_CREATE,
    EVALUATIONS_READ,
    EVALUATIONS_RESULTS_READ,
    EVALUATIONS_UPDATE,
)
from arcane.compat.public.answering import PublicRoute
from arcane.compat.public.experiments import STATUSES, experiment_id, row_of
from arcane.compat.public.ids import id_of
from arcane.compat.public.judging import ImportedValues, NewEvaluation, NewEvaluationResult, names_of
from arcane.compat.public.paging import pagination
from arcane.compat.public.streaming import every, listed, listed_in
from arcane.datasets.sources import Scope
from arcane.evaluations.problems import BadEvaluation, UnknownEvaluation, UnknownSubject
from arcane.evaluations.wiring import evaluations_of, verdicts_of
from arcane.evaluations.words import EvaluationView, Given, ScoreResultView, ScoreView, SubjectsRequest, SubjectView
from arcane.experiments.wiring import experiments_of
from arcane.experiments.words import ExperimentView, Status
from arcane.kit.actor import Actor
from arcane.kit.guard import key_again_of, key_requires
from arcane.kit.http import json_response
from arcane.kit.pagination import PageRequest
from arcane.kit.schema import Schema

router = APIRouter(prefix="/evaluations", route_class=PublicRoute, include_in_schema=False)

Reader = Annotated[Actor, key_requires(EVALUATIONS_READ)]
Creator = Annotated[Actor, key_requires(EVALUATIONS_CREATE)]
Judge = Annotated[Actor, key_requires(EVALUATIONS_UPDATE)]
ResultReader = Annotated[Actor, key_requires(EVALUATIONS_RESULTS_READ)]

_SCOPES: Final = {Scope.DATASET: "DATASET", Scope.EXPERIMENTS: "EXPERIMENT", Scope.TRACES: "TRACES", Scope.LIVE: "LIVE"}
"""The last two the original did not know."""
_RAGAS: Final = "RAGAS"


class Pending(Schema):
    """Which page of what is still to be said."""

    model_config = ConfigDict(populate_by_name=True)

    page: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    limit: Annotated[int, Field(ge=1, le=1_000)] = 100
    experiment_id: Annotated[UUID | None, Field(alias="experimentId")] = None


@router.get("")
async def list_evaluations(request: Request, actor: Reader) -> Response:
    """Returns the project's evaluations, newest first."""
    return listed(_shown(request, actor), key_again_of(request, EVALUATIONS_READ))


@router.post("", status_code=201)
async def create_evaluation(request: Request, body: NewEvaluation, actor: Creator) -> Response:
    """Returns the new evaluation: workers begin with the scores that have a scorer."""
    made = await evaluations_of(request).create(actor, body.draft())
    return json_response(await _body(request, actor, made), status=201)


@router.get("/{evaluation}")
async def get_evaluation(request: Request, evaluation: str, actor: Reader) -> Response:
    """Returns an evaluation."""
    return json_response(await _body(request, actor, await evaluations_of(request).get(actor, _id(evaluation))))


@router.get("/{evaluation}/experiments/{experiment}/scores")
async def get_experiment_scores(request: Request, evaluation: str, experiment: str, actor: ResultReader) -> Response:
    """Returns all that was said, or is to be, of one experiment's answers."""
    view = await evaluations_of(request).get(actor, _id(evaluation))
    members = {"evaluationId": view.id, "experimentId": _among(view, experiment_id(experiment))}
    said = _said(request, actor, view, members["experimentId"])
    return listed_in(members, "scoreResults", said, key_again_of(request, EVALUATIONS_RESULTS_READ), "totalCount")


@router.post("/{evaluation}/results", status_code=201)
async def create_result(request: Request, evaluation: str, body: NewEvaluationResult, actor: Judge) -> Response:
    """Returns what was judged, with all that is said of it now: each value stands in place of what a scorer said."""
    evaluations, verdicts = evaluations_of(request), verdicts_of(request)
    view = await evaluations.get(actor, _id(evaluation))
    (about, *_) = await verdicts.give(actor, view.id, body.verdicts(), Given.PERSON)
    subject = await verdicts.subject(actor, view.id, about)
    given = {one.score_id for one in body.score_results}
    shown = {
        "id": subject.id,
        "datasetRowId": subject.row_id,
        "datasetRow": None if subject.row_id is None else row_of(view.pinned, subject.row_id, subject.values),
        "experimentResultId": subject.result_id,
        "experimentResult": subject.output,
        "scoreResults": [_result(subject, one) for one in subject.results.values() if one.score_id in given],
        "createdAt": subject.created_at,
    }
    return json_response(shown, status=201)


@router.get("/{evaluation}/scores/{score}/pending-results")
async def list_pending_score_results(
    request: Request, evaluation: str, score: str, pending: Annotated[Pending, Query()], actor: ResultReader
) -> Response:
    """Returns a page of what a score has not said yet."""
    view, score_id = await evaluations_of(request).get(actor, _id(evaluation)), _score_id(score)
    _check_experiment(view, pending.experiment_id)
    wanted = SubjectsRequest(PageRequest(pending.limit), pending.experiment_id, score_id, Status.PENDING)
    subjects, total = await verdicts_of(request).numbered(actor, view.id, wanted, pending.page)
    data = [_result(one, one.results[score_id]) for one in subjects]
    return json_response({"data": data, "pagination": pagination(pending.page, pending.limit, total)})


@router.post("/{evaluation}/scores/{score}/import-results", status_code=201)
async def import_score_results(
    request: Request, evaluation: str, score: str, body: ImportedValues, actor: Judge
) -> Response:
    """Returns how many values were taken: all of them, or it is refused."""
    given = {_score_id(score): body.verdicts()}
    taken = await verdicts_of(request).give(actor, _id(evaluation), given, Given.IMPORT)
    return json_response({"importedCount": len(taken)}, status=201)


def _among(view: EvaluationView, experiment: UUID) -> UUID:
    if experiment not in {one for one, _ in view.experiments}:
        raise UnknownSubject("the evaluation has no such experiment", experiment_id=str(experiment))
    return experiment


def _check_experiment(view: EvaluationView, experiment: UUID | None) -> None:
    if view.scope is Scope.EXPERIMENTS and experiment is None:
        raise BadEvaluation([("#/experimentId", "experimentId says which experiment of the evaluation is meant")])
    if view.scope is not Scope.EXPERIMENTS and experiment is not None:
        raise BadEvaluation([("#/experimentId", "the evaluation is not over experiments: leave experimentId out")])
    if experiment is not None:
        _among(view, experiment)


async def _shown(request: Request, actor: Actor) -> AsyncGenerator[dict[str, Any], None]:
    async with aclosing(every(lambda page: evaluations_of(request).page(actor, page))) as views:
        async for view in views:
            yield await _body(request, actor, view)


async def _body(request: Request, actor: Actor, view: EvaluationView) -> dict[str, Any]:
    ids = [one for one, _ in view.experiments]
    experiments = await experiments_of(request).several(actor, ids) if ids else {}
    return {
        "id": view.id,
        "projectId": actor.project_id,
        "evaluationType": view.mode.upper(),
        "evaluationScope": _SCOPES[view.scope],
        "name": view.name,
        "description": view.description or None,
        "datasetId": view.dataset_id if view.scope is Scope.DATASET else None,
        "metadata": view.metadata or None,
        "scoreMappings": {str(one.score_id): names_of(one.mapping) for one in view.scores if one.mapping},
        "ragasModelConfigurationId": view.model_configuration_id,
        "scores": [_score(one) for one in view.scores],
        "experiments": [_experiment(one, experiments.get(one), view) for one in ids],
        "createdAt": view.created_at,
        "updatedAt": view.finished_at or view.created_at,
    }


def _score(one: ScoreView) -> dict[str, Any]:
    scale = _RAGAS if _is_ragas(one.scorer) else one.scale.upper()
    return {"id": one.score_id, "name": one.name, "description": one.description or None, "scoringType": scale}


def _is_ragas(scorer: str) -> bool:
    """RAGAS metrics are the scorers that go by an id: the one that the original gave them."""
    try:
        return UUID(scorer) is not None
    except ValueError:
        return False


def _experiment(one: UUID, known: ExperimentView | None, view: EvaluationView) -> dict[str, Any]:
    """An experiment that was deleted since is still named."""
    version = None if known is None else known.prompt_version_id
    return {"id": one, "promptVersionId": version, "datasetId": view.dataset_id}


async def _said(
    request: Request, actor: Actor, view: EvaluationView, experiment: UUID
) -> AsyncGenerator[dict[str, Any], None]:
    verdicts = verdicts_of(request)
    pages = every(lambda page: verdicts.subjects(actor, view.id, SubjectsRequest(page, experiment)))
    async with aclosing(pages) as subjects:
        async for subject in subjects:
            for result in _in_order(subject, view):
                yield _result(subject, result)


def _in_order(subject: SubjectView, view: EvaluationView) -> Iterator[ScoreResultView]:
    yield from (subject.results[one.score_id] for one in view.scores if one.score_id in subject.results)


def _result(subject: SubjectView, one: ScoreResultView) -> dict[str, Any]:
    return {
        "id": one.id,
        "scoreId": one.score_id,
        "value": one.value,
        "label": one.label or None,
        "reasoning": one.reasoning or None,
        "status": STATUSES[one.status],
        "error": one.error or None,
        "datasetRowId": subject.row_id,
        "experimentResultId": subject.result_id,
    }


def _id(text: str) -> UUID:
    return id_of(text, UnknownEvaluation("there is no such evaluation"))


def _score_id(text: str) -> UUID:
    return id_of(text, UnknownSubject("the evaluation has no such score"))
