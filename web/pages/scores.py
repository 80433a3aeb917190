"""Scores: the list, the scorers to choose from, and the form that a scorer's settings make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Annotated, Any, ClassVar
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from arcane.access import permissions as p
from arcane.catalog.form import FormField, form_of_schema
from arcane.kit.actor import Actor
from arcane.kit.guard import requires
from arcane.kit.pagination import PageRequest
from arcane.kit.problems import MalformedInput, NotFound, Problem
from arcane.messaging.scoring import Scale, ScorerInput
from arcane.scores.schemas import ScoreModelsIn, ScorePut
from arcane.scores.service.scores import ScoreService
from arcane.scores.views import KnownScorer, Models, ScoreView, Tried
from web.controls import Groups, Stored, controls_of, given, said_by, version_of
from web.flash import flash
from web.forms import FormState, act, entered, parsed, refused, say_to
from web.frame import SettingsPage, scores_frame
from web.rendering import renderer_of
from web.scoretrials import entered_inputs, read_inputs, stored_body

router = APIRouter(prefix="/o/{organisation}/p/{project}/scores", include_in_schema=False)
PAGE = 100
MODELS = 200
"""Most model configurations to choose from."""
PEOPLE = "people"
_TEXTS = ("name", "description", "acceptable", "tail_below", "lowest", "highest", "model_id", "embedding_id")
Reader = Annotated[Actor, requires(p.SCORES_READ)]
Creator = Annotated[Actor, requires(p.SCORES_CREATE)]
Editor = Annotated[Actor, requires(p.SCORES_UPDATE)]
Deleter = Annotated[Actor, requires(p.SCORES_DELETE)]
Choice = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoresPage(SettingsPage):
    template: ClassVar[str] = "scores/list.html"

    own: tuple[ScoreView, ...]
    built_in: tuple[ScoreView, ...]
    next: str | None
    models: Models
    choices: tuple[Choice, ...]
    form: FormState
    may_create: bool
    may_edit: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ScorersPage(SettingsPage):
    template: ClassVar[str] = "scores/scorers.html"

    groups: tuple[tuple[str, tuple[KnownScorer, ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreFormPage(SettingsPage):
    template: ClassVar[str] = "scores/form.html"

    scorer: KnownScorer | None
    score: ScoreView | None
    groups: Groups
    form: FormState
    texts: Mapping[str, str]
    choices: tuple[Choice, ...]
    scales: tuple[Choice, ...]
    inputs: tuple[ScorerInput, ...]
    tried: Tried | None
    may_save: bool
    may_try: bool
    may_delete: bool


@dataclass(frozen=True, slots=True)
class _Filled:
    """A form as it comes back, with what a trial said."""

    form: FormState = FormState()  # noqa: RUF009 - frozen
    status: int = 200
    tried: Tried | None = None

    @classmethod
    def refused(cls, form: Mapping[str, str], problem: Problem) -> _Filled:
        return cls(refused(form, problem), problem.status)


def _scores(request: Request) -> ScoreService:
    scores: ScoreService = request.app.state.scores
    return scores


@router.get("")
async def show_list(request: Request, actor: Reader, cursor: str | None = None) -> Response:
    return await _list(request, actor, cursor, FormState())


@router.post("/models")
async def choose_models(request: Request, actor: Editor) -> Response:
    form = await entered(request)
    try:
        said = parsed(request, ScoreModelsIn, {name: form.get(name) or None for name in ScoreModelsIn.model_fields})
        await _scores(request).choose_models(actor, Models(said.model_id, said.embedding_id))
    except Problem as problem:
        return await _list(request, actor, None, refused(form, problem), problem.status)
    return _saved(request, _base(request))


@router.get("/new")
async def choose_scorer(request: Request, actor: Creator) -> Response:
    frame = await scores_frame(request, actor)
    kinds = await _scores(request).kinds(actor)
    shown = ScorersPage(
        **{**frame.fields(""), "title": say_to(request, "Add a score")},  # type: ignore[arg-type]
        groups=tuple((name, tuple(found)) for name, found in groupby(kinds, key=lambda one: one.description.group)),
    )
    return renderer_of(request).respond(shown)


@router.get("/new/{key}")
async def new(request: Request, actor: Creator, key: str) -> Response:
    return await _form(request, actor, await _scorer(request, actor, key), None, _Filled())


@router.post("/new/{key}")
async def create(request: Request, actor: Creator, key: str) -> Response:
    scorer, form = await _scorer(request, actor, key), await entered(request)
    try:
        wanted = parsed(request, ScorePut, _body(scorer, form))
        made = await _scores(request).create(actor, wanted.draft())
    except Problem as problem:
        return await _form(request, actor, scorer, None, _Filled.refused(form, problem))
    return _saved(request, f"{_base(request)}/{made.id}")


@router.post("/new/{key}/try")
async def try_new(request: Request, actor: Creator, key: str) -> Response:
    return await _try(request, actor, await _scorer(request, actor, key), None)


@router.post("/{score_id}/try")
async def try_changed(request: Request, actor: Creator, score_id: UUID) -> Response:
    score = await _scores(request).get(actor, score_id)
    return await _try(request, actor, await _scorer_of(request, actor, score), score)


@router.get("/{score_id}")
async def show(request: Request, actor: Reader, score_id: UUID) -> Response:
    score = await _scores(request).get(actor, score_id)
    return await _form(request, actor, await _scorer_of(request, actor, score), score, _Filled())


@router.post("/{score_id}")
async def change(request: Request, actor: Editor, score_id: UUID) -> Response:
    score, form = await _scores(request).get(actor, score_id), await entered(request)
    scorer = await _scorer_of(request, actor, score)
    try:
        wanted = parsed(request, ScorePut, _body(scorer, form) | {"scorer": score.scorer})
        await _scores(request).update(actor, score.id, wanted.draft(version_of(form) or score.version))
    except Problem as problem:
        return await _form(request, actor, scorer, score, _Filled.refused(form, problem))
    return _saved(request, f"{_base(request)}/{score.id}")


@router.post("/{score_id}/delete")
async def delete(request: Request, actor: Deleter, score_id: UUID) -> Response:
    said = say_to(request, "The score is gone. What evaluations found with it is still there.")
    return await act(request, _scores(request).delete(actor, score_id), _base(request), said)


def _base(request: Request) -> str:
    return f"/o/{request.path_params['organisation']}/p/{request.path_params['project']}/scores"


def _saved(request: Request, to: str) -> Response:
    response = RedirectResponse(to, 303)
    flash(request, response, say_to(request, "Saved."))
    return response


async def _list(request: Request, actor: Actor, cursor: str | None, form: FormState, status: int = 200) -> Response:
    page = await _scores(request).page(actor, PageRequest(PAGE, cursor))
    frame = await scores_frame(request, actor)
    shown = ScoresPage(
        **frame.fields(""),  # type: ignore[arg-type]
        own=tuple(one for one in page.items if not one.built_in),
        built_in=tuple(one for one in page.items if one.built_in),
        next=page.next,
        models=await _scores(request).models(actor),
        choices=await _choices(request, actor),
        form=form,
        may_create=actor.may(p.SCORES_CREATE),
        may_edit=actor.may(p.SCORES_UPDATE),
    )
    return renderer_of(request).respond(shown, status=status)


async def _choices(request: Request, actor: Actor) -> tuple[Choice, ...]:
    """The organisation's models to choose from: their names are no secret to whoever works in a project of it."""
    page = await request.app.state.models.page(actor, PageRequest(MODELS))
    return tuple((str(one.id), one.name) for one in page.items)


