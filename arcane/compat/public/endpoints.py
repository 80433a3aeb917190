"""/api/public: the original product's API for API keys, so that its published clients work unchanged."""

from __future__ import annotations

from fastapi import APIRouter

from arcane.compat.public.datasets import router as datasets
from arcane.compat.public.entities import router as entities
from arcane.compat.public.evaluations import router as evaluations
from arcane.compat.public.experiments import router as experiments
from arcane.compat.public.prompts import router as prompts
from arcane.compat.public.traces import router as traces

PREFIX = "/api/public"

router = APIRouter(prefix=PREFIX)
for part in (traces, datasets, prompts, entities, experiments, evaluations):
    router.include_router(part)
