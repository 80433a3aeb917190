"""The pages over services in memory: what page tests and a designer's browser run against."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import anyio
from fastapi import APIRouter, FastAPI, Request

from arcane.access.csrf import SAFE_METHODS, check_origin, check_token
from arcane.kit.actor import Actor, ActorKind
from arcane.kit.http import install_problem_handlers
from arcane.kit.problems import NotFound, NotSignedIn
from arcane.settings import ServerSettings, Settings
from arcane.traces.endpoints import router as traces_router
from arcane.traces.live.endpoints import router as live_router
from arcane.traces.live.wiring import build_live
from arcane.traces.measuring import MetricsService
from tests.support.fake_traces import FakeCatalog, Stored, corpus, fake_traces
from web.shell import Place
from web.site import mount_pages

ORGANISATION_ID = UUID("0192f000-0000-7000-8000-00000000000a")
PROJECT_ID = UUID("0192f000-0000-7000-8000-00000000000b")
PLACES = (
    Place("acme", "acme", "support", "support", PROJECT_ID),
    Place("acme", "acme", "research", "research", UUID("0192f000-0000-7000-8000-00000000000c")),
    Place("globex", "globex", "billing", "billing", UUID("0192f000-0000-7000-8000-00000000000d")),
)


@dataclass(frozen=True, slots=True)
class Session:
    """Who is signed in, as the access slice leaves it on the request."""

    name: str = "Ada Lovelace"
    email: str = "ada@example.com"
    csrf_token: str = "csrf-of-ada"


class FakeAuthoriser:
    """Everybody is Ada, except with the cookie `stranger`."""

    async def authorise(self, request: Request, permission: str | None) -> Actor:
        if "stranger" in request.cookies:
            raise NotSignedIn("sign in first")
        session = request.state.session = Session()
        if request.method not in SAFE_METHODS:
            self.check_public(request)
            await check_token(request, session.csrf_token)
        organisation = request.path_params.get("organisation", "acme")
        if organisation not in {place.organisation for place in PLACES}:
            raise NotFound("no such organisation")
        return Actor(
            ActorKind.USER,
            UUID(int=1),
            "Ada Lovelace",
            frozenset({"traces:read", "datasources:read"}),
            ORGANISATION_ID,
            PROJECT_ID,
        )

    def check_public(self, request: Request) -> None:
        check_origin(request, str(request.base_url))


class FakeDirectory:
    async def places(self, request: Request, actor: Actor) -> Sequence[Place]:
        return PLACES

    async def actor_at(self, request: Request, place: Place) -> Actor:
        return await FakeAuthoriser().authorise(request, None)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with anyio.create_task_group() as group:
        await group.start(app.state.live.run)
        yield
        group.cancel_scope.cancel()


def fake_app(settings: Settings | None = None, stored: Sequence[Stored] | None = None) -> FastAPI:
    """Returns the application with every page of this project mounted."""
    settings = settings or Settings(_env_file=None, server=ServerSettings(development=True))
    app = FastAPI(openapi_url=None, lifespan=_lifespan)
    app.state.settings = settings
    app.state.authoriser = FakeAuthoriser()
    app.state.catalog = FakeCatalog(corpus() if stored is None else stored)
    app.state.traces = fake_traces(settings, app.state.catalog)
    app.state.live = live = build_live(app.state.traces, settings.live)
    app.state.tails, app.state.follows, app.state.closing = live.tails, live.follows, anyio.Event()
    app.state.metrics = MetricsService(app.state.traces)
    install_problem_handlers(app)
    api = APIRouter(prefix="/api/v1")
    api.include_router(traces_router)
    api.include_router(live_router)
    app.include_router(api)
    mount_pages(app, settings, FakeDirectory())
    return app
