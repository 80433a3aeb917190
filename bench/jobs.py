"""What a job costs by itself: idle jobs a second on one worker process, and how fast many are made.

`python -m bench.jobs [amqp://... | kafka://...]`; without an address, the embedded broker.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from uuid import uuid4

import anyio
import psutil
from pydantic import SecretStr

from arcane.local.postgres import EmbeddedPostgres
from arcane.settings import Settings
from tests.support.job_backend import with_table
from tests.support.postgres import MigratedDatabase, Server, database_settings, make_template
from tests.support.workforce import workforce

JOBS = 5_000
MANY = 100_000


async def measure(server: Server, folder: Path, url: str | None) -> None:
    """Prints the figures."""
    name = f"bench_{uuid4().hex}"
    await make_template(server, name)
    stored = MigratedDatabase(name, Settings(database=database_settings(server, name)), server)
    await with_table(stored)
    broker = {"url": SecretStr(url)} if url else {}
    with workforce(stored, folder, broker=broker) as force:
        await anyio.to_thread.run_sync(force.start_backend)
        worker = force.add_worker("bench")
        await force.until(lambda row: row["state"] == "done", await force.start_run(200), 120.0)  # all is warm
        assert worker.process is not None
        assert force.backend.process is not None
        processes = [psutil.Process(worker.process.pid), psutil.Process(force.backend.process.pid)]
        before = [sum(process.cpu_times()[:2]) for process in processes]
        began = time.monotonic()
        run = await force.start_run(JOBS)
        await force.until(lambda row: row["state"] == "done", run, 300.0)
        took = time.monotonic() - began
        spent = [sum(process.cpu_times()[:2]) - old for process, old in zip(processes, before, strict=True)]
        (row,) = await force.fetch(
            "SELECT percentile_disc(0.95) WITHIN GROUP (ORDER BY claimed_at - created_at) AS p95 "
            "FROM jobs WHERE run_id = $1",
            run,
        )
        print(
            f"{JOBS / took:.0f} idle jobs/s; CPU a job: worker {spent[0] / JOBS * 1e3:.2f} ms, "
            f"backend {spent[1] / JOBS * 1e3:.2f} ms; last claimed after {row['p95'].total_seconds():.2f} s"
        )
        worker.kill()
        began = time.monotonic()
        own = psutil.Process()
        memory = own.memory_info().rss
        await force.start_run(MANY)
        grown = (own.memory_info().rss - memory) / 2**20
        print(f"{MANY} jobs made in {time.monotonic() - began:.1f} s, memory +{grown:.1f} MB")


def main() -> None:
    url = sys.argv[1] if len(sys.argv) > 1 else None
    with tempfile.TemporaryDirectory(prefix="arcane-bench-") as place:
        folder = Path(place)
        folder.chmod(0o755)
        running = EmbeddedPostgres(folder / "pg").start()
        try:
            server = Server("127.0.0.1", running.port, running.user, running.password)
            anyio.run(measure, server, folder, url)
        finally:
            running.stop()


if __name__ == "__main__":
    main()
