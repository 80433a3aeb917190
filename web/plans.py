"""How a question would be asked, in words: the explain panel."""

from __future__ import annotations

from dataclasses import dataclass, replace

from starlette.requests import Request

from arcane.federation.explain import Explanation
from arcane.federation.hints import HintEffect
from arcane.kit.actor import Actor
from arcane.kit.http import deadline_of
from arcane.kit.problems import Problem
from arcane.spi.described import SentRequest
from arcane.traces.measuring import MetricsService
from arcane.traces.problems import MetricsQuery
from arcane.traces.questions import MeasuringSource
from arcane.traces.questions import PlannedSource as Planned
from web.asking import traces_of
from web.i18n import Language
from web.metricsform import MetricsForm
from web.rendering import renderer_of
from web.searchform import SearchForm


@dataclass(frozen=True, slots=True)
class PlannedPart:
    """What a datasource is asked, what is decided here and why, and what it is sent.

    Of a metrics query there is one for each of its functions, with its `query`, and `why` it is measured here.
    """

    pushed: str | None
    residual: str | None
    kept: tuple[Explanation, ...]
    steps: tuple[str, ...]
    requests: tuple[SentRequest, ...]
    query: str | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True)
class PlannedSource:
    """One datasource's part in the answer."""

    name: str
    kind: str
    verdict: str
    tone: str
    parts: tuple[PlannedPart, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole plan, or the problem that keeps it from being made. `steps` make series of what was measured."""

    close: str
    link: str
    canonical: str = ""
    problem: str = ""
    scope: str | None = None
    hints: tuple[HintEffect, ...] = ()
    sources: tuple[PlannedSource, ...] = ()
    steps: tuple[str, ...] = ()
    elsewhere: str = ""
    """Where the query is at home, when it is not here."""


async def plan_of(request: Request, actor: Actor, form: SearchForm, metrics: str) -> Plan:
    """Returns the plan for what `form` asks; nothing is sent to any datasource. `metrics` is the other page's plan."""
    plan = Plan(form.url(), form.url(form.explain))
    if form.window is None:
        return replace(plan, problem=form.problem)
    language = renderer_of(request).language(request)
    try:
        found = await traces_of(request).explain(actor, form.question(), deadline_of(request))
    except MetricsQuery:
        return replace(plan, problem=language.gettext("This query gives time series"), elsewhere=form.url(metrics))
    except Problem as exc:
        return replace(plan, problem=exc.detail)
    sources = tuple(planned_source(one, language) for one in found.sources)
    return replace(plan, canonical=found.canonical, scope=found.scope, hints=found.hints, sources=sources)


async def metrics_plan_of(request: Request, actor: Actor, form: MetricsForm) -> Plan:
    """Returns the plan for the series that `form` asks for; nothing is sent to any datasource."""
    plan = Plan(form.url(), form.explain_url())
    if form.problem or form.ask.window is None:
        return replace(plan, problem=form.problem or form.ask.problem)
    language = renderer_of(request).language(request)
    service: MetricsService = request.app.state.metrics
    try:
        found = await service.explain(actor, form.question(), deadline_of(request))
    except Problem as exc:
        return replace(plan, problem=exc.detail)
    sources = tuple(_measuring_source(one, language) for one in found.sources)
    return replace(
        plan, canonical=found.canonical, scope=found.scope, hints=found.hints, sources=sources, steps=found.steps
    )


def planned_source(plan: Planned, language: Language) -> PlannedSource:
    """Returns one datasource's plan as the page shows it."""
    say = language.gettext
    verdict, tone = say("all asked there"), "ok"
    if plan.residual is not None:
        verdict, tone = (say("part filtered here"), "plain") if plan.pushed else (say("filtered here"), "warn")
    part = PlannedPart(plan.pushed, plan.residual, plan.kept, plan.steps, plan.requests)
    return PlannedSource(plan.name, plan.kind, verdict, tone, (part,))


def _measuring_source(plan: MeasuringSource, language: Language) -> PlannedSource:
    say = language.gettext
    measured = [one.hindrance is None for one in plan.measurements]
    if not measured:
        verdict, tone = say("asked nothing"), "plain"
    elif all(measured):
        verdict, tone = say("measured there"), "ok"
    else:
        verdict, tone = (say("part measured here"), "plain") if any(measured) else (say("measured here"), "warn")
    parts = tuple(
        PlannedPart(one.pushed, one.residual, one.kept, one.steps, one.requests, one.query, one.why)
        for one in plan.measurements
    )
    return PlannedSource(plan.name, plan.kind, verdict, tone, parts)
