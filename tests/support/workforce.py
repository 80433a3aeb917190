"""A backend and its workers as processes that a test starts, kills and starts again, and the runs they work on."""

from __future__ import annotations

import base64
import hashlib
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import anyio
import asyncpg
import httpx
from pydantic import SecretStr
from sqlalchemy import Uuid, func, literal
from sqlalchemy import select as selecting

from arcane.jobs.service.runs import Jobs
from arcane.jobs.words import Run
from arcane.kit.actor import Tenant
from arcane.kit.announce import Announcer
from arcane.kit.database import Database
from arcane.kit.ids import new_id
from arcane.kit.migrate import app_url
from arcane.local.environment import child_environment
from arcane.messaging.jobs import IdleSpec, Spec
from arcane.outbox.service import Outbox
from arcane.settings import Settings
from tests.support.forked import Forked
from tests.support.job_backend import KIND
from tests.support.postgres import MigratedDatabase
from tests.support.running import free_port

KEY = "a-key-that-only-these-tests-use-01"
_SECRET = base64.b64encode(hashlib.sha256(b"a key for tests").digest()).decode()
_START_S = 180.0


@dataclass(slots=True)
class Program:
    """A process of ours that may be killed at any moment, and started again."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    log: Path
    process: Forked | None = None

    def start(self) -> None:
        """The process was started; it may not be ready."""
        self.process = Forked(self.command, self.environment, out=self.log, err=self.log)

    def kill(self) -> None:
        """The process is gone, without a word (kill -9)."""
        self._end(signal.SIGKILL)

    def stop(self, within_s: float = 30.0) -> int:
        """Returns the exit code of the process, which was asked to end."""
        return self._end(signal.SIGTERM, within_s)

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def _end(self, how: signal.Signals, within_s: float = 30.0) -> int:
        return 0 if self.process is None else self.process.end(within_s, how)


@dataclass(slots=True)
class Workforce:
    """One backend, and workers that know it by `address` (which may lead through a relay)."""

    stored: MigratedDatabase
    settings: Settings
    folder: Path
    backend: Program
    workers: list[Program] = field(default_factory=list)

    def start_backend(self) -> None:
        """The backend answers."""
        self.backend.start()
        self.until_ready()

    def until_ready(self) -> None:
        """Returns when the backend answers; raises AssertionError with its log when it does not."""
        address = f"http://127.0.0.1:{self.settings.server.port}/health/ready"
        give_up = time.monotonic() + _START_S
        while time.monotonic() < give_up:
            try:
                if httpx.get(address, timeout=5.0).is_success:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.05)
        raise AssertionError(self.backend.log.read_text())

    def add_worker(self, name: str, address: str | None = None, **settings: str) -> Program:
        """Returns a worker that was started."""
        told = {
            "ARCANE_WORKER__KEY": KEY,
            "ARCANE_WORKER__BACKEND_URL": address or f"http://127.0.0.1:{self.settings.server.port}",
            "ARCANE_WORKER__HEALTH_PORT": "0",
            "ARCANE_WORKER__NAME": name,
            "ARCANE_WORKER__GRACE_S": "5",
        }
        told |= {f"ARCANE_WORKER__{key}": value for key, value in settings.items()}
        told |= {
            key: value
            for key, value in child_environment(self.settings).items()
            if key.startswith("ARCANE_BROKER__") or key == "PATH"
        }
        worker = Program(name, ("worker.main",), told, self.folder / f"{name}.log")
        self.workers.append(worker)
        worker.start()
        return worker

    async def start_run(self, count: int, spec: Spec | None = None) -> UUID:
        """Returns a new run of `count` jobs in an organisation of its own."""
        organisation, project = new_id(), new_id()
        await self._place(organisation, project)
        url = app_url(self.stored.settings)
        database, announcer = Database.connect(url), Announcer(url)
        jobs = Jobs(Outbox(announcer), announcer, self.settings.jobs)
        run = Run(kind=KIND, organisation_id=organisation, project_id=project, subject_id=uuid4(), created_by="Ada")
        try:
            async with database.transaction(Tenant(organisation, project)) as session:
                made = await jobs.create_run(session, run, [spec or IdleSpec()])
                spec_id = literal(str(made.spec_ids[0])).cast(Uuid())
                numbers = func.generate_series(1, count).table_valued("n")
                units = selecting(func.gen_random_uuid().label("id"), spec_id.label("spec")).select_from(numbers)
                await jobs.add(session, made.run_id, units)
        finally:
            await database.aclose()
        return made.run_id

    async def fetch(self, sql: str, *values: Any) -> list[asyncpg.Record]:
        """Returns what `sql` finds, as superuser."""
        connection = await asyncpg.connect(self.stored.superuser_dsn)
        try:
            found: list[asyncpg.Record] = await connection.fetch(sql, *values)
            return found
        finally:
            await connection.close()

    async def until(self, done: Callable[[asyncpg.Record], bool], run: UUID, within_s: float) -> asyncpg.Record:
        """Returns the run's row as soon as it satisfies `done`; raises AssertionError with what there is."""
        give_up = time.monotonic() + within_s
        row: asyncpg.Record | None = None
        while time.monotonic() < give_up:
            try:
                (row,) = await self.fetch("SELECT * FROM job_runs WHERE id = $1", run)
                if done(row):
                    return row
            except (OSError, asyncpg.PostgresError):
                pass
            await anyio.sleep(0.1)
        raise AssertionError(f"{dict(row or {})}\n{self.logs()}")

    def logs(self) -> str:
        """Returns the ends of all logs."""
        programs = [self.backend, *self.workers]
        return "\n".join(f"== {one.name}\n{one.log.read_text()[-3_000:]}" for one in programs if one.log.exists())

    async def _place(self, organisation: UUID, project: UUID) -> None:
        await self.fetch(
            "INSERT INTO organisations (id, created_at, updated_at, name, slug) VALUES ($1, now(), now(), $2, $2)",
            organisation,
            f"o-{organisation.hex}",
        )
        await self.fetch(
            "INSERT INTO projects (id, created_at, updated_at, organisation_id, name, slug, description) "
            "VALUES ($1, now(), now(), $2, 'p', $3, '')",
            project,
            organisation,
            f"p-{project.hex}",
        )


@contextmanager
def workforce(stored: MigratedDatabase, folder: Path, **groups: Mapping[str, Any]) -> Iterator[Workforce]:
    """Yields a workforce that has not begun; whatever of it runs at the end is killed."""
    port = free_port()
    told: dict[str, Any] = {
        "server": {"port": port, "public_url": f"http://127.0.0.1:{port}"},
        "secrets": {"keys": [SecretStr(_SECRET)]},
        "worker": {"key": SecretStr(KEY)},
        "log": {"level": "info"},
    }
    told |= groups
    settings = Settings(_env_file=None, database=stored.settings.database, **told)  # type: ignore[call-arg]
    environment = {"PATH": os.defpath, **child_environment(settings)}
    command = ("tests.support.job_backend",)
    force = Workforce(stored, settings, folder, Program("backend", command, environment, folder / "backend.log"))
    try:
        yield force
    finally:
        for program in (*force.workers, force.backend):
            program.kill()
