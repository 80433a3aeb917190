"""/api/public: the original product's API for API keys, so that its published clients work unchanged."""

from __future__ import annotations

from fastapi import APIRouter

from arcane.compat.public.traces import router as traces

PREFIX = "/api/public"

router = APIRouter(prefix=PREFIX)
router.include_router(traces)
