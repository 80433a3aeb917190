"""The /api/v1 router: every slice's endpoints, and what belongs to no slice."""

from __future__ import annotations

from fastapi import APIRouter

from arcane.access.endpoints import router as access
from arcane.audit.endpoints import router as audit
from arcane.catalog.endpoints import router as catalog
from arcane.traces.endpoints import router as traces
from arcane.workers.endpoints import internal_router
from arcane.workers.endpoints import router as workers


def api_router() -> APIRouter:
    """Returns all of /api/v1, and the paths under which workers speak with the backend."""
    router = APIRouter(prefix="/api/v1")
    for part in (access, audit, catalog, traces, workers):
        router.include_router(part)
    whole = APIRouter()
    whole.include_router(router)
    whole.include_router(internal_router)
    return whole
