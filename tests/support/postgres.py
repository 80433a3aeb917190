"""A real Postgres for tests: one server a run, one template database with all migrations, a clone a test.

With `ARCANE_TEST_DATABASE_URL` (a superuser's postgresql:// URL) that server is used instead of the embedded one.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest

from arcane.local.postgres import EmbeddedPostgres

_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=300", "shared_buffers=64MB")


@dataclass(frozen=True, slots=True)
class Server:
    """Where tests find Postgres, as superuser."""

    host: str
    port: int
    user: str
    password: str

    def url(self, database: str, *, user: str | None = None, password: str | None = None, driver: str = "postgresql+asyncpg") -> str:
        return f"{driver}://{user or self.user}:{password or self.password}@{self.host}:{self.port}/{database}"

    async def execute(self, sql: str, database: str = "postgres") -> None:
        connection = await asyncpg.connect(self.url(database, driver="postgresql"))
        try:
            await connection.execute(sql)
        finally:
            await connection.close()


def _given() -> Server | None:
    url = os.environ.get("ARCANE_TEST_DATABASE_URL")
    if not url:
        return None
    parts = urlsplit(url)
    return Server(parts.hostname or "127.0.0.1", parts.port or 5432, parts.username or "postgres", parts.password or "")


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Server]:
    """The server, shared over xdist workers: the first starts it, the last one stops it."""
    given = _given()
    if given is not None:
        yield given
        return
    shared = tmp_path_factory.getbasetemp() if worker_id == "master" else tmp_path_factory.getbasetemp().parent
    with _turn(shared) as state:
        if "port" not in state:
            folder = Path(tempfile.mkdtemp(prefix="arcane-pg-"))
            folder.chmod(0o755)
            running = EmbeddedPostgres(folder, _FAST).start()
            state.update(port=running.port, user=running.user, password=running.password, pid=running.process.pid, folder=str(folder), users=0)
            running.process.returncode = 0  # handed over: whoever is last stops it by its pid
        state["users"] += 1
        server = Server("127.0.0.1", state["port"], state["user"], state["password"])
    yield server
    with _turn(shared) as state:
        state["users"] -= 1
        if state["users"] == 0:
            _stop(state["pid"])
            state.clear()


class _turn:  # noqa: N801 - reads as a statement
    """Holds the run's shared state file while the block runs."""

    def __init__(self, shared: Path) -> None:
        self.path = shared / "postgres.json"

    def __enter__(self) -> dict[str, object] | object:
        self.file = self.path.open("a+")
        fcntl.flock(self.file, fcntl.LOCK_EX)
        self.file.seek(0)
        self.state = json.loads(self.file.read() or "{}")
        return self.state

    def __exit__(self, *_: object) -> None:
        self.file.seek(0)
        self.file.truncate()
        self.file.write(json.dumps(self.state))
        self.file.close()


def _stop(pid: int) -> None:
    os.kill(pid, signal.SIGINT)
    for _ in range(200):
        try:
            os.waitpid(pid, os.WNOHANG)
            os.kill(pid, 0)
        except (ChildProcessError, ProcessLookupError):
            break
        time.sleep(0.02)


@pytest.fixture
async def empty_database(postgres_server: Server) -> AsyncIterator[str]:
    """The name of a database of this test's own, without any table."""
    name = f"t_{uuid4().hex}"
    await postgres_server.execute(f'CREATE DATABASE "{name}"')
    yield name
    await postgres_server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
