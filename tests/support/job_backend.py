"""A backend with a subject of its own: results go to a table, where a test counts them. `python -m` runs it.

The table has no key: a result that was taken twice is there twice.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

import anyio
from fastapi import FastAPI
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.jobs.subject import Inputs, RunRef
from arcane.jobs.words import RunState
from arcane.kit.logging import configure_logging
from arcane.kit.serving import listen, serve
from arcane.main import create_app
from arcane.messaging.jobs import Failed, JobResult
from arcane.settings import Settings
from tests.support.postgres import APP, MigratedDatabase

KIND = "counted"
_TAKE = text("INSERT INTO counted_results (job, failed) VALUES (:job, :failed)")
_TABLE = f"""
    CREATE TABLE counted_results (job uuid NOT NULL, failed boolean NOT NULL, at timestamptz DEFAULT clock_timestamp());
    GRANT SELECT, INSERT ON counted_results TO {APP}
"""


async def with_table(stored: MigratedDatabase) -> None:
    """The database has the table that results go to."""
    await stored.server.execute(_TABLE, stored.name)


class Counted:
    """A subject whose jobs have nothing to read."""

    async def inputs(self, run: RunRef, jobs: Sequence[UUID]) -> Mapping[UUID, Inputs | Failed]:
        return {job: {} for job in jobs}

    async def take(self, session: AsyncSession, run: RunRef, results: Sequence[JobResult]) -> None:
        await session.execute(_TAKE, [{"job": result.job, "failed": result.error is not None} for result in results])

    async def keeps_words(self, session: AsyncSession, run: RunRef) -> bool:
        return True

    async def told(self, session: AsyncSession, run: RunRef, state: RunState) -> None:
        return

    async def ended(self, session: AsyncSession, run: RunRef) -> None:
        return


def application(settings: Settings) -> FastAPI:
    """Returns the backend, its subject added."""
    app = create_app(settings)
    usual = app.router.lifespan_context

    @asynccontextmanager
    async def with_subject(app: FastAPI) -> AsyncIterator[None]:
        async with usual(app):
            app.state.subjects.add(KIND, Counted())
            yield

    app.router.lifespan_context = with_subject  # type: ignore[assignment]
    return app


def main() -> None:
    """Serves until the process is told to end."""
    settings = Settings(_env_file=None)  # type: ignore[call-arg]
    configure_logging(settings.log.level, json_lines=False)
    bound = listen(settings.server.host, settings.server.port)
    anyio.run(lambda: serve(application(settings), bound, supervised=False), backend_options={"use_uvloop": True})


if __name__ == "__main__":
    main()
