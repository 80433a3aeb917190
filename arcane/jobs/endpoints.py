"""Runs and jobs over HTTP: how far they are, dead letters, and what can be told to them."""

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
from arcane.kit.guard import requires
from arcane.kit.lists import Paging
from arcane.kit.sse import DOCUMENTED, EventStreamResponse, frame


def _in_project(project_id: UUID) -> None:
    """The path names the project."""


router = APIRouter(tags=["jobs"], prefix="/projects/{project_id}", dependencies=[Depends(_in_project)])


def _board(request: Request) -> JobBoard:
    board: JobBoard = request.app.state.job_board
    return board


Board = Annotated[JobBoard, Depends(_board)]
Reader = Annotated[Actor, requires(JOBS_READ)]
Manager = Annotated[Actor, requires(JOBS_MANAGE)]


@router.get("/runs")
async def list_runs(board: Board, paging: Paging, actor: Reader, state: RunState | None = None) -> RunPage:
    """The project's runs, newest first."""
    return RunPage.model_validate(await board.runs(actor, paging, state))


@router.get("/runs/{run_id}")
async def get_run(run_id: UUID, board: Board, actor: Reader) -> RunOut:
    """One run, and how far it is."""
    return RunOut.model_validate(await board.run(actor, run_id))


@router.get("/runs/{run_id}/events", response_class=EventStreamResponse, responses=DOCUMENTED)
async def follow_run(run_id: UUID, board: Board, actor: Reader) -> EventStreamResponse:
    """Server-sent events `run`: the run now and whenever it changed, until it has ended."""
    first = await board.run(actor, run_id)
    return EventStreamResponse(_frames(board, actor, first))


@router.post("/runs/{run_id}/{order}")
async def tell_run(run_id: UUID, order: Order, board: Board, actor: Manager) -> RunOut:
    """The run pauses, goes on or is cancelled within two seconds; an order that does not apply changes nothing."""
    return RunOut.model_validate(await board.tell(actor, run_id, order))


@router.post("/runs/{run_id}/jobs/redrive")
async def redrive_jobs(run_id: UUID, body: ChosenJobs, board: Board, actor: Manager) -> Changed:
    """Failed jobs of the run are done again, with all of their tries."""
    return Changed(jobs=await board.redrive(actor, run_id, body.jobs))


@router.post("/runs/{run_id}/jobs/discard")
async def discard_jobs(run_id: UUID, body: ChosenJobs, board: Board, actor: Manager) -> Changed:
    """Dead letters of the run are not listed any more; they stay failed."""
    return Changed(jobs=await board.discard(actor, run_id, body.jobs))


@router.get("/jobs")
async def list_jobs(
    board: Board,
    paging: Paging,
    actor: Reader,
    asked: Annotated[JobFilter, Depends()],
) -> JobPage:
    """The project's jobs, newest first. `state=failed` are the dead letters, those that were discarded aside."""
    return JobPage.model_validate(await board.list(actor, paging, asked))


async def _frames(board: JobBoard, actor: Actor, first: RunView) -> AsyncGenerator[bytes, None]:
    async for run in board.progress(actor, first.id):
        yield frame("run", RunOut.model_validate(run).model_dump_json())
