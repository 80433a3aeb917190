"""What it takes to make an evaluation of 100,000 rows. `python -m bench.evaluations`."""

from __future__ import annotations

import argparse
import gc
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
import psutil
from anyio import to_thread
from sqlalchemy import text

from arcane.datasets.sources import Scope
from arcane.evaluations.words import Draft
from arcane.jobs.tables import Job
from arcane.local.postgres import EmbeddedPostgres
from arcane.settings import Settings
from bench.process import MB
from bench.table import print_table, verdict
from tests.support.evaluating import EXACT, Desk, desk_on
from tests.support.postgres import MigratedDatabase, Server, database_settings, make_template

ROWS = 100_000
CREATE_S = 10.0
GROWTH_MB = 30.0
_FILL = text(
    "INSERT INTO dataset_rows (organisation_id, project_id, dataset_id, row_id, from_version, ordinal, values, split) "
    "SELECT :organisation, :project, :dataset, gen_random_uuid(), 1, n, "
    "jsonb_build_object('c1', 'What is ' || n || ' + ' || n || '?', 'c2', (2 * n)::text), '' "
    "FROM generate_series(1, CAST(:rows AS integer)) AS n"
)


@dataclass(frozen=True, slots=True)
class Figures:
    """Seconds until the transaction was committed, and how much larger the process was at its peak, in MB."""

    rows: int
    seconds: float
    cpu_s: float
    growth_mb: float


async def measured(desk: Desk, rows: int) -> Figures:
    """Returns what making an evaluation of `rows` rows took this process; Postgres is another one."""
    dataset = await desk.dataset(columns=("response", "reference"))
    async with desk.ledger.database.transaction(desk.actor.tenant) as session:
        given = {"organisation": desk.actor.organisation_id, "project": desk.actor.project_id}
        await session.execute(_FILL, {**given, "dataset": dataset, "rows": rows})
    draft = Draft(name=f"{rows} rows", scope=Scope.DATASET, dataset_id=dataset, scores=(EXACT,), mappings={})
    gc.collect()
    process = psutil.Process()
    before, cpu, peak = process.memory_info().rss, process.cpu_times(), 0
    began = time.perf_counter()
    async with anyio.create_task_group() as group:

        async def watch() -> None:
            nonlocal peak
            while True:
                peak = max(peak, process.memory_info().rss)
                await anyio.sleep(0.02)

        group.start_soon(watch)
        made = await desk.evaluations.evaluations.create(desk.actor, draft)
        group.cancel_scope.cancel()
    seconds = time.perf_counter() - began
    spent = process.cpu_times().user + process.cpu_times().system - cpu.user - cpu.system
    jobs = await desk.ledger.rows(f"SELECT count(*) AS n FROM {Job.__tablename__} WHERE run_id = :run", run=made.run_id)
    if not (made.tally.total == jobs[0].n == rows):
        sys.exit(f"of {rows} rows there are {made.tally.total} results and {jobs[0].n} jobs")
    return Figures(rows, seconds, spent, max(0, peak - before) / MB)


async def run(rows: int) -> bool:
    """Prints the figures; returns True when both bounds are kept."""
    with _folder() as folder:
        postgres = await to_thread.run_sync(EmbeddedPostgres(folder / "postgres").start)
        try:
            server = Server("127.0.0.1", postgres.port, postgres.user, postgres.password)
            await make_template(server, "bench")
            settings = Settings(_env_file=None, database=database_settings(server, "bench"))
            stored = MigratedDatabase("bench", settings, server)
            async with desk_on(stored) as desk:
                await measured(desk, 100)  # what is loaded on first use
                small, large = await measured(desk, rows // 10), await measured(desk, rows)
        finally:
            await to_thread.run_sync(postgres.stop)
    print_table(
        "An evaluation is made",
        ("rows", "seconds", "CPU s", "MB more", "seconds", "memory"),
        [
            (one.rows, round(one.seconds, 2), round(one.cpu_s, 2), round(one.growth_mb, 1), *_kept(one))
            for one in (small, large)
        ],
    )
    return large.seconds <= CREATE_S and large.growth_mb <= GROWTH_MB


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder that Postgres can work in, whoever it runs as."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def _kept(one: Figures) -> tuple[str, str]:
    return verdict(one.seconds, CREATE_S), verdict(one.growth_mb, GROWTH_MB)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    anyio.run(run, parser.parse_args().rows)


if __name__ == "__main__":
    main()
