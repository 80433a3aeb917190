"""Jobs of an organisation: those of all its projects by their state, tried again or discarded where they failed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from arcane.access import permissions as p
from arcane.access.service.projects import ProjectService
from arcane.access.tables import Project
from arcane.jobs.service.board import JobBoard
from arcane.jobs.words import JobFilter, JobState, JobView
from arcane.kit.actor import Actor
from arcane.kit.guard import requires
from arcane.kit.pagination import PageRequest
from web.forms import act, say_to
from web.frame import SettingsPage, organisation_frame
from web.pages.jobs import chosen_jobs, job_states
from web.rendering import renderer_of

router = APIRouter(prefix="/o/{organisation}/settings/jobs", include_in_schema=False)
PAGE = 50
PROJECTS = 200
"""Most projects whose jobs are shown by name; the others' lead nowhere."""
Reader = Annotated[Actor, requires(p.JOBS_READ)]
Manager = Annotated[Actor, requires(p.JOBS_MANAGE)]
Cursor = Annotated[str | None, Query(max_length=2048)]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobsPage(SettingsPage):
    template: ClassVar[str] = "jobs/organisation.html"

    organisation: str
    jobs: tuple[JobView, ...]
    projects: dict[UUID, Project]
    state: JobState
    states: tuple[tuple[JobState, str], ...]
    may_manage: bool
    more: str


def _board(request: Request) -> JobBoard:
    board: JobBoard = request.app.state.job_board
    return board


@router.get("")
async def show_jobs(
    request: Request, actor: Reader, state: JobState = JobState.FAILED, cursor: Cursor = None
) -> Response:
    found = await _board(request).list(actor, PageRequest(PAGE, cursor), JobFilter(state))
    service: ProjectService = request.app.state.projects
    projects = await service.page(actor, PageRequest(PROJECTS))
    frame = await organisation_frame(request, actor)
    page = JobsPage(
        **frame.fields("jobs"),  # type: ignore[arg-type]
        organisation=request.path_params["organisation"],
        jobs=found.items,
        projects={project.id: project for project in projects.items},
        state=state,
        states=job_states(request),
        may_manage=actor.may(p.JOBS_MANAGE),
        more="" if found.next is None else "?" + urlencode({"cursor": found.next, "state": state.value}),
    )
    return renderer_of(request).respond(page)


@router.post("/{run_id}/redrive")
async def redrive(request: Request, actor: Manager, run_id: UUID) -> Response:
    work = _board(request).redrive(actor, run_id, await chosen_jobs(request))
    return await act(request, work, _here(request), say_to(request, "Tried again."))


@router.post("/{run_id}/discard")
async def discard(request: Request, actor: Manager, run_id: UUID) -> Response:
    work = _board(request).discard(actor, run_id, await chosen_jobs(request))
    return await act(request, work, _here(request), say_to(request, "Discarded."))


def _here(request: Request) -> str:
    return f"/o/{request.path_params['organisation']}/settings/jobs"
