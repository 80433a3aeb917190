"""The services of an instance for a command: what the backend is made of, without its doors."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.datastructures import State

from arcane.main import create_app
from arcane.settings import Settings


@asynccontextmanager
async def services(settings: Settings) -> AsyncIterator[State]:
    """While the block runs, the services are there, under the names that `arcane.main` gives them."""
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        yield app.state
