"""What runs are for, by name: their own pages say it, and whoever looks at jobs wants to know."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol
from uuid import UUID

from fastapi import Request

from arcane.access import permissions as p
from arcane.evaluations.wiring import evaluations_of
from arcane.experiments.wiring import experiments_of
from arcane.kit.actor import Actor


class OfARun(Protocol):
    """A run, or a job of one."""

    @property
    def kind(self) -> str:
        """What it is for: an experiment, an evaluation, or what a plugin added."""
        ...

    @property
    def subject_id(self) -> UUID:
        """Which of them."""
        ...


async def run_names(request: Request, actor: Actor, shown: Collection[OfARun]) -> Mapping[UUID, str]:
    """Returns the names of the experiments and evaluations that are there and that the actor may read, by id."""
    found: dict[UUID, str] = {}
    ids = {kind: {one.subject_id for one in shown if one.kind == kind} for kind in ("experiment", "evaluation")}
    if ids["experiment"] and actor.may(p.EXPERIMENTS_READ):
        several = await experiments_of(request).several(actor, ids["experiment"])
        found |= {one.id: one.name for one in several.values()}
    if ids["evaluation"] and actor.may(p.EVALUATIONS_READ):
        found |= await evaluations_of(request).names(actor, ids["evaluation"])
    return found
