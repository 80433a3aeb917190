"""Evaluations: the list, a new one, and one with what was said; people score here, too."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, ClassVar
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from arcane.access import permissions as p
from arcane.datasets.sources import Scope
from arcane.evaluations.schemas import EvaluationIn
from arcane.evaluations.wiring import evaluations_of, verdicts_of
from arcane.evaluations.words import (
    Estimate,
    EvaluationView,
    Given,
    ScoreView,
    State,
    SubjectsRequest,
    SubjectView,
    Summary,
    Verdict,
)
from arcane.experiments.words import Status
from arcane.kit.actor import Actor
from arcane.kit.guard import requires
from arcane.kit.pagination import PageRequest
from arcane.kit.problems import Problem
from web.flash import flash
from web.forms import FormState, act, entered, parsed, refused, say_to
from web.rendering import Page, renderer_of
from web.steering import steered
from web.workforms import Choices, choices_of, mappings_of

router = APIRouter(prefix="/o/{organisation}/p/{project}/evaluations", include_in_schema=False)
PAGE, SUBJECTS = 50, 50
_DAY = timedelta(days=1)
Reader = Annotated[Actor, requires(p.EVALUATIONS_READ)]
ResultReader = Annotated[Actor, requires(p.EVALUATIONS_RESULTS_READ)]
Creator = Annotated[Actor, requires(p.EVALUATIONS_CREATE)]
Editor = Annotated[Actor, requires(p.EVALUATIONS_UPDATE)]
Deleter = Annotated[Actor, requires(p.EVALUATIONS_DELETE)]
Runner = Annotated[Actor, requires(p.EVALUATIONS_RERUN)]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationsPage(Page):
    template: ClassVar[str] = "evaluations/list.html"

    base: str
    evaluations: tuple[EvaluationView, ...]
    next: str | None
    may_create: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvaluationPage(Page):
    template: ClassVar[str] = "evaluations/new.html"

    base: str
    api: str
    form: FormState
    choices: Choices
    chosen_scores: frozenset[str]
    chosen_experiments: frozenset[str]
    estimate: Estimate | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationPage(Page):
    template: ClassVar[str] = "evaluations/detail.html"

    base: str
    evaluation: EvaluationView
    awaits_people: bool
    summaries: tuple[tuple[ScoreView, str, Summary], ...]
    subjects: tuple[SubjectView, ...]
    next: str | None
    chosen: SubjectView | None
    following: UUID | None
    status: str
    sort: str
    may_run: bool
    may_score: bool
    may_delete: bool


def _base(request: Request) -> str:
    places = request.path_params
    return f"/o/{places['organisation']}/p/{places['project']}/evaluations"


@router.get("")
async def show_list(request: Request, actor: Reader, cursor: str | None = None) -> Response:
    page = await evaluations_of(request).page(actor, PageRequest(PAGE, cursor))
    renderer = renderer_of(request)
    shown = EvaluationsPage(
        shell=await renderer.shell(request, actor, section="evaluations"),
        title=say_to(request, "Evaluations"),
        base=_base(request),
        evaluations=page.items,
        next=page.next,
        may_create=actor.may(p.EVALUATIONS_CREATE),
    )
    return renderer.respond(shown)


@router.get("/new")
async def new(request: Request, actor: Creator) -> Response:
    """A form that begins with what the address says: a dataset, an experiment, or a query (`q`)."""
    asked = request.query_params
    scope = "traces" if "q" in asked else "experiments" if "experiment" in asked else "dataset"
    present = datetime.now(UTC).replace(microsecond=0)
    values = {
        "scope": scope,
        "dataset_id": asked.get("dataset", ""),
        "experiment_ids": asked.get("experiment", ""),
        "query": asked.get("q", ""),
        "start": asked.get("start") or (present - _DAY).isoformat(),
        "end": asked.get("end") or present.isoformat(),
    }
    return await _form(request, actor, FormState(values))


@router.post("/new")
async def create(request: Request, actor: Creator) -> Response:
    sent = await request.form()
    form = await entered(request)
    form["score_ids"] = ",".join(str(one) for one in sent.getlist("score_ids"))
    form["experiment_ids"] = ",".join(str(one) for one in sent.getlist("experiment_ids"))
    try:
        choices = await choices_of(request, actor)
        draft = parsed(request, EvaluationIn, _given(form, choices)).draft()
        if "estimate" in form:
            estimate = await evaluations_of(request).estimate(actor, draft)
            return await _form(request, actor, FormState(form), estimate=estimate)
        made = await evaluations_of(request).create(actor, draft)
    except Problem as problem:
        return await _form(request, actor, refused(form, problem), status=problem.status)
    return RedirectResponse(f"{_base(request)}/{made.id}", 303)


def _given(form: dict[str, str], choices: Choices) -> dict[str, Any]:
    """Returns what the API would be sent: of the scopes' fields, those of the chosen one."""
    scope = form.get("scope", "")
    ids = {score.name: str(score.id) for score in choices.scores}
    given: dict[str, Any] = {
        "name": form.get("name", ""),
        "mode": form.get("mode") or "automatic",
        "scope": scope,
        "score_ids": _list(form["score_ids"]),
        "mappings": mappings_of(form.get("mappings", ""), ids),
        "budget_usd": form.get("budget_usd") or None,
        "capture": "capture" in form,
    }
    if scope == "dataset":
        given |= {"dataset_id": form.get("dataset_id", ""), "dataset_version": form.get("dataset_version") or None}
        given["split"] = form.get("split") or None
    elif scope == "experiments":
        given["experiment_ids"] = _list(form["experiment_ids"])
    else:
        given["search"] = {
            "query": form.get("query", ""),
            "start": form.get("start") or None,
            "end": (form.get("end") or None) if scope == "traces" else None,
            "limit": form.get("limit") or 100,
            "unit": form.get("unit") or "trace",
            "sample": form.get("sample") or 1,
        }
    return given


