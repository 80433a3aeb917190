"""Puts the collaborators of scores together."""

from __future__ import annotations

from starlette.datastructures import State

from arcane.scores.service.scorers import Scorers
from arcane.scores.service.scores import ModelSpecs, ScoreService


def build_scores(state: State, model_specs: ModelSpecs) -> ScoreService:
    """Returns the scores over the collaborators that stand on `state`."""
    scorers = Scorers(state.database, state.workers)
    most = state.settings.limits.scores_per_project
    return ScoreService(state.database, state.audit, state.audit.cursors, scorers, model_specs, most)
