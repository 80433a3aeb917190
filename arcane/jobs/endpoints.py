"""Runs and jobs over HTTP: how far they are, dead letters, and what can be told to them.

An organisation's are those of all its projects, for whoever may read (or manage) jobs in the whole organisation.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request

from arcane.access.permissions import JOBS_MANAGE, JOBS_READ
from arcane.jobs.schemas import Changed, ChosenJobs, JobPage, RunOut, RunPage
from arcane.jobs.service.board import JobBoard, Order
from arcane.jobs.words import JobFilter, RunState, RunView
from arcane.kit.actor import Actor
from arcane.kit.guard import again_of, requires
from arcane.kit.lists import Paging
from arcane.kit.sse import DOCUMENTED, EventStreamResponse, frame, while_allowed


def _in_project(project_id: UUID) -> None:
    """The path names the project."""


def _in_organisation(organisation_id: UUID) -> None:
    """The path names the organisation."""


router = APIRouter(tags=["jobs"])
_project = APIRouter(prefix="/projects/{project_id}", dependencies=[Depends(_in_project)])
_organisation = APIRouter(prefix="/organisations/{organisation_id}", dependencies=[Depends(_in_organisation)])


def _board(request: Request) -> JobBoard:
    board: JobBoard = request.app.state.job_board
    return board


Board = Annotated[JobBoard, Depends(_board)]
Reader = Annotated[Actor, requires(JOBS_READ)]
Manager = Annotated[Actor, requires(JOBS_MANAGE)]


@_project.get("/runs")
@_organisation.get("/runs")
async def list_runs(board: Board, paging: Paging, actor: Reader, state: RunState | None = None) -> RunPage:
    """The runs of the project, or of the organisation's projects, newest first."""
    return RunPage.model_validate(await board.runs(actor, paging, state))


@_project.get("/runs/{run_id}")
@_organisation.get("/runs/{run_id}")
async def get_run(run_id: UUID, board: Board, actor: Reader) -> RunOut:
    """One run, and how far it is."""
    return RunOut.model_validate(await board.run(actor, run_id))


@_project.get("/runs/{run_id}/events", response_class=EventStreamResponse, responses=DOCUMENTED)
async def follow_run(request: Request, run_id: UUID, board: Board, actor: Reader) -> EventStreamResponse:
    """Server-sent events `run`: the run now and whenever it changed, until it has ended.

    `problem` ends them earlier: the run was deleted, or you may not see it any more.
    """
    first = await board.run(actor, run_id)
    return EventStreamResponse(while_allowed(_frames(board, actor, first), again_of(request, JOBS_READ)))


@_project.post("/runs/{run_id}/{order}")
async def tell_run(run_id: UUID, order: Order, board: Board, actor: Manager) -> RunOut:
    """The run pauses, goes on or is cancelled within two seconds; an order that does not apply changes nothing."""
    return RunOut.model_validate(await board.tell(actor, run_id, order))


@_project.post("/runs/{run_id}/jobs/redrive")
@_organisation.post("/runs/{run_id}/jobs/redrive")
async def redrive_jobs(run_id: UUID, body: ChosenJobs, board: Board, actor: Manager) -> Changed:
    """Failed jobs of the run are done again, with all of their tries."""
    return Changed(jobs=await board.redrive(actor, run_id, body.jobs))


@_project.post("/runs/{run_id}/jobs/discard")
@_organisation.post("/runs/{run_id}/jobs/discard")
async def discard_jobs(run_id: UUID, body: ChosenJobs, board: Board, actor: Manager) -> Changed:
    """Dead letters of the run are not listed any more; they stay failed."""
    return Changed(jobs=await board.discard(actor, run_id, body.jobs))


@_project.get("/jobs")
@_organisation.get("/jobs")
async def list_jobs(
    board: Board,
    paging: Paging,
    actor: Reader,
    asked: Annotated[JobFilter, Depends()],
) -> JobPage:
    """The jobs of the project, or of the organisation's projects, newest first.

    `state=failed` are the dead letters, those that were discarded aside.
    """
    return JobPage.model_validate(await board.list(actor, paging, asked))


async def _frames(board: JobBoard, actor: Actor, first: RunView) -> AsyncGenerator[bytes, None]:
    async for run in board.progress(actor, first.id):
        yield frame("run", RunOut.model_validate(run).model_dump_json())


router.include_router(_project)
router.include_router(_organisation)