@router.get("/{evaluation_id}")
async def show(  # noqa: PLR0913 - what the page can be asked for
    request: Request,
    actor: ResultReader,
    evaluation_id: UUID,
    status: str = "",
    sort: str = "",
    subject: UUID | None = None,
    cursor: str | None = None,
) -> Response:
    """One evaluation: how far it is, how its scores turned out, what is judged, and one of that beside."""
    evaluation = await evaluations_of(request).get(actor, evaluation_id)
    verdicts = verdicts_of(request)
    found = next((one.score_id for one in evaluation.scores if str(one.score_id) == sort.lstrip("-")), None)
    state = next((one for one in Status if one == status), None)
    wanted = SubjectsRequest(PageRequest(SUBJECTS, cursor), None, None, state, found, sort.startswith("-"))
    page = await verdicts.subjects(actor, evaluation_id, wanted)
    chosen = None if subject is None else await verdicts.subject(actor, evaluation_id, subject)
    summaries = await verdicts.summaries(actor, evaluation_id)
    renderer = renderer_of(request)
    shown = EvaluationPage(
        shell=await renderer.shell(request, actor, section="evaluations"),
        title=evaluation.name,
        base=_base(request),
        evaluation=evaluation,
        awaits_people=_awaits_people(evaluation, summaries),
        summaries=_summed(evaluation, summaries),
        subjects=page.items,
        next=page.next,
        chosen=chosen,
        following=_after(page.items, subject),
        status=status,
        sort=sort,
        may_run=actor.may(p.EVALUATIONS_RERUN),
        may_score=actor.may(p.EVALUATIONS_UPDATE),
        may_delete=actor.may(p.EVALUATIONS_DELETE),
    )
    return renderer.respond(shown)


