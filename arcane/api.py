"""The /api/v1 routes: every slice's endpoints, and what belongs to no slice."""

from __future__ import annotations

from fastapi import FastAPI

from arcane.access.endpoints import router as access
from arcane.audit.endpoints import router as audit
from arcane.catalog.endpoints import router as catalog
from arcane.traces.endpoints import router as traces
from arcane.workers.endpoints import internal_router
from arcane.workers.endpoints import router as workers

PREFIX = "/api/v1"


def include_api(app: FastAPI) -> None:
    """All of /api/v1 answers, and the paths under which workers speak with the backend.

    The routers stand side by side, traces first: FastAPI matches a router within a router twice at
    every level, and traces are what is asked a thousand times a second.
    """
    for part in (traces, catalog, access, audit, workers):
        app.include_router(part, prefix=PREFIX)
    app.include_router(internal_router)
