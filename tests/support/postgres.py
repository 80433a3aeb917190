"""A real Postgres for tests: one server a run, one template database with all migrations, a clone a test.

With `ARCANE_TEST_DATABASE_URL` (a superuser's postgresql:// URL) that server is used instead of the embedded one.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import anyio
import asyncpg
import pytest

from arcane.kit.migrate import app_url, migrate, owner_url
from arcane.local.postgres import EmbeddedPostgres
from arcane.settings import DatabaseSettings, Settings

_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=300", "shared_buffers=64MB")


@dataclass(frozen=True, slots=True)
class Server:
    """Where tests find Postgres, as superuser."""

    host: str
    port: int
    user: str
    password: str

    def url(
        self, database: str, *, user: str | None = None, password: str | None = None, driver: str = "postgresql+asyncpg"
    ) -> str:
        return f"{driver}://{user or self.user}:{password or self.password}@{self.host}:{self.port}/{database}"

    async def execute(self, sql: str, database: str = "postgres") -> None:
        connection = await asyncpg.connect(self.url(database, driver="postgresql"))
        try:
            await connection.execute(sql)
        finally:
            await connection.close()


def _given() -> Server | None:
    url = os.environ.get("ARCANE_TEST_DATABASE_URL")  # noqa: TID251 - about the tests, not a setting
    if not url:
        return None
    parts = urlsplit(url)
    return Server(parts.hostname or "127.0.0.1", parts.port or 5432, parts.username or "postgres", parts.password or "")


def shared_folder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """Returns the folder that all xdist workers of this run have in common."""
    own = tmp_path_factory.getbasetemp()
    return own if worker_id == "master" else own.parent


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Server]:
    """The server, shared over xdist workers: the first starts it, the last one stops it."""
    given = _given()
    if given is not None:
        yield given
        return
    shared = shared_folder(tmp_path_factory, worker_id)
    with turn(shared) as state:
        if "port" not in state:
            folder = Path(tempfile.mkdtemp(prefix="arcane-pg-"))
            folder.chmod(0o755)
            running = EmbeddedPostgres(folder, _FAST).start()
            state.update(
                port=running.port,
                user=running.user,
                password=running.password,
                pid=running.process.pid,
                folder=str(folder),
                users=0,
            )
            running.process.returncode = 0  # handed over: whoever is last stops it by its pid
        state["users"] += 1
        server = Server("127.0.0.1", state["port"], state["user"], state["password"])
    yield server
    with turn(shared) as state:
        state["users"] -= 1
        if state["users"] == 0:
            _stop(state["pid"])
            shutil.rmtree(state["folder"], ignore_errors=True)
            state.clear()


class turn:
    """Holds the run's shared state file while the block runs."""

    def __init__(self, shared: Path) -> None:
        self.path = shared / "postgres.json"

    def __enter__(self) -> dict[str, Any]:
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


OWNER = "arcane_test_owner"
"""Owns the tables of the tests: an ordinary role, so that FORCE ROW LEVEL SECURITY binds it as in production."""
APP = "arcane_test_app"
_PASSWORD = "test-only"


@dataclass(frozen=True, slots=True)
class MigratedDatabase:
    """A database of this test's own, at the newest revision."""

    name: str
    settings: Settings
    server: Server

    @property
    def owner_url(self) -> str:
        """As the owner of the tables, for the application's driver."""
        return owner_url(self.settings)

    @property
    def app_url(self) -> str:
        """As the role the application runs as."""
        return app_url(self.settings)

    @property
    def superuser_dsn(self) -> str:
        """As superuser, for asyncpg: sees every row, for what a test has to look at or to plant."""
        return self.server.url(self.name, driver="postgresql")

    @property
    def app_dsn(self) -> str:
        """As the application's role, for asyncpg."""
        return self.server.url(self.name, user=APP, password=_PASSWORD, driver="postgresql")


def database_settings(server: Server, name: str) -> DatabaseSettings:
    """Returns settings for the database `name` with the tests' ordinary owner."""
    return DatabaseSettings.model_validate(
        {
            "url": server.url(name, user=OWNER, password=_PASSWORD),
            "app_role": APP,
            "app_password": _PASSWORD,
            "pool_size": 5,
        }
    )


@pytest.fixture(scope="session")
def template_database(postgres_server: Server, tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> str:
    """The name of the database that tests clone; the first xdist worker migrates it."""
    shared = shared_folder(tmp_path_factory, worker_id)
    with turn(shared) as state:
        if "template" not in state:
            name = f"template_{uuid4().hex}"
            anyio.run(make_template, postgres_server, name)
            state["template"] = name
        return str(state["template"])


async def make_template(server: Server, name: str) -> None:
    """A new database `name` has every table, and belongs to an ordinary role."""
    await server.execute(
        f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{OWNER}') THEN "
        f"CREATE ROLE {OWNER} LOGIN CREATEROLE PASSWORD '{_PASSWORD}'; END IF; END $$"
    )
    await server.execute(f'CREATE DATABASE "{name}" OWNER {OWNER}')
    await migrate(Settings(database=database_settings(server, name)))


@asynccontextmanager
async def cloned(server: Server, template: str) -> AsyncIterator[MigratedDatabase]:
    """While the block runs, there is a clone of `template`."""
    name = f"t_{uuid4().hex}"
    await server.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" OWNER {OWNER}')
    yield MigratedDatabase(name, Settings(database=database_settings(server, name)), server)
    await server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture
async def migrated_database(postgres_server: Server, template_database: str) -> AsyncIterator[MigratedDatabase]:
    """A clone of the template: every table, the system roles, nothing else."""
    async with cloned(postgres_server, template_database) as stored:
        yield stored
