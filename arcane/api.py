"""The /api/v1 routes: every slice's endpoints, and what belongs to no slice."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from arcane.access.credentials import BASIC_USER, KEY_PREFIX, SessionCookie
from arcane.access.endpoints import router as access
from arcane.audit.endpoints import router as audit
from arcane.catalog.endpoints import router as catalog
from arcane.datasets.capture_endpoints import router as dataset_captures
from arcane.datasets.endpoints import router as datasets
from arcane.datasets.file_endpoints import router as dataset_files
from arcane.evaluations.endpoints import router as evaluations
from arcane.experiments.endpoints import router as experiments
from arcane.jobs.endpoints import router as jobs
from arcane.jobs.internal import internal_router as job_desk
from arcane.kit.openapi import completed
from arcane.models.endpoints import router as models
from arcane.prompts.endpoints import router as prompts
from arcane.prompts.run_endpoints import router as prompt_runs
from arcane.scores.endpoints import router as scores
from arcane.settings import Settings
from arcane.traces.endpoints import express_routes
from arcane.traces.endpoints import router as traces
from arcane.traces.live.endpoints import router as live
from arcane.traces.metrics_endpoints import router as metrics
from arcane.traces.stream_endpoints import router as streams
from arcane.workers.endpoints import internal_router
from arcane.workers.endpoints import router as workers

PREFIX = "/api/v1"


def include_api(app: FastAPI) -> None:
    """All of /api/v1 answers, and the paths under which workers speak with the backend.

    The routers stand side by side, traces first, then what workers ask: FastAPI matches a router within a router
    twice at every level, and traces are what is asked a thousand times a second.
    """
    data = (datasets, dataset_files, dataset_captures)
    work = (models, *data, prompts, prompt_runs, scores, experiments, evaluations, jobs)
    app.router.routes += express_routes(PREFIX)
    app.include_router(traces, prefix=PREFIX)
    app.include_router(job_desk)
    app.include_router(internal_router)
    for part in (streams, metrics, live, catalog, *work, access, audit, workers):
        app.include_router(part, prefix=PREFIX)


class Backend(FastAPI):
    """The application, whose OpenAPI document says how to sign in and what each operation may refuse."""

    def openapi(self) -> dict[str, Any]:
        """Returns the document, made once."""
        if self.openapi_schema is None:
            self.openapi_schema = completed(super().openapi(), self.routes, _ways_in(self.state.settings))
        return self.openapi_schema


def _ways_in(settings: Settings) -> dict[str, dict[str, Any]]:
    key = f"An API key of a project: `{KEY_PREFIX}...`"
    return {
        "bearer": {"type": "http", "scheme": "bearer", "description": f"{key}."},
        "basic": {"type": "http", "scheme": "basic", "description": f"{key} as password of the user `{BASIC_USER}`."},
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": SessionCookie.of(settings).name,
            "description": "A signed-in browser. Changes also carry the session's `csrf_token` as X-CSRF-Token.",
        },
    }