async def _scorer(request: Request, actor: Actor, key: str) -> KnownScorer | None:
    """The scorer of a new score, None for one that people give."""
    if key == PEOPLE:
        return None
    found = await _known(request, actor, key)
    if found is None:
        raise NotFound("there is no such scorer")
    return found


async def _scorer_of(request: Request, actor: Actor, score: ScoreView) -> KnownScorer | None:
    return None if score.scorer is None else await _known(request, actor, score.scorer)


async def _known(request: Request, actor: Actor, key: str) -> KnownScorer | None:
    kinds = await _scores(request).kinds(actor)
    return next((one for one in kinds if one.description.key == key), None)


async def _try(request: Request, actor: Actor, scorer: KnownScorer | None, score: ScoreView | None) -> Response:
    """The form with what the score would say as it stands there: nothing is stored."""
    form, trials = await entered(request), request.app.state.score_trials
    try:
        body = stored_body(score) if score is not None and score.built_in else _body(scorer, form)
        named = body["name"] or (scorer.description.name if scorer else "")
        wanted = parsed(request, ScorePut, {**body, "name": named})
        inputs = entered_inputs(read_inputs(scorer, wanted.settings), form)
        tried = await trials.run(actor, wanted.draft(), inputs)
    except Problem as problem:
        return await _form(request, actor, scorer, score, _Filled.refused(form, problem))
    return await _form(request, actor, scorer, score, _Filled(FormState(form), tried=tried))


