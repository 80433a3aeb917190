"""The search page: a query over one, several or all datasources, newest traces first. Everything is in the URL."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, ClassVar, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from arcane.kit.actor import Actor
from arcane.kit.guard import requires
from arcane.kit.hangup import while_connected
from arcane.kit.http import deadline_of
from arcane.kit.logging import get_logger
from arcane.kit.problems import Problem
from arcane.traces.problems import MetricsQuery
from arcane.traces.pushed import PushedResponse, Say
from arcane.traces.questions import SearchAnswer
from web.arriving import Pieces, Show, Watching
from web.asking import source_choices, traces_of
from web.flash import forget
from web.plans import Plan, plan_of
from web.problemtexts import broken, failure_of, sources_of
from web.rendering import Page, Renderer, renderer_of
from web.results import Failure, Results, failed, leads_of, nothing_asked, results_of
from web.rows import RowContext
from web.searchform import SearchForm, form_of
from web.shell import Shell

log = get_logger("web.search")
router = APIRouter(include_in_schema=False)

PATH: Final = "/o/{organisation}/p/{project}/traces"
_ARRIVING: Final = "<!-- arriving -->"
_OUTLET: Final = "<!-- results -->"
_HTML: Final = "text/html; charset=utf-8"
_PIECES_HEADER: Final = "x-arcane-pieces"
"""A script that puts pieces in their place says so."""
Reader = Annotated[Actor, requires("traces:read")]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPage(Page):
    """`pending` says the results follow in the same answer, at the template's outlet, once they are known."""

    template: ClassVar[str] = "traces/search.html"

    form: SearchForm
    results: Results
    plan: Plan | None = None
    pending: bool = False


@router.get(PATH)
async def search(request: Request, actor: Reader) -> Response:
    renderer = renderer_of(request)
    page = await _page(request, actor)
    if "hx-request" not in request.headers:
        return _streamed(request, actor, renderer, page)

    async def work() -> Response:
        answered = replace(page, results=await _answered(request, actor, page))
        part = "traces/more.html" if page.form.cursor else "traces/results.html"
        return HTMLResponse(renderer.fragment(answered, part))

    if _PIECES_HEADER in request.headers and not page.form.cursor:
        return PushedResponse(partial(_push, _Answering(request, actor, renderer, page)), _HTML)
    return await while_connected(request, work)


@router.get(f"{PATH}/explain")
async def explain(request: Request, actor: Reader) -> Response:
    """How each datasource would be asked, without asking any."""
    renderer = renderer_of(request)
    page = await _page(request, actor)
    metrics = f"{page.shell.place.metrics}/explain" if page.shell.place else ""
    page = replace(page, plan=await plan_of(request, actor, page.form, metrics))
    if "hx-request" in request.headers:
        return HTMLResponse(renderer.fragment(page, "traces/explain.html"))
    return renderer.respond(page)


async def _page(request: Request, actor: Actor) -> SearchPage:
    renderer = renderer_of(request)
    shell = await renderer.shell(request, actor, section="traces")
    choices = await source_choices(request, actor, request.query_params.getlist("source"))
    form = form_of(request, shell, choices, actor, datetime.now(UTC))
    return SearchPage(shell=shell, title=shell.language.gettext("Traces"), form=form, results=nothing_asked(form))


def _streamed(request: Request, actor: Actor, renderer: Renderer, page: SearchPage) -> Response:
    """Sends the frame at once, then rows as they come, then the results; a reader who leaves ends the question."""
    before, _, rest = renderer.html(replace(page, pending=True)).partition(_ARRIVING)
    between, _, after = rest.partition(_OUTLET)
    response = PushedResponse(
        partial(_push, _Answering(request, actor, renderer, page, (before, between, after))), _HTML
    )
    if page.shell.flashes:
        forget(response)
    return response


@dataclass(frozen=True, slots=True)
class _Answering:
    """A page whose results are still to come; `frame` is what stands before, between and behind its two outlets."""

    request: Request
    actor: Actor
    renderer: Renderer
    page: SearchPage
    frame: tuple[str, str, str] = ("", "", "")


async def _push(answering: _Answering, write: Say) -> None:
    before, between, after = answering.frame
    renderer, page = answering.renderer, answering.page

    async def show(pieces: Pieces) -> None:
        await write(renderer.fragment(pieces, pieces.template).encode())

    if before:
        await write(before.encode())
    results = await _answered(answering.request, answering.actor, page, show)
    shown = renderer.fragment(replace(page, results=results), "traces/results.html")
    await write((between + shown + after).encode())


async def _answered(request: Request, actor: Actor, page: SearchPage, show: Show | None = None) -> Results:
    """The results, or what went wrong in words: the frame is already on its way, so nothing is raised."""
    form, shell = page.form, page.shell
    if form.window is None or not form.sources:
        return page.results
    try:
        answer = await _asked(request, actor, page, show)
        most = traces_of(request).limits.search_limit_default
        results = results_of(answer, form, _context(shell, form, answer), form.window, most=most)
        return replace(results, leads=leads_of(form, shell, actor)) if results.rows else results
    except MetricsQuery:
        return failed(form, _measured_elsewhere(form, shell))
    except Problem as exc:
        return failed(form, failure_of(exc, shell), sources_of(exc, shell))
    except Exception as exc:
        log.error("search_page_failed", exc_info=exc)
        return failed(form, broken(request, shell))


async def _asked(request: Request, actor: Actor, page: SearchPage, show: Show | None) -> SearchAnswer:
    """Returns the answer; with `show`, what arrives before it is whole is shown."""
    traces, deadline = traces_of(request), deadline_of(request)
    if show is None:
        return await traces.search(actor, page.form.question(), deadline)
    asked = await traces.ask(actor, page.form.question())
    context = RowContext(page.form.action, page.shell.zone, datetime.now(UTC), 1, page.shell.language)
    async with traces.arriving(asked, deadline) as arriving:
        return await Watching(page, asked, context, show).answer(arriving)


def _context(shell: Shell, form: SearchForm, answer: SearchAnswer) -> RowContext:
    scale = form.scale or max((found.hit.duration for found in answer.found), default=1) or 1
    return RowContext(form.action, shell.zone, datetime.now(UTC), scale, shell.language)


def _measured_elsewhere(form: SearchForm, shell: Shell) -> Failure:
    say = shell.language.gettext
    heading, text = say("This query gives time series"), say("It measures spans, and this page lists traces.")
    return Failure(heading, text, "", retry=False, elsewhere=form.url(shell.place.metrics) if shell.place else "")
