"""How a question would be asked, in words: the explain panel."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from arcane.federation.explain import Explanation
from arcane.kit.actor import Actor
from arcane.kit.http import deadline_of
from arcane.kit.problems import Problem
from arcane.spi.described import SentRequest
from arcane.traces.questions import PlannedSource as Planned
from web.asking import traces_of
from web.i18n import Language
from web.rendering import renderer_of
from web.searchform import SearchForm


@dataclass(frozen=True, slots=True)
class PlannedSource:
    """One datasource: what it is asked, what is decided here and why, and what it is sent."""

    name: str
    kind: str
    verdict: str
    tone: str
    pushed: str | None
    residual: str | None
    kept: tuple[Explanation, ...]
    steps: tuple[str, ...]
    requests: tuple[SentRequest, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole plan, or the problem that keeps it from being made."""

    close: str
    link: str
    canonical: str = ""
    problem: str = ""
    scope: str | None = None
    sources: tuple[PlannedSource, ...] = ()


async def plan_of(request: Request, actor: Actor, form: SearchForm) -> Plan:
    """Returns the plan for what `form` asks; nothing is sent to any datasource."""
    if form.window is None:
        return Plan(form.url(), form.url(form.explain), problem=form.problem)
    try:
        found = await traces_of(request).explain(actor, form.question(), deadline_of(request))
    except Problem as exc:
        return Plan(form.url(), form.url(form.explain), problem=exc.detail)
    language = renderer_of(request).language(request)
    return Plan(
        close=form.url(),
        link=form.url(form.explain),
        canonical=found.canonical,
        scope=found.scope,
        sources=tuple(planned_source(one, language) for one in found.sources),
    )


def planned_source(plan: Planned, language: Language) -> PlannedSource:
    """Returns one datasource's plan as the page shows it."""
    say = language.gettext
    verdict, tone = say("all asked there"), "ok"
    if plan.residual is not None:
        verdict, tone = (say("part filtered here"), "plain") if plan.pushed else (say("filtered here"), "warn")
    return PlannedSource(
        plan.name, plan.kind, verdict, tone, plan.pushed, plan.residual, plan.kept, plan.steps, plan.requests
    )
