"""The evaluation services on an embedded Postgres of their own, in this process."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from anyio import to_thread

from arcane.local.postgres import EmbeddedPostgres
from arcane.settings import Settings
from tests.support.evaluating import Desk, desk_on
from tests.support.postgres import MigratedDatabase, Server, database_settings, make_template


@dataclass(frozen=True, slots=True)
class DeskBench:
    """The services, and a folder for files."""

    desk: Desk
    folder: Path


@asynccontextmanager
async def desk_bench() -> AsyncIterator[DeskBench]:
    """Yields the services; nothing of them is left afterwards."""
    with _folder() as folder:
        postgres = await to_thread.run_sync(EmbeddedPostgres(folder / "postgres").start)
        try:
            server = Server("127.0.0.1", postgres.port, postgres.user, postgres.password)
            await make_template(server, "bench")
            settings = Settings(_env_file=None, database=database_settings(server, "bench"))
            async with desk_on(MigratedDatabase("bench", settings, server)) as desk:
                yield DeskBench(desk, folder)
        finally:
            await to_thread.run_sync(postgres.stop)


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder that Postgres can work in, whoever it runs as."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)