@router.post("/{evaluation_id}/score")
async def score(request: Request, actor: Editor, evaluation_id: UUID) -> Response:
    """A person says what a subject is worth, and is taken to the next one."""
    form = await entered(request)
    here = f"{_base(request)}/{evaluation_id}"
    response = RedirectResponse(f"{here}?subject={form.get('next') or form.get('subject_id', '')}", 303)
    try:
        subject_id, score_id = UUID(form.get("subject_id", "")), UUID(form.get("score_id", ""))
        value = float(form["value"]) if form.get("value") else None
    except ValueError:
        flash(request, response, say_to(request, "A score is a number, or one of its labels."), "error")
        return response
    given = Verdict(value, form.get("label", ""), form.get("reasoning", "")[:20_000], subject_id=subject_id)
    try:
        await verdicts_of(request).give(actor, evaluation_id, {score_id: [given]}, Given.PERSON)
    except Problem as problem:
        if problem.status == 404:
            raise
        response = RedirectResponse(f"{here}?subject={subject_id}", 303)
        flash(request, response, problem.detail, "error")
    return response


@router.post("/{evaluation_id}/finish")
async def finish(request: Request, actor: Editor, evaluation_id: UUID) -> Response:
    """Nothing more is said."""
    to, said = f"{_base(request)}/{evaluation_id}", say_to(request, "The evaluation is done.")
    return await act(request, evaluations_of(request).finish(actor, evaluation_id), to, said)


@router.post("/{evaluation_id}/{what}")
async def steer(request: Request, actor: Runner, evaluation_id: UUID) -> Response:
    """Cancels, pauses, resumes or reruns."""
    to = f"{_base(request)}/{evaluation_id}"
    return await steered(request, actor, evaluations_of(request), evaluation_id, to)


@router.post("/{evaluation_id}/delete/confirmed")
async def delete(request: Request, actor: Deleter, evaluation_id: UUID) -> Response:
    said = say_to(request, "The evaluation is gone.")
    return await act(request, evaluations_of(request).delete(actor, evaluation_id), _base(request), said)


async def _form(
    request: Request, actor: Actor, form: FormState, *, status: int = 200, estimate: Estimate | None = None
) -> Response:
    renderer = renderer_of(request)
    shown = NewEvaluationPage(
        shell=await renderer.shell(request, actor, section="evaluations"),
        title=say_to(request, "New evaluation"),
        base=_base(request),
        api=f"/api/v1/projects/{actor.project_id}",
        form=form,
        choices=await choices_of(request, actor),
        chosen_scores=frozenset(_list(form.value("score_ids"))),
        chosen_experiments=frozenset(_list(form.value("experiment_ids"))),
        estimate=estimate,
    )
    return renderer.respond(shown, status=status)


def _list(text: str) -> list[str]:
    return [one for one in text.split(",") if one]


def _summed(evaluation: EvaluationView, summaries: list[Summary]) -> tuple[tuple[ScoreView, str, Summary], ...]:
    """Every score in its order, for each experiment where there are any, with that one's name; labels in theirs."""
    names = dict(evaluation.experiments)
    return tuple(
        (score, names.get(summary.experiment_id, "") if summary.experiment_id else "", _in_order(score, summary))
        for score in evaluation.scores
        for summary in summaries
        if summary.score_id == score.score_id
    )


def _awaits_people(evaluation: EvaluationView, summaries: list[Summary]) -> bool:
    """True when scorers have said all they have to say, and people have not."""
    if evaluation.state is not State.RUNNING or evaluation.scope is Scope.LIVE:
        return False
    automatic = {score.score_id for score in evaluation.scores if score.automatic}
    return all(one.done + one.failed >= one.total for one in summaries if one.score_id in automatic)


def _in_order(score: ScoreView, summary: Summary) -> Summary:
    known = [label for label, _ in score.labels if label in summary.labels]
    return replace(summary, labels={label: summary.labels[label] for label in (*known, *summary.labels)})


def _after(subjects: tuple[SubjectView, ...], subject: UUID | None) -> UUID | None:
    ids = [one.id for one in subjects]
    at = ids.index(subject) if subject in ids else -1
    return ids[at + 1] if 0 <= at < len(ids) - 1 else None
