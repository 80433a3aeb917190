"""The figures of an evaluation: each score by itself, and two experiments against each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Request, Response

from arcane.access import permissions as p
from arcane.evaluations.service.figures import ScoreFigures
from arcane.evaluations.wiring import evaluations_of, statistics_of
from arcane.evaluations.words import EvaluationView
from arcane.kit.actor import Actor
from arcane.kit.guard import requires
from web.figures import DrawnComparison, drawn
from web.rendering import Page, renderer_of

router = APIRouter(prefix="/o/{organisation}/p/{project}/evaluations", include_in_schema=False)
ResultReader = Annotated[Actor, requires(p.EVALUATIONS_RESULTS_READ)]
_TWO = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class StatisticsPage(Page):
    template: ClassVar[str] = "evaluations/statistics.html"

    base: str
    evaluation: EvaluationView
    numeric: tuple[ScoreFigures, ...]
    labelled: tuple[ScoreFigures, ...]
    a: UUID | None
    b: UUID | None
    waiting: str
    comparisons: tuple[DrawnComparison, ...]


@router.get("/{evaluation_id}/statistics")
async def show(  # noqa: PLR0913 - what the page can be asked for
    request: Request,
    actor: ResultReader,
    evaluation_id: UUID,
    a: UUID | None = None,
    b: UUID | None = None,
    now: bool = False,
) -> Response:
    """Without a choice, the last experiment is compared with the first one.

    Figures take their time, most of all the first ones, for which a process has to start: the page comes at once and
    asks for them (`now`).
    """
    statistics = statistics_of(request)
    evaluation = await evaluations_of(request).get(actor, evaluation_id)
    ids = [experiment_id for experiment_id, _ in evaluation.experiments]
    if len(ids) >= _TWO:
        a, b = a or ids[0], b or ids[-1]
    found = await statistics.figures(actor, evaluation_id) if now else []
    chosen = (a, b) if now and a is not None and b is not None else None
    compared = await statistics.comparisons(actor, evaluation_id, *chosen) if chosen else []
    renderer = renderer_of(request)
    places = request.path_params
    shown = StatisticsPage(
        shell=await renderer.shell(request, actor, section="evaluations"),
        title=evaluation.name,
        base=f"/o/{places['organisation']}/p/{places['project']}/evaluations",
        evaluation=evaluation,
        numeric=tuple(one for one in found if one.score.scale == "numeric"),
        labelled=tuple(one for one in found if one.score.scale != "numeric"),
        a=a,
        b=b,
        waiting="" if now else f"?{urlencode([*request.query_params.multi_items(), ('now', '1')])}",
        comparisons=tuple(drawn(one) for one in compared),
    )
    return renderer.respond(shown)
