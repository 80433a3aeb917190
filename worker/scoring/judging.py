"""One scoring from spec and inputs to a verdict, the same for every scorer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from arcane.messaging.scoring import Scale, ScorerSpec, Verdict
from worker.scoring.errors import ModelNeeded, Undefined
from worker.scoring.inputs import Inputs
from worker.scoring.registry import Registry
from worker.scoring.toolbox import ModelCalls, Toolbox


@dataclass(frozen=True, slots=True)
class Judge:
    """Gives verdicts with the scorers of a registry."""

    registry: Registry

    async def verdict(self, spec: ScorerSpec, values: Mapping[str, Any], models: ModelCalls) -> Verdict:
        """Returns the verdict about `values`; raises ScoringFailed, or what `models` raise."""
        scorer = self.registry.find(spec.key)
        settings = scorer.configured(spec)
        if scorer.description.needs_model and spec.model is None:
            raise ModelNeeded("the score names no model to ask")
        if scorer.description.needs_embeddings and spec.embedding is None:
            raise ModelNeeded("the score names no embedding model")
        inputs = Inputs(values)
        inputs.require(scorer.description.inputs)
        tools = Toolbox(models, spec.labels or scorer.description.labels, spec.scale)
        verdict = await scorer.score(inputs, settings, tools)
        if not math.isfinite(verdict.value):
            raise Undefined("the score is not a finite number")
        label = verdict.label or _label(spec, verdict.value)
        return msgspec.structs.replace(verdict, label=label, usage=tools.usage)


def _label(spec: ScorerSpec, value: float) -> str:
    """The category that a value means: exactly for a nominal score, the highest one reached for an ordinal one."""
    if spec.scale is Scale.NUMERIC or not spec.labels:
        return ""
    if spec.scale is Scale.NOMINAL:
        fitting = [one for one in spec.labels if one.value == value]
    else:
        fitting = sorted((one for one in spec.labels if one.value <= value), key=lambda one: one.value)
    if not fitting:
        raise Undefined(f"none of the score's categories means {value:g}")
    return fitting[-1].label
