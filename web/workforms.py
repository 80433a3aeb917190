"""What forms about work over many rows choose from, and how they write pairs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from fastapi import Request

from arcane.access import permissions as p
from arcane.kit.actor import Actor
from arcane.kit.pagination import PageRequest
from arcane.scores.views import ScoreView

MOST = 200
Options = tuple[tuple[str, str], ...]
"""Pairs (id, what it is called)."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What there is in the project, as far as the person may read it; a bounded number of each."""

    datasets: Options = ()
    prompts: Options = ()
    models: Options = ()
    scores: tuple[ScoreView, ...] = ()
    experiments: Options = ()


async def choices_of(request: Request, actor: Actor) -> Choices:
    """Returns what can be chosen."""
    state, first = request.app.state, PageRequest(MOST)
    datasets = await state.datasets.datasets.page(actor, first) if actor.may(p.DATASETS_READ) else None
    prompts = await state.prompts.page(actor, first) if actor.may(p.PROMPTS_READ) else None
    models = await state.models.page(actor, first) if actor.may(p.MODEL_CONFIGURATIONS_READ) else None
    scores = await state.scores.page(actor, first) if actor.may(p.SCORES_READ) else None
    experiments = await state.experiments.page(actor, first) if actor.may(p.EXPERIMENTS_READ) else None
    return Choices(
        datasets=_options(datasets),
        prompts=_options(prompts),
        models=_options(models),
        scores=() if scores is None else tuple(scores.items),
        experiments=_options(experiments),
    )


def _options(page: object) -> Options:
    return () if page is None else tuple((str(one.id), one.name) for one in page.items)  # type: ignore[attr-defined]


async def prompt_version(request: Request, actor: Actor, prompt: str, version: str) -> UUID | None:
    """Returns the id of the version that a form names (the promoted one, or the newest, where it names none)."""
    if not prompt:
        return None
    found: UUID = (await request.app.state.prompts.version(actor, prompt, version.strip())).id
    return found


def lines_of(text: str) -> dict[str, str]:
    """Returns what `name = value` lines say; the first = parts them."""
    pairs = (line.partition("=") for line in text.splitlines() if line.strip())
    return {name.strip(): value.strip() for name, _, value in pairs}


def mappings_of(text: str, scores: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Returns what `score.variable = source` lines say, by the scores' ids; `scores` are ids by name."""
    found: dict[str, dict[str, str]] = {}
    for name, source in lines_of(text).items():
        score, _, variable = name.rpartition(".")
        found.setdefault(scores.get(score.strip(), score.strip()), {})[variable.strip()] = source
    return found
