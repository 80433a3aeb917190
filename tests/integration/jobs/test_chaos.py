"""Whatever is killed, every job has its effect once: workers, backend, broker, Postgres, and the line between them.

How many jobs is ARCANE_TEST_CHAOS_JOBS, 2,000 in the nightly run, on every broker. Where nobody says, it is 152 on one
of the brokers, each in its turn of days. Before each blow a run of jobs begins that takes longer than the blow lets
wait, so that every blow hits jobs at work. The blows come in another order every day.
"""

from __future__ import annotations

import random
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import anyio
import pytest
from anyio import to_thread
from pydantic import SecretStr

from arcane.messaging.jobs import IdleSpec
from tests.support.brokers import NAMES, Server, broker_of, needs_of, of_today
from tests.support.job_backend import with_table
from tests.support.mortal_postgres import MortalPostgres, mortal_postgres
from tests.support.not_run import told
from tests.support.relay import Relay, relaying
from tests.support.workforce import Workforce, workforce

pytestmark = [pytest.mark.anyio, pytest.mark.postgres, pytest.mark.timeout(900)]

NIGHTLY = told("ARCANE_TEST_CHAOS_JOBS")
JOBS = int(NIGHTLY or "152")
WORKERS = 3
AT_ONCE = 5
ROUNDS = 3 if NIGHTLY else 1
"""How often everything is hit."""
TAKES_S = 0.4
"""How long a job takes. The jobs of one run are more than all workers do at once, so a run takes twice as long."""
BLOW_AFTER_S = (0.05, 0.6)
_WITHIN_S = 240.0
_HANG_UP = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
Blow = Callable[[], Awaitable[None]]


@asynccontextmanager
async def at_work(folder: Path, server: Server) -> AsyncIterator[tuple[Workforce, MortalPostgres, Relay]]:
    """Yields a backend and three workers that reach it over a line that can be cut, and their Postgres."""
    broker = {"lease_s": 2.0} | ({"url": SecretStr(server.url)} if server.url else {})
    jobs = {"sweep_s": 1.0, "stuck_s": 8.0, "deadline_s": 20.0}
    async with mortal_postgres() as (postgres, stored):
        await with_table(stored)
        with workforce(stored, folder, broker=broker, jobs=jobs) as force:
            await to_thread.run_sync(force.start_backend)
            async with relaying(force.settings.server.port) as line:
                for number in range(WORKERS):
                    address = f"http://127.0.0.1:{line.port}"
                    force.add_worker(f"w{number}", address, CONCURRENCY=str(AT_ONCE), AHEAD=str(AT_ONCE))
                yield force, postgres, line


BROKERS = [pytest.param(name, marks=needs_of(name)) for name in (NAMES if NIGHTLY else (of_today(),))]


@pytest.mark.parametrize("broker", BROKERS)
async def test_whatever_is_killed_every_job_has_its_effect_once(broker: str, tmp_path: Path) -> None:
    seed = f"{broker} {datetime.now(UTC):%Y-%m-%d}"
    chance = random.Random(seed)
    with broker_of(broker, tmp_path) as server:
        async with at_work(tmp_path, server) as (force, postgres, line):
            blows: dict[str, Blow] = {
                "worker": lambda: _worker_dies(force, chance),
                "backend": lambda: _backend_dies(force),
                "Postgres": postgres.crash,
                "connections to Postgres": lambda: _database_hangs_up(force),
                "callback": line.cut,
            }
            if server.url:
                blows["broker"] = lambda: _broker_dies(server)
            order = [*blows] * ROUNDS
            chance.shuffle(order)
            began, runs = time.monotonic(), []
            for name, jobs in zip(order, _shares(len(order)), strict=True):
                runs.append(await force.start_run(jobs, IdleSpec(takes_s=TAKES_S)))
                await anyio.sleep(chance.uniform(*BLOW_AFTER_S))
                open_jobs = await _open(force)
                _tell(began, f"{name}, {open_jobs} jobs are open")
                assert open_jobs, f"{name} would have hit nobody"
                await blows[name]()
            for run in runs:
                await force.until(lambda row: row["state"] == "done", run, _WITHIN_S)
            _tell(began, f"{JOBS} jobs are done after {len(order)} blows ({seed})")
            await _each_once(force)


def _tell(began: float, what: str) -> None:
    print(f"{time.monotonic() - began:6.1f} s: {what}")  # noqa: T201 - what a bad night is read by; `-rP` shows good ones


def _shares(parts: int) -> Sequence[int]:
    """Returns how many jobs each run has: JOBS in all."""
    return [JOBS // parts + (number < JOBS % parts) for number in range(parts)]


async def _open(force: Workforce) -> int:
    (row,) = await force.fetch("SELECT count(*) AS jobs FROM jobs WHERE state IN ('waiting', 'running')")
    return int(row["jobs"])


async def _each_once(force: Workforce) -> None:
    (row,) = await force.fetch(
        "SELECT count(*) AS results, count(DISTINCT job) AS jobs, count(*) FILTER (WHERE failed) AS failed "
        "FROM counted_results"
    )
    (ledger,) = await force.fetch("SELECT count(*) FILTER (WHERE state = 'done') AS done FROM jobs")
    assert (row["results"], row["jobs"], row["failed"], ledger["done"]) == (JOBS, JOBS, 0, JOBS)


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
