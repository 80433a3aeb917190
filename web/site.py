"""Puts the pages on the application: templates, built files, error pages, security headers, and every router."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, FastAPI, Request, Response

from arcane.kit.guard import public
from arcane.settings import Settings
from web.assets import FOREVER, Assets
from web.errors import install_error_pages
from web.i18n import Languages
from web.pages import (
    audit,
    captures,
    datasetfiles,
    datasets,
    datasetshape,
    datasources,
    entry,
    evaluations,
    experiments,
    home,
    instance,
    jobs,
    metrics,
    models,
    new_password,
    organisation,
    organisationjobs,
    playground,
    preferences,
    problems,
    project,
    prompts,
    roles,
    scores,
    search,
    statistics,
    styleguide,
    tail,
    trace,
)
from web.rendering import Renderer, environment
from web.security import PageSecurity
from web.shell import Directory

PAGES: Final[tuple[APIRouter, ...]] = (
    entry.router,
    new_password.router,
    home.router,
    preferences.router,
    search.router,
    metrics.router,
    tail.router,
    trace.router,
    experiments.router,
    statistics.router,
    evaluations.router,
    captures.router,
    datasetfiles.router,
    datasetshape.router,
    datasets.router,
    prompts.router,
    playground.router,
    datasources.router,
    models.router,
    jobs.router,
    organisation.router,
    organisationjobs.router,
    scores.router,
    project.router,
    roles.router,
    audit.router,
    instance.router,
    problems.router,
)
DEVELOPMENT_PAGES: Final[tuple[APIRouter, ...]] = (styleguide.router,)

assets_router = APIRouter(include_in_schema=False)


@assets_router.get("/assets/{name}", dependencies=[public("styles, scripts and fonts hold nothing of anybody's")])
async def asset(request: Request, name: str) -> Response:
    assets: Assets = request.app.state.assets
    found = assets.find(name)
    headers = {"cache-control": FOREVER, "vary": "accept-encoding", "x-content-type-options": "nosniff"}
    if found.brotli is not None and "br" in request.headers.get("accept-encoding", ""):
        return Response(found.brotli, media_type=found.media_type, headers={**headers, "content-encoding": "br"})
    return Response(found.plain, media_type=found.media_type, headers=headers)


def mount_pages(app: FastAPI, settings: Settings, directory: Directory) -> None:
    """Makes `app` serve the pages. Call it last: it wraps the exception handlers that are there by then."""
    development = settings.server.development
    assets = Assets.load(reloads=development)
    languages = Languages.load()
    app.state.assets = assets
    app.state.renderer = Renderer(
        environments={
            code: environment(language, assets, reloads=development) for code, language in languages.by_code.items()
        },
        languages=languages,
        directory=directory,
    )
    app.include_router(assets_router)
    for router in (*PAGES, *(DEVELOPMENT_PAGES if development else ())):
        app.include_router(router)
    install_error_pages(app, app.state.renderer)
    app.add_middleware(PageSecurity)
