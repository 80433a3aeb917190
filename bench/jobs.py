"""What a job costs by itself: idle jobs a second on one worker process, how soon one begins, how fast many are made.

    python -m bench.jobs [embedded] [rabbitmq] [kafka]

Each broker is started for it: RabbitMQ from the PATH, Kafka from the jars at ARCANE_TEST_KAFKA_JARS. The worker takes
messages well ahead (ARCANE_WORKER__AHEAD), as is right for jobs that take no time. The machine may be busy with other
things: what counts then is the CPU that a job costs in each process.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import anyio
import psutil
from pydantic import SecretStr

from arcane.local.postgres import EmbeddedPostgres
from arcane.settings import Settings
from bench.table import percentile, print_table, verdict
from tests.support.job_backend import with_table
from tests.support.kafka_server import kafka
from tests.support.postgres import MigratedDatabase, Server, database_settings, make_template
from tests.support.rabbitmq import rabbitmq
from tests.support.workforce import Program, Workforce, workforce

JOBS = 5_000
SINGLE = 60
MANY = 100_000
AHEAD = 400
PER_SECOND = {"embedded": 500, "rabbitmq": 1_000, "kafka": 1_000}
BEGINS_MS = 100.0
MANY_S = 10.0


@dataclass(frozen=True, slots=True)
class Figures:
    """Jobs a second; ms of CPU a job in each process; ms until a single job began (95 of 100 at most)."""

    per_second: float
    cpu_ms: dict[str, float]
    begins_ms: float
    back_ms: float
    many_s: float


async def measured(server: Server, folder: Path, url: str | None, jobs: int) -> Figures:
    """Returns the figures of one broker."""
    name = f"bench_{uuid4().hex}"
    await make_template(server, name)
    stored = MigratedDatabase(name, Settings(database=database_settings(server, name)), server)
    await with_table(stored)
    broker = {"url": SecretStr(url)} if url else {}
    with workforce(stored, folder, broker=broker) as force:
        await anyio.to_thread.run_sync(force.start_backend)
        worker = force.add_worker("bench", AHEAD=str(AHEAD))
        await _done(force, 200)  # all is warm
        watched = {"worker": _process(worker), "backend": _process(force.backend), "Postgres": _postmaster(folder)}
        before = {name: _spent(process) for name, process in watched.items()}
        began = time.monotonic()
        await _done(force, jobs)
        took = time.monotonic() - began
        cpu = {name: (_spent(process) - before[name]) / jobs * 1e3 for name, process in watched.items()}
        begins, back = await _single_ms(force)
        worker.kill()
        began = time.monotonic()
        await force.start_run(MANY)
        return Figures(jobs / took, cpu, begins, back, time.monotonic() - began)


async def _done(force: Workforce, jobs: int) -> None:
    await force.until(lambda row: row["state"] == "done", await force.start_run(jobs), 300.0)


async def _single_ms(force: Workforce) -> tuple[float, float]:
    """Returns how long single jobs took, from the transaction that made them, until a worker had them, and until their
    results were back: p95 of each."""
    runs = []
    for _ in range(SINGLE):
        runs.append(await force.start_run(1))
        await anyio.sleep(0.05)
    for run in runs:
        await force.until(lambda row: row["state"] == "done", run, 60.0)
    asked = "SELECT claimed_at - created_at AS begins, settled_at - created_at AS back FROM jobs WHERE run_id = ANY($1)"
    took = await force.fetch(asked, runs)
    begins, back = ([row[name].total_seconds() * 1e3 for row in took] for name in ("begins", "back"))
    return percentile(begins, 0.95), percentile(back, 0.95)


def _process(program: Program) -> psutil.Process:
    assert program.process is not None
    return psutil.Process(program.process.pid)


def _postmaster(folder: Path) -> psutil.Process:
    (told,) = (folder / "pg").rglob("postmaster.pid")
    return psutil.Process(int(told.read_text().split()[0]))


def _spent(process: psutil.Process) -> float:
    """Returns the seconds of CPU of the process, and of those below it that live."""
    spent = 0.0
    for one in (process, *process.children(recursive=True)):
        try:
            times = one.cpu_times()
        except psutil.Error:
            continue
        spent += float(times.user + times.system)
    return spent


@contextmanager
def _broker(name: str, folder: Path) -> Iterator[str | None]:
    if name == "embedded":
        yield None
    else:
        with (rabbitmq if name == "rabbitmq" else kafka)(folder / name) as url:
            yield url


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("brokers", nargs="*", choices=[*PER_SECOND, []])
    parser.add_argument("--jobs", type=int, default=JOBS)
    given = parser.parse_args()
    rows, kept = [], True
    for name in given.brokers or PER_SECOND:
        with tempfile.TemporaryDirectory(prefix="arcane-bench-") as place:
            folder = Path(place)
            folder.chmod(0o755)
            running = EmbeddedPostgres(folder / "pg").start()
            try:
                server = Server("127.0.0.1", running.port, running.user, running.password)
                with _broker(name, folder) as url:
                    found = anyio.run(measured, server, folder, url, given.jobs)
            finally:
                running.stop()
        verdicts = (
            verdict(found.per_second, PER_SECOND[name], at_least=True),
            verdict(found.begins_ms, BEGINS_MS),
            verdict(found.many_s, MANY_S),
        )
        rows.append(
            (name, found.per_second, *found.cpu_ms.values(), found.begins_ms, found.back_ms, found.many_s, *verdicts)
        )
        kept &= set(verdicts) == {"kept"}
    spent, single = ("worker ms", "backend ms", "Postgres ms"), ("p95 begins ms", "p95 back ms")
    print_table("Idle jobs", ("broker", "jobs/s", *spent, *single, f"{MANY} made s", "jobs/s", "begins", "made"), rows)
    if not kept:
        sys.exit("not every bound was kept")


if __name__ == "__main__":
    main()
