"""The metrics page: spans as time series, over one, several or all datasources. Everything is in the URL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, ClassVar, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, StreamingResponse

from arcane.kit.actor import Actor
from arcane.kit.guard import requires
from arcane.kit.hangup import while_connected
from arcane.kit.http import deadline_of
from arcane.kit.logging import get_logger
from arcane.kit.problems import Problem
from arcane.traces.measuring import MetricsService
from web.asking import source_choices
from web.flash import forget
from web.measured import Measured, failed, measured_of, nothing_asked
from web.metricsform import Example, MetricsForm, examples_of, metrics_form_of
from web.plans import Plan, metrics_plan_of
from web.problemtexts import broken, failure_of, sources_of
from web.rendering import Page, Renderer, renderer_of
from web.rows import RowContext

log = get_logger("web.metrics")
router = APIRouter(include_in_schema=False)

PATH: Final = "/o/{organisation}/p/{project}/metrics"
_OUTLET: Final = "<!-- results -->"
Reader = Annotated[Actor, requires("traces:read")]


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsPage(Page):
    """`pending` says that the answer follows at the template's outlet, once it is known."""

    template: ClassVar[str] = "metrics/page.html"

    form: MetricsForm
    results: Measured
    examples: tuple[Example, ...]
    plan: Plan | None = None
    pending: bool = False


@router.get(PATH)
async def metrics(request: Request, actor: Reader) -> Response:
    renderer = renderer_of(request)
    page = await _page(request, actor)
    if "hx-request" not in request.headers:
        return _streamed(request, actor, renderer, page) if page.form.asks else renderer.respond(page)

    async def work() -> Response:
        answered = replace(page, results=await _answered(request, actor, page))
        return HTMLResponse(renderer.fragment(answered, "metrics/results.html"))

    return await while_connected(request, work)


@router.get(f"{PATH}/explain")
async def explain(request: Request, actor: Reader) -> Response:
    """How each datasource would be asked, without asking any."""
    renderer = renderer_of(request)
    page = await _page(request, actor)
    page = replace(page, plan=await metrics_plan_of(request, actor, page.form))
    if "hx-request" in request.headers:
        return HTMLResponse(renderer.fragment(page, "traces/explain.html"))
    return renderer.respond(page)


async def _page(request: Request, actor: Actor) -> MetricsPage:
    renderer = renderer_of(request)
    shell = await renderer.shell(request, actor, section="metrics")
    choices = await source_choices(request, actor, request.query_params.getlist("source"))
    form = metrics_form_of(request, shell, choices, actor, datetime.now(UTC))
    return MetricsPage(
        shell=shell,
        title=shell.language.gettext("Metrics"),
        form=form,
        results=nothing_asked(form),
        examples=examples_of(form, shell.language),
    )


def _streamed(request: Request, actor: Actor, renderer: Renderer, page: MetricsPage) -> Response:
    """Sends the frame at once and the chart when it is there; a reader who leaves ends the question."""
    before, _, after = renderer.html(replace(page, pending=True)).partition(_OUTLET)

    async def parts() -> AsyncIterator[str]:
        yield before
        answered = replace(page, results=await _answered(request, actor, page))
        yield renderer.fragment(answered, "metrics/results.html")
        yield after

    response = StreamingResponse(parts(), media_type="text/html; charset=utf-8", headers={"x-accel-buffering": "no"})
    if page.shell.flashes:
        forget(response)
    return response


async def _answered(request: Request, actor: Actor, page: MetricsPage) -> Measured:
    """The answer, or what went wrong in words: the frame is already on its way, so nothing is raised."""
    form, shell = page.form, page.shell
    if not form.asks:
        return page.results
    service: MetricsService = request.app.state.metrics
    try:
        answer = await service.measure(actor, form.question(), deadline_of(request))
        context = RowContext(form.traces, shell.zone, datetime.now(UTC), 1, shell.language)
        return measured_of(answer, form, context)
    except Problem as exc:
        return failed(form, failure_of(exc, shell), sources_of(exc, shell))
    except Exception as exc:
        log.error("metrics_page_failed", exc_info=exc)
        return failed(form, broken(request, shell))
