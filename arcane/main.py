"""The composition root: every collaborator is made here, once, and handed to whoever needs it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import fields

import anyio
from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.datastructures import State

from arcane.access.usage import Usage
from arcane.access.wiring import Foundation, build_access
from arcane.api import Backend, include_api
from arcane.audit.service import AuditLog
from arcane.catalog.memory import CatalogMemory
from arcane.catalog.pool import AdapterMaker, AdapterPool
from arcane.catalog.registry import Registry
from arcane.catalog.service import CatalogService
from arcane.compat.public.endpoints import router as public_api
from arcane.datasets.file_endpoints import BODIES
from arcane.datasets.wiring import build_datasets
from arcane.evaluations.wiring import add_evaluations
from arcane.jobs.wiring import Ground, build_jobs
from arcane.kit.announce import Announcer
from arcane.kit.clock import SystemClock
from arcane.kit.database import Database
from arcane.kit.egress import Egress
from arcane.kit.guard import public
from arcane.kit.http import RequestEdge, install_problem_handlers, json_response
from arcane.kit.logging import get_logger
from arcane.kit.migrate import app_url
from arcane.kit.pagination import Cursors
from arcane.kit.secrets import KeyRing
from arcane.models.running import RunNow
from arcane.models.service import ModelService
from arcane.outbox.relay import relay_forever
from arcane.outbox.service import Outbox, Promises
from arcane.outbox.wiring import broker_of
from arcane.prompts.running import PromptRuns
from arcane.prompts.service import PromptService
from arcane.scores.service.trying import ScoreTrials
from arcane.scores.wiring import build_scores
from arcane.settings import Settings
from arcane.traces.live.wiring import build_live
from arcane.traces.measuring import MetricsService
from arcane.traces.wiring import build_traces
from arcane.workers.leases import LeaseService
from arcane.workers.service import WorkerService
from arcane.workers.sessions import WorkerDoor
from web.places import Places
from web.site import mount_pages

log = get_logger("arcane.main")


def create_app(settings: Settings) -> FastAPI:
    """Returns the backend. Its routes are there at once; what they work with is made when its lifespan begins."""
    app = Backend(
        title="Arcane",
        version="1",
        description="Traces of LLM applications and agents, searched where they are stored.",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.settings = settings
    app.state.closing = anyio.Event()
    install_problem_handlers(app)
    _add_health(app)  # first: a router makes its routes' solvers when the first request passes it
    include_api(app)
    app.include_router(public_api)
    mount_pages(app, settings, Places())
    files = ((BODIES, settings.datasets.file_bytes_max),)
    app.add_middleware(RequestEdge, max_body_bytes=settings.server.max_body_bytes, larger=files)
    return app


def _add_health(app: FastAPI) -> None:
    @app.get("/health", include_in_schema=False, dependencies=[public("a load balancer asks")])
    async def health() -> Response:
        return json_response({"status": "ok"})

    @app.get("/health/ready", include_in_schema=False, dependencies=[public("a load balancer asks")])
    async def ready(request: Request) -> Response:
        answered = await request.app.state.database.answers(within_s=2.0)
        return json_response({"status": "ready" if answered else "waiting"}, status=200 if answered else 503)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """While the application runs, its background work does too: announcements, key usage, idle adapters.

    A headless start names the owner in the settings; whoever starts first creates it.
    """
    given = app.state.settings.database
    database = Database.connect(
        app_url(app.state.settings), pool_size=given.pool_size, statement_timeout_s=given.statement_timeout_s
    )
    usage = assemble(app, database)
    state = app.state
    try:
        async with anyio.create_task_group() as group:
            group.start_soon(state.announcer.run)
            group.start_soon(usage.run)
            group.start_soon(state.retention.run)
            group.start_soon(state.prompt_runs.forget_forever)
            group.start_soon(state.lister.run)
            group.start_soon(relay_forever, Promises(database), state.announcer, state.broker.reach)
            group.start_soon(state.sweeper.run)
            group.start_soon(state.scores.scorers.run)
            await group.start(state.catalog.pool.run)
            await group.start(state.live.run)
            await group.start(state.traces.shared.run)
            if await state.accounts.ensure_owner_from_settings():
                log.info("owner_created_from_settings")
            yield
            group.cancel_scope.cancel()
    finally:
        with anyio.CancelScope(shield=True):
            await usage.flush()
            await state.catalog.pool.aclose()
            await database.aclose()


def assemble(app: FastAPI, database: Database) -> Usage:
    """Everything that requests work with stands on `app.state`; returns what counts their use of keys."""
    state, settings = app.state, app.state.settings
    keys = KeyRing.of(settings.secrets)
    cursors = Cursors(keys.signer("cursor"))
    state.database = database
    state.announcer = Announcer(app_url(settings))
    state.audit = AuditLog(database, cursors)
    access = build_access(Foundation(settings, database, state.audit, state.announcer, cursors))
    for part in fields(access):
        setattr(state, part.name, getattr(access, part.name))
    state.catalog = _catalog(state, keys, cursors)
    state.traces = build_traces(settings, state.catalog, state.scopes, cursors)
    state.metrics = MetricsService(state.traces)
    live = state.live = build_live(state.traces, settings.live)
    state.tails, state.follows = live.tails, live.follows
    state.datasets = build_datasets(database, state.audit, cursors, settings.datasets, state.traces)
    state.models = ModelService(database, state.audit, keys, cursors, settings.models.per_organisation)
    _add_jobs(state, cursors)
    _add_prompts(state, cursors)
    state.scores = build_scores(state, state.models)
    state.score_trials = ScoreTrials(state.scores, state.run_now)
    add_evaluations(state, cursors)
    return access.usage


def _catalog(state: State, keys: KeyRing, cursors: Cursors) -> CatalogService:
    settings: Settings = state.settings
    registry = Registry.load()
    maker = AdapterMaker(Egress(settings.egress, settings.limits), settings.files, settings.resilience)
    return CatalogService(
        database=state.database,
        audit=state.audit,
        announcer=state.announcer,
        registry=registry,
        keys=keys,
        cursors=cursors,
        pool=AdapterPool(registry, maker, keys, settings.limits),
        memory=CatalogMemory(state.announcer),
    )


def _add_jobs(state: State, cursors: Cursors) -> None:
    settings: Settings = state.settings
    key, clock = settings.worker.key, SystemClock()
    shared = None if key is None else key.get_secret_value()
    door = state.worker_door = WorkerDoor(shared, KeyRing.of(settings.secrets).signer("worker session"), clock)
    state.workers = WorkerService(door, clock)
    state.outbox = Outbox(state.announcer)
    state.broker = broker_of(settings.broker, state.database, state.announcer, clock)
    state.leases = LeaseService(door, state.broker.own)
    ground = Ground(settings, state.database, state.announcer, state.outbox, door, state.audit, cursors, clock)
    parts = build_jobs(ground, state.models)
    state.subjects, state.jobs, state.job_desk, state.sweeper = parts.subjects, parts.jobs, parts.desk, parts.sweeper
    state.job_board = parts.board
    state.run_now = RunNow(state.models, state.workers, clock, shared, settings.models.run_s)


def _add_prompts(state: State, cursors: Cursors) -> None:
    state.prompts = PromptService(state.database, state.audit, cursors, state.models, state.settings.prompts)
    state.prompt_runs = PromptRuns(state.database, state.prompts, state.run_now, cursors)
