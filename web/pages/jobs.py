"""Jobs of a project: runs with their progress, and the jobs of one run with the history of their errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from arcane.access import permissions as p
from arcane.jobs.schemas import ChosenJobs
from arcane.jobs.service.board import JobBoard, Order
from arcane.jobs.words import JobFilter, JobState, JobView, RunView
from arcane.kit.actor import Actor
from arcane.kit.guard import requires
from arcane.kit.pagination import PageRequest
from web.forms import act, entered, parsed, say_to
from web.frame import Frame, SettingsPage, jobs_frame
from web.rendering import renderer_of
from web.runnames import run_names

router = APIRouter(prefix="/o/{organisation}/p/{project}/jobs", include_in_schema=False)
PAGE = 50
Reader = Annotated[Actor, requires(p.JOBS_READ)]
Manager = Annotated[Actor, requires(p.JOBS_MANAGE)]
Cursor = Annotated[str | None, Query(max_length=2048)]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsPage(SettingsPage):
    template: ClassVar[str] = "jobs/runs.html"

    runs: tuple[RunView, ...]
    names: Mapping[UUID, str]
    going_on: bool
    more: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLettersPage(SettingsPage):
    template: ClassVar[str] = "jobs/dead_letters.html"

    jobs: tuple[JobView, ...]
    names: Mapping[UUID, str]
    may_manage: bool
    more: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPage(SettingsPage):
    template: ClassVar[str] = "jobs/run.html"

    run: RunView
    names: Mapping[UUID, str]
    subject: str
    jobs: tuple[JobView, ...]
    state: JobState | None
    states: tuple[tuple[JobState, str], ...]
    may_manage: bool
    more: str


def _board(request: Request) -> JobBoard:
    board: JobBoard = request.app.state.job_board
    return board


@router.get("")
async def show_runs(request: Request, actor: Reader, cursor: Cursor = None) -> Response:
    found = await _board(request).runs(actor, PageRequest(PAGE, cursor))
    frame = await jobs_frame(request, actor)
    page = RunsPage(
        **frame.fields("runs"),  # type: ignore[arg-type]
        runs=found.items,
        names=await run_names(request, actor, found.items),
        going_on=any(run.open for run in found.items),
        more=_more(found.next),
    )
    return renderer_of(request).respond(page)


@router.get("/dead-letters")
async def show_dead_letters(request: Request, actor: Reader, cursor: Cursor = None) -> Response:
    found = await _board(request).list(actor, PageRequest(PAGE, cursor), JobFilter(JobState.FAILED))
    frame = await jobs_frame(request, actor)
    page = DeadLettersPage(
        **frame.fields("dead"),  # type: ignore[arg-type]
        jobs=found.items,
        names=await run_names(request, actor, found.items),
        may_manage=actor.may(p.JOBS_MANAGE),
        more=_more(found.next),
    )
    return renderer_of(request).respond(page)


@router.get("/{run_id}")
async def show_run(
    request: Request, actor: Reader, run_id: UUID, state: JobState | None = None, cursor: Cursor = None
) -> Response:
    board = _board(request)
    run = await board.run(actor, run_id)
    found = await board.list(actor, PageRequest(PAGE, cursor), JobFilter(state, run_id))
    frame: Frame = await jobs_frame(request, actor)
    names = await run_names(request, actor, [run])
    name = names.get(run.subject_id)
    title = say_to(request, "Run of %(name)s") % {"name": name} if name else say_to(request, "Run")
    page = RunPage(
        **{**frame.fields("runs"), "title": title},  # type: ignore[arg-type]
        run=run,
        names=names,
        subject=_subject(request, run),
        jobs=found.items,
        state=state,
        states=job_states(request),
        may_manage=actor.may(p.JOBS_MANAGE),
        more=_more(found.next, state=state),
    )
    return renderer_of(request).respond(page)


@router.post("/{run_id}/redrive")
async def redrive(request: Request, actor: Manager, run_id: UUID) -> Response:
    chosen = await chosen_jobs(request)
    work = _board(request).redrive(actor, run_id, chosen)
    return await act(request, work, _back(request, run_id, chosen), say_to(request, "Tried again."))


@router.post("/{run_id}/discard")
async def discard(request: Request, actor: Manager, run_id: UUID) -> Response:
    chosen = await chosen_jobs(request)
    work = _board(request).discard(actor, run_id, chosen)
    return await act(request, work, _back(request, run_id, chosen), say_to(request, "Discarded."))


@router.post("/{run_id}/{order}")
async def tell(request: Request, actor: Manager, run_id: UUID, order: Order) -> Response:
    said = {
        "pause": say_to(request, "Paused: no further job begins."),
        "resume": say_to(request, "The run goes on."),
        "cancel": say_to(request, "Cancelled."),
    }[order]
    return await act(request, _board(request).tell(actor, run_id, order), _back(request, run_id, None), said)


def _subject(request: Request, run: RunView) -> str:
    """Returns the page of what the run is for; empty for a kind without one."""
    if run.kind not in ("experiment", "evaluation"):
        return ""
    return f"{request.url.path.partition('/jobs/')[0]}/{run.kind}s/{run.subject_id}"


async def chosen_jobs(request: Request) -> list[UUID] | None:
    """Returns the job that the form is about; None for all of the run's."""
    job = (await entered(request)).get("job")
    return parsed(request, ChosenJobs, {"jobs": [job] if job else None}).jobs


def _back(request: Request, run_id: UUID, chosen: list[UUID] | None) -> str:
    """Returns where one came from: the dead letters, where one of them was meant, else the run."""
    here = request.url.path.partition("/jobs/")[0] + "/jobs"
    return f"{here}/dead-letters" if chosen else f"{here}/{run_id}"


def _more(cursor: str | None, *, state: JobState | None = None) -> str:
    if cursor is None:
        return ""
    return "?" + urlencode({"cursor": cursor} | ({"state": state.value} if state else {}))


def job_states(request: Request) -> tuple[tuple[JobState, str], ...]:
    """Returns the states that jobs are listed by, in words."""
    return (
        (JobState.WAITING, say_to(request, "waiting")),
        (JobState.RUNNING, say_to(request, "running")),
        (JobState.HELD, say_to(request, "held")),
        (JobState.DONE, say_to(request, "done")),
        (JobState.FAILED, say_to(request, "failed")),
        (JobState.CANCELLED, say_to(request, "cancelled")),
    )
