"""Whatever is killed, every job has its effect once: workers, backend, broker, Postgres, and the line between them.

How many jobs is ARCANE_TEST_CHAOS_JOBS, 2,000 in the nightly run, on every broker. Where nobody says, it is 150 on one
of the brokers, each in its turn of days.
"""

from __future__ import annotations

import random
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import anyio
import pytest
from anyio import to_thread
from pydantic import SecretStr

from tests.support.brokers import Server, broker_of
from tests.support.job_backend import with_table
from tests.support.not_run import told
from tests.support.postgres import MigratedDatabase
from tests.support.relay import Relay, relaying
from tests.support.workforce import Workforce, workforce

pytestmark = [pytest.mark.anyio, pytest.mark.postgres, pytest.mark.timeout(900)]

NIGHTLY = told("ARCANE_TEST_CHAOS_JOBS")
JOBS = int(NIGHTLY or "152")
RUNS = 4
WORKERS = 3
ROUNDS = 3 if NIGHTLY else 1
"""How often everything is hit."""
_WITHIN_S = 240.0
_HANG_UP = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
Blow = Callable[[], Any]


@asynccontextmanager
async def at_work(stored: MigratedDatabase, folder: Path, server: Server) -> AsyncIterator[tuple[Workforce, Relay]]:
    """Yields a backend and three workers that reach it over a line that can be cut."""
    await with_table(stored)
    broker = {"lease_s": 2.0} | ({"url": SecretStr(server.url)} if server.url else {})
    jobs = {"sweep_s": 1.0, "stuck_s": 8.0, "deadline_s": 20.0}
    with workforce(stored, folder, broker=broker, jobs=jobs) as force:
        await to_thread.run_sync(force.start_backend)
        async with relaying(force.settings.server.port) as line:
            for number in range(WORKERS):
                force.add_worker(f"w{number}", f"http://127.0.0.1:{line.port}", CONCURRENCY="5", AHEAD="5")
            yield force, line


BROKERS = [
    "embedded",
    pytest.param("rabbitmq", marks=pytest.mark.connected("rabbitmq")),
    pytest.param("kafka", marks=pytest.mark.connected("kafka")),
]
TODAY = [BROKERS[datetime.now(UTC).toordinal() % len(BROKERS)]]


@pytest.mark.parametrize("broker", BROKERS if NIGHTLY else TODAY)
async def test_whatever_is_killed_every_job_has_its_effect_once(
    broker: str, migrated_database: MigratedDatabase, tmp_path: Path
) -> None:
    chance = random.Random(broker)
    with broker_of(broker, tmp_path) as server:
        async with at_work(migrated_database, tmp_path, server) as (force, line):
            runs = [await force.start_run(JOBS // RUNS) for _ in range(RUNS)]
            blows: list[Blow] = [
                lambda: _worker_dies(force, chance),
                lambda: _backend_dies(force),
                lambda: _database_hangs_up(force),
                line.cut,
            ]
            if server.url:
                blows.append(lambda: _broker_dies(server))
            for blow in blows * ROUNDS:
                await anyio.sleep(chance.uniform(0.1, 0.6))
                await blow()
            for run in runs:
                await force.until(lambda row: row["state"] == "done", run, _WITHIN_S)
            await _each_once(force, runs)


async def _each_once(force: Workforce, runs: list[UUID]) -> None:
    (row,) = await force.fetch(
        "SELECT count(*) AS results, count(DISTINCT job) AS jobs, count(*) FILTER (WHERE failed) AS failed "
        "FROM counted_results"
    )
    (ledger,) = await force.fetch("SELECT count(*) FILTER (WHERE state = 'done') AS done FROM jobs")
    expected = JOBS // RUNS * len(runs)
    assert (row["results"], row["jobs"], row["failed"], ledger["done"]) == (expected, expected, 0, expected)


async def _worker_dies(force: Workforce, chance: random.Random) -> None:
    worker = chance.choice(force.workers)
    await to_thread.run_sync(worker.kill)
    worker.start()


async def _backend_dies(force: Workforce) -> None:
    await to_thread.run_sync(force.backend.kill)
    await to_thread.run_sync(force.start_backend)


async def _database_hangs_up(force: Workforce) -> None:
    await force.fetch(_HANG_UP)


async def _broker_dies(server: Server) -> None:
    await to_thread.run_sync(server.stop, signal.SIGKILL)
    await to_thread.run_sync(server.start)
