"""Experiments: the list, a new one, one with its results, and several side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from arcane.access import permissions as p
from arcane.experiments.schemas import ExperimentIn, differences_of
from arcane.experiments.wiring import experiments_of, results_of
from arcane.experiments.words import ExperimentView, ResultsRequest, ResultView, Sort, Status
from arcane.kit.actor import Actor
from arcane.kit.guard import requires
from arcane.kit.pagination import PageRequest
from arcane.kit.problems import Problem
from web.flash import flash
from web.forms import FormState, act, entered, parsed, refused, say_to
from web.rendering import Page, renderer_of
from web.steering import steered
from web.workforms import Choices, choices_of, lines_of, prompt_version

router = APIRouter(prefix="/o/{organisation}/p/{project}/experiments", include_in_schema=False)
PAGE, RESULTS, SIDES, COMPARED_MAX = 50, 50, 20, 6
Reader = Annotated[Actor, requires(p.EXPERIMENTS_READ)]
Creator = Annotated[Actor, requires(p.EXPERIMENTS_CREATE)]
Editor = Annotated[Actor, requires(p.EXPERIMENTS_UPDATE)]
Deleter = Annotated[Actor, requires(p.EXPERIMENTS_DELETE)]
Runner = Annotated[Actor, requires(p.EXPERIMENTS_RERUN)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentsPage(Page):
    template: ClassVar[str] = "experiments/list.html"

    base: str
    experiments: tuple[ExperimentView, ...]
    next: str | None
    may_create: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NewExperimentPage(Page):
    template: ClassVar[str] = "experiments/new.html"

    base: str
    form: FormState
    choices: Choices


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentPage(Page):
    template: ClassVar[str] = "experiments/detail.html"

    base: str
    experiment: ExperimentView
    columns: tuple[str, ...]
    results: tuple[ResultView, ...]
    next: str | None
    chosen: ResultView | None
    status: str
    search: str
    sort: str
    may_run: bool
    may_report: bool
    may_delete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SideBySidePage(Page):
    template: ClassVar[str] = "experiments/compare.html"

    base: str
    experiments: tuple[ExperimentView, ...]
    rows: tuple[tuple[Any, list[Any]], ...]
    next: str | None


def _base(request: Request) -> str:
    places = request.path_params
    return f"/o/{places['organisation']}/p/{places['project']}/experiments"


@router.get("")
async def show_list(request: Request, actor: Reader, cursor: str | None = None) -> Response:
    page = await experiments_of(request).page(actor, PageRequest(PAGE, cursor))
    renderer = renderer_of(request)
    shown = ExperimentsPage(
        shell=await renderer.shell(request, actor, section="experiments"),
        title=say_to(request, "Experiments"),
        base=_base(request),
        experiments=page.items,
        next=page.next,
        may_create=actor.may(p.EXPERIMENTS_CREATE),
    )
    return renderer.respond(shown)


@router.get("/new")
async def new(request: Request, actor: Creator, dataset: str = "", prompt: str = "") -> Response:
    return await _form(request, actor, FormState({"dataset_id": dataset, "prompt": prompt}))


@router.post("/new")
async def create(request: Request, actor: Creator) -> Response:
    form = await entered(request)
    try:
        version = await prompt_version(request, actor, form.get("prompt", ""), form.get("prompt_version", ""))
        given = {
            "name": form.get("name", ""),
            "description": form.get("description", ""),
            "dataset_id": form.get("dataset_id", ""),
            "dataset_version": form.get("dataset_version") or None,
            "split": form.get("split") or None,
            "prompt_version_id": version,
            "model_configuration_id": form.get("model_configuration_id") or None,
            "mapping": lines_of(form.get("mapping", "")),
        }
        made = await experiments_of(request).create(actor, parsed(request, ExperimentIn, given).draft())
    except Problem as problem:
        return await _form(request, actor, refused(form, problem), problem.status)
    return RedirectResponse(f"{_base(request)}/{made.id}", 303)


@router.get("/compare")
async def compare(
    request: Request,
    actor: Reader,
    e: Annotated[list[UUID], Query(max_length=COMPARED_MAX)],
    cursor: str | None = None,
) -> Response:
    if len(set(e)) < 2:
        response = RedirectResponse(_base(request), 303)
        flash(request, response, say_to(request, "Choose two experiments or more to compare."), "error")
        return response
    try:
        found = await results_of(request).compare(actor, e, PageRequest(SIDES, cursor))
    except Problem as problem:
        if problem.status == 404:
            raise
        response = RedirectResponse(_base(request), 303)
        flash(request, response, problem.detail, "error")
        return response
    renderer = renderer_of(request)
    again = urlencode([("e", str(one)) for one in e])
    shown = SideBySidePage(
        shell=await renderer.shell(request, actor, section="experiments"),
        title=say_to(request, "Side by side"),
        base=_base(request),
        experiments=found.experiments,
        rows=tuple((side, differences_of(side)) for side in found.rows.items),
        next=f"{_base(request)}/compare?{again}&cursor={found.rows.next}" if found.rows.next else None,
    )
    return renderer.respond(shown)


@router.get("/{experiment_id}")
async def show(  # noqa: PLR0913 - what the page can be asked for
    request: Request,
    actor: Reader,
    experiment_id: UUID,
    status: str = "",
    q: str = "",
    sort: str = "ordinal",
    result: UUID | None = None,
    cursor: str | None = None,
) -> Response:
    """One experiment: how far it is, its results, and one of them beside."""
    experiment = await experiments_of(request).get(actor, experiment_id)
    order = next((one for one in Sort if one == sort.removeprefix("-")), Sort.ORDINAL)
    wanted = ResultsRequest(
        PageRequest(RESULTS, cursor),
        next((one for one in Status if one == status), None),
        q[:500],
        order,
        sort.startswith("-"),
    )
    page = await results_of(request).page(actor, experiment_id, wanted)
    chosen = None if result is None else await results_of(request).get(actor, experiment_id, result)
    renderer = renderer_of(request)
    shown = ExperimentPage(
        shell=await renderer.shell(request, actor, section="experiments"),
        title=experiment.name,
        base=_base(request),
        experiment=experiment,
        columns=tuple(column["name"] for column in experiment.pinned["dataset"]["columns"])[:3],
        results=page.items,
        next=page.next,
        chosen=chosen,
        status=status,
        search=q,
        sort=sort,
        may_run=actor.may(p.EXPERIMENTS_RERUN),
        may_report=actor.may(p.EXPERIMENTS_UPDATE),
        may_delete=actor.may(p.EXPERIMENTS_DELETE),
    )
    return renderer.respond(shown)


@router.post("/{experiment_id}/finish")
async def finish(request: Request, actor: Editor, experiment_id: UUID) -> Response:
    """No more answers come."""
    to, said = f"{_base(request)}/{experiment_id}", say_to(request, "The experiment is done.")
    return await act(request, experiments_of(request).finish(actor, experiment_id), to, said)


@router.post("/{experiment_id}/{what}")
async def steer(request: Request, actor: Runner, experiment_id: UUID) -> Response:
    """Cancels, pauses, resumes or reruns."""
    to = f"{_base(request)}/{experiment_id}"
    return await steered(request, actor, experiments_of(request), experiment_id, to)


@router.post("/{experiment_id}/delete/confirmed")
async def delete(request: Request, actor: Deleter, experiment_id: UUID) -> Response:
    said = say_to(request, "The experiment is gone.")
    return await act(request, experiments_of(request).delete(actor, experiment_id), _base(request), said)


async def _form(request: Request, actor: Actor, form: FormState, status: int = 200) -> Response:
    renderer = renderer_of(request)
    shown = NewExperimentPage(
        shell=await renderer.shell(request, actor, section="experiments"),
        title=say_to(request, "New experiment"),
        base=_base(request),
        form=form,
        choices=await choices_of(request, actor),
    )
    return renderer.respond(shown, status=status)
