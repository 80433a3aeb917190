"""A Postgres of a test's own that crashes and comes back, behind a door that stays where it is."""

from __future__ import annotations

import shutil
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from anyio import to_thread

from arcane.local.postgres import EmbeddedPostgres, RunningPostgres
from arcane.settings import Settings
from tests.support.postgres import MigratedDatabase, Server, database_settings, make_template
from tests.support.relay import Relay, relaying

_SETTINGS = ("fsync=off", "full_page_writes=off", "max_connections=100", "shared_buffers=64MB")
"""Quick, and still nothing is lost as long as the machine lives: a commit waits until the system has its record."""


@dataclass(slots=True)
class MortalPostgres:
    """A server on a data folder that outlives it."""

    embedded: EmbeddedPostgres
    running: RunningPostgres
    door: Relay

    async def crash(self) -> None:
        """It ended at once, without tidying up (SIGQUIT: an immediate shutdown), has recovered, and answers."""
        self.door.target = None
        self.running.process.send_signal(signal.SIGQUIT)
        await to_thread.run_sync(self.running.process.wait)
        await self.door.cut()
        self.running = await to_thread.run_sync(self.embedded.start)
        self.door.target = self.running.port


@asynccontextmanager
async def mortal_postgres() -> AsyncIterator[tuple[MortalPostgres, MigratedDatabase]]:
    """Yields the server, and a database on it that has every table; both are gone afterwards."""
    folder = _folder()
    embedded = EmbeddedPostgres(folder, _SETTINGS)
    running = await to_thread.run_sync(embedded.start)
    try:
        async with relaying(running.port) as door:
            mortal = MortalPostgres(embedded, running, door)
            server = Server("127.0.0.1", door.port, running.user, running.password)
            name = f"t_{uuid4().hex}"
            await make_template(server, name)
            try:
                yield mortal, MigratedDatabase(name, Settings(database=database_settings(server, name)), server)
            finally:
                await to_thread.run_sync(mortal.running.stop)
    finally:
        running.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="arcane-pg-"))
    folder.chmod(0o755)  # as root, the server runs as somebody else
    return folder
