"""How a question would be asked, in words: the explain panel."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from arcane.kit.actor import Actor
from arcane.kit.http import deadline_of
from arcane.kit.problems import Problem
from web.asking import traces_of
from web.searchform import SearchForm


@dataclass(frozen=True, slots=True)
class PlannedSource:
    """One datasource: what it is asked, what is decided here, and why."""

    name: str
    kind: str
    pushed: str | None
    residual: str | None
    steps: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole plan, or the problem that keeps it from being made."""

    close: str
    canonical: str = ""
    problem: str = ""
    scope: str | None = None
    sources: tuple[PlannedSource, ...] = ()


async def plan_of(request: Request, actor: Actor, form: SearchForm) -> Plan:
    """Returns the plan for what `form` asks; nothing is sent to any datasource."""
    if form.window is None:
        return Plan(form.url(), problem=form.problem)
    try:
        found = await traces_of(request).explain(actor, form.question(), deadline_of(request))
    except Problem as exc:
        return Plan(form.url(), problem=exc.detail)
    return Plan(
        close=form.url(),
        canonical=found.canonical,
        scope=found.scope,
        sources=tuple(
            PlannedSource(one.name, one.kind, one.pushed, one.residual, one.steps, one.notes) for one in found.sources
        ),
    )