async def _form(
    request: Request, actor: Actor, scorer: KnownScorer | None, score: ScoreView | None, filled: _Filled
) -> Response:
    frame, form = await scores_frame(request, actor), filled.form
    fields = form_of_schema(scorer.description.settings) if scorer else ()
    kind = frame.shell.language.tell(scorer.description.name) if scorer else say_to(request, "Given by people")
    title = score.name if score else kind
    own = score is None or not score.built_in
    page = ScoreFormPage(
        **{**frame.fields(""), "title": title},  # type: ignore[arg-type]
        scorer=scorer,
        score=score,
        groups=controls_of(fields, form, None if score is None else Stored(_defaults(scorer, score))),
        form=form,
        texts=_texts(scorer, score),
        choices=await _choices(request, actor),
        scales=tuple((scale.value, _scale(request, scale)) for scale in Scale),
        inputs=read_inputs(scorer, _said(fields, form, score)),
        tried=filled.tried,
        may_try=scorer is not None and actor.may(p.SCORES_CREATE),
        may_save=own and actor.may(p.SCORES_UPDATE if score else p.SCORES_CREATE),
        may_delete=score is not None and own and actor.may(p.SCORES_DELETE),
    )
    return renderer_of(request).respond(page, status=filled.status)


def _said(fields: tuple[FormField, ...], form: FormState, score: ScoreView | None) -> Mapping[str, Any]:
    """The settings as they stand in the form, which may name other inputs than the stored ones."""
    if form.values and (score is None or not score.built_in):
        return given(said_by(fields, form.values))
    return score.settings if score else {}


def _defaults(scorer: KnownScorer | None, score: ScoreView) -> dict[str, Any]:
    """What is stored, over the defaults of what is not said."""
    declared = scorer.description.settings.get("properties", {}) if scorer else {}
    return {name: one["default"] for name, one in declared.items() if "default" in one} | dict(score.settings)


def _scale(request: Request, scale: Scale) -> str:
    return {
        Scale.NUMERIC: say_to(request, "A number"),
        Scale.ORDINAL: say_to(request, "Labels in order"),
        Scale.NOMINAL: say_to(request, "Labels without order"),
    }[scale]


def _texts(scorer: KnownScorer | None, score: ScoreView | None) -> dict[str, str]:
    """What stands in the form's own fields before somebody types."""
    told = scorer.description if scorer else None
    if score is None:
        labels = told.labels if told else ()
        return dict.fromkeys(_TEXTS, "") | {
            "scale": told.scale.value if told else Scale.NUMERIC.value,
            "labels": "\n".join(f"{one.label}: {one.value:g}" for one in labels),
        }
    ordinal = score.ordinal
    return {
        "name": score.name,
        "description": score.description,
        "scale": score.scale.value,
        "labels": "\n".join(f"{one.label}: {one.value:g}" for one in score.labels),
        "acceptable": "\n".join(ordinal.acceptable_set) if ordinal else "",
        "tail_below": "" if ordinal is None or ordinal.threshold_rank is None else str(ordinal.threshold_rank),
        "lowest": "" if score.lowest is None else f"{score.lowest:g}",
        "highest": "" if score.highest is None else f"{score.highest:g}",
        "model_id": str(score.models.model_id or ""),
        "embedding_id": str(score.models.embedding_id or ""),
    }


def _body(scorer: KnownScorer | None, form: Mapping[str, str]) -> dict[str, Any]:
    """What the form says as the API takes it; raises MalformedInput for labels that cannot be read."""
    scale = form.get("scale", Scale.NUMERIC)
    fields = form_of_schema(scorer.description.settings) if scorer else ()
    body: dict[str, Any] = {
        "name": form.get("name", ""),
        "description": form.get("description", ""),
        "scale": scale,
        "labels": [] if scale == Scale.NUMERIC else _labels(form.get("labels", "")),
        "scorer": scorer.description.key if scorer else None,
        "settings": given(said_by(fields, form)),
    }
    if scale == Scale.NUMERIC:
        body |= {name: form.get(name) or None for name in ("lowest", "highest")}
    if scale == Scale.ORDINAL:
        acceptable = [line.strip() for line in form.get("acceptable", "").splitlines() if line.strip()]
        threshold = form.get("tail_below", "").strip() or None
        if acceptable or threshold is not None:
            body["ordinal"] = {"acceptable_set": acceptable, "threshold_rank": threshold}
    return body | {name: form.get(name) or None for name in ("model_id", "embedding_id")}


def _labels(text: str) -> list[dict[str, Any]]:
    """One label a line, `good: 1`; without a number a label counts as its place, from 0."""
    found = []
    for place, line in enumerate(line.strip() for line in text.splitlines() if line.strip()):
        label, colon, number = line.rpartition(":")
        try:
            found.append({"label": label.strip(), "value": float(number)} if colon else {"label": line, "value": place})
        except ValueError:
            raise MalformedInput(
                "a label is followed by a colon and a number",
                errors=[{"pointer": "#/labels", "detail": f"“{line[:40]}” does not end in a number: write “good: 1”"}],
            ) from None
    return found
