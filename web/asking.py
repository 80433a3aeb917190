"""The seam between the pages and the services that answer: questions go in, answers in the model's words come out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from arcane.kit.actor import Actor
from arcane.kit.http import deadline_of
from arcane.model.hit import TraceHit
from arcane.model.outcome import SourceOutcome
from arcane.model.time import TimeRange


@dataclass(frozen=True, slots=True)
class SourceChoice:
    """A datasource that can be asked."""

    id: str
    name: str
    kind: str
    chosen: bool = True


@dataclass(frozen=True, slots=True)
class Question:
    """What a search page asks. No `datasources` means all of them."""

    text: str
    datasources: tuple[str, ...]
    within: TimeRange
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A hit, and the names of the datasources it came from."""

    hit: TraceHit
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """One page of hits, and who answered."""

    found: tuple[Found, ...]
    next: str | None
    sources: tuple[SourceOutcome, ...]
    complete: bool


async def source_choices(request: Request, actor: Actor, chosen: Sequence[str]) -> tuple[SourceChoice, ...]:
    """Returns the datasources of the organisation, in the order to show them."""
    catalog: Any = request.app.state.catalog
    return tuple(
        SourceChoice(str(one.id), one.name, one.kind, not chosen or str(one.id) in chosen)
        for one in await catalog.list(actor)
    )


async def ask(request: Request, actor: Actor, question: Question) -> Answer:
    """Returns the answer to `question`; raises Problem for one that cannot be asked."""
    traces: Any = request.app.state.traces
    answer: Answer = await traces.search(actor, question, deadline_of(request))
    return answer
