"""Scores over HTTP: a project's own, those that every project has, and the scorers there are."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, status

from arcane.access.permissions import SCORES_CREATE, SCORES_DELETE, SCORES_READ, SCORES_UPDATE
from arcane.kit.actor import Actor
from arcane.kit.guard import requires
from arcane.kit.lists import Paging
from arcane.scores.schemas import (
    ScoreIn,
    ScoreModelsIn,
    ScoreModelsOut,
    ScoreOut,
    ScorePage,
    ScorePut,
    ScorerList,
    ScorerOut,
    TrialIn,
    TrialOut,
)
from arcane.scores.service.scores import ScoreService
from arcane.scores.service.trying import ScoreTrials
from arcane.scores.views import Models


def _in_project(project_id: UUID) -> None:
    """The path names the project."""


router = APIRouter(prefix="/projects/{project_id}", tags=["scores"], dependencies=[Depends(_in_project)])


def _service(request: Request) -> ScoreService:
    scores: ScoreService = request.app.state.scores
    return scores


def _trials(request: Request) -> ScoreTrials:
    trials: ScoreTrials = request.app.state.score_trials
    return trials


Trials = Annotated[ScoreTrials, Depends(_trials)]
Scores = Annotated[ScoreService, Depends(_service)]
Reader = Annotated[Actor, requires(SCORES_READ)]
Creator = Annotated[Actor, requires(SCORES_CREATE)]
Editor = Annotated[Actor, requires(SCORES_UPDATE)]
Deleter = Annotated[Actor, requires(SCORES_DELETE)]


@router.get("/scorers")
async def list_scorers(scores: Scores, actor: Reader) -> ScorerList:
    """Every scorer that a worker announced, with the schema of its settings, and the workers that have it now."""
    return ScorerList(items=[ScorerOut.of(one) for one in await scores.kinds(actor)], next=None)


@router.get("/scores")
async def list_scores(scores: Scores, paging: Paging, actor: Reader) -> ScorePage:
    """The project's scores by name, its own first, then those that every project has."""
    page = await scores.page(actor, paging)
    return ScorePage(items=[ScoreOut.of(one) for one in page.items], next=page.next)


@router.post("/scores", status_code=status.HTTP_201_CREATED)
async def create_score(body: ScoreIn, scores: Scores, actor: Creator) -> ScoreOut:
    """Adds a score: what is measured, on which scale, by which scorer or by people."""
    return ScoreOut.of(await scores.create(actor, body.draft()))


@router.post("/scores/try")
async def try_score(body: TrialIn, trials: Trials, actor: Creator) -> TrialOut:
    """What a score that is not stored says of inputs, given by a worker now. Nothing is kept of them."""
    return TrialOut.of(await trials.run(actor, body.score.draft(), body.inputs))


@router.get("/score-models")
async def get_score_models(scores: Scores, actor: Reader) -> ScoreModelsOut:
    """The models that scores are given with where they name none."""
    return ScoreModelsOut.model_validate(await scores.models(actor))


@router.put("/score-models")
async def choose_score_models(body: ScoreModelsIn, scores: Scores, actor: Editor) -> ScoreModelsOut:
    """Chooses the models that scores are given with where they name none."""
    return ScoreModelsOut.model_validate(await scores.choose_models(actor, Models(body.model_id, body.embedding_id)))


@router.get("/scores/{score_id}")
async def get_score(score_id: UUID, scores: Scores, actor: Reader) -> ScoreOut:
    """One score, and what its scorer reads."""
    return ScoreOut.of(await scores.get(actor, score_id))


@router.put("/scores/{score_id}")
async def update_score(score_id: UUID, body: ScorePut, scores: Scores, actor: Editor) -> ScoreOut:
    """Changes a score. Evaluations keep it as it was when they were made."""
    return ScoreOut.of(await scores.update(actor, score_id, body.draft(body.version)))


@router.delete("/scores/{score_id}", status_code=status.HTTP_204_NO_CONTENT)
async def delete_score(score_id: UUID, scores: Scores, actor: Deleter) -> None:
    """Removes a score. What evaluations found with it stays."""
    await scores.delete(actor, score_id)
