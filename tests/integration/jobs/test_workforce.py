"""Real worker processes on a real backend: jobs are done, cancelled, paused, and given back by who is told to end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import anyio
import httpx
import pytest
from anyio import to_thread

from arcane.jobs.service.runs import Jobs
from arcane.kit.actor import Tenant
from arcane.kit.announce import Announcer
from arcane.kit.database import Database
from arcane.kit.migrate import app_url
from arcane.outbox.service import Outbox
from tests.support.job_backend import with_table
from tests.support.postgres import MigratedDatabase
from tests.support.workforce import Workforce, workforce

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]


@pytest.fixture
def running(migrated_database: MigratedDatabase, tmp_path: Path) -> Iterator[Workforce]:
    with workforce(migrated_database, tmp_path, jobs={"sweep_s": 1.0}) as made:
        yield made


async def test_every_job_is_done_once_and_the_run_ends(running: Workforce) -> None:
    await with_table(running.stored)
    running.start_backend()
    running.add_worker("w1")
    run = await running.start_run(300)
    found = await running.until(lambda row: row["state"] == "done", run, within_s=60.0)
    assert (found["done"], found["failed"], found["total"]) == (300, 0, 300)
    (row,) = await running.fetch("SELECT count(*) AS n, count(DISTINCT job) AS jobs FROM counted_results")
    assert (row["n"], row["jobs"]) == (300, 300)
    assert await running.fetch("SELECT 1 FROM queued_messages") == []
    assert await running.fetch("SELECT 1 FROM outbox_messages") == []
    counted = await to_thread.run_sync(_metrics, running)
    assert 'arcane_worker_jobs_taken_total{kind="idle"} 300.0' in counted
    assert 'arcane_worker_tries_total{kind="idle",outcome="done"} 300.0' in counted
    assert "arcane_worker_jobs_running 0.0" in counted
    assert running.workers[0].stop() == 0


async def test_a_run_that_is_paused_stands_still_and_then_goes_on(running: Workforce) -> None:
    await with_table(running.stored)
    running.start_backend()
    run = await running.start_run(50)
    await _change(running, run, "pause")
    running.add_worker("w1")
    await running.until(lambda row: row["state"] == "paused", run, within_s=5.0)
    with anyio.fail_after(30):
        while await _states(running, run) != {"held": 50}:  # noqa: ASYNC110 - another process's doing
            await anyio.sleep(0.1)
    await _change(running, run, "resume")
    await running.until(lambda row: row["state"] == "done", run, within_s=30.0)


def _metrics(force: Workforce) -> list[str]:
    """Returns what Prometheus would read of the first worker."""
    (port,) = re.findall(r"health_port=(\d+)", force.workers[0].log.read_text())
    return httpx.get(f"http://127.0.0.1:{port}/metrics").text.splitlines()


async def _change(force: Workforce, run: UUID, how: str) -> None:
    url = app_url(force.stored.settings)
    database, announcer = Database.connect(url), Announcer(url)
    jobs = Jobs(Outbox(announcer), announcer, force.settings.jobs)
    try:
        async with database.transaction(Tenant(instance=True)) as session:
            assert await getattr(jobs, how)(session, run)
    finally:
        await database.aclose()


async def _states(force: Workforce, run: UUID) -> dict[str, int]:
    rows = await force.fetch("SELECT state, count(*) AS n FROM jobs WHERE run_id = $1 GROUP BY state", run)
    return {row["state"]: row["n"] for row in rows}
