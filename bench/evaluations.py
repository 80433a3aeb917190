"""What it takes to make an evaluation of 100,000 rows. `python -m bench.evaluations`."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass

import anyio
from sqlalchemy import text

from arcane.datasets.sources import Scope
from arcane.evaluations.words import Draft
from arcane.jobs.tables import Job
from bench.desk import desk_bench
from bench.spending import Spent, measuring
from bench.table import print_table, verdict
from tests.support.evaluating import EXACT, Desk

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
    """What it took until the transaction was committed."""

    rows: int
    spent: Spent


async def measured(desk: Desk, rows: int) -> Figures:
    """Returns what making an evaluation of `rows` rows took this process; Postgres is another one."""
    dataset = await desk.dataset(columns=("response", "reference"))
    async with desk.ledger.database.transaction(desk.actor.tenant) as session:
        given = {"organisation": desk.actor.organisation_id, "project": desk.actor.project_id}
        await session.execute(_FILL, {**given, "dataset": dataset, "rows": rows})
    draft = Draft(name=f"{rows} rows", scope=Scope.DATASET, dataset_id=dataset, scores=(EXACT,), mappings={})
    spent = Spent()
    async with measuring(spent):
        made = await desk.evaluations.evaluations.create(desk.actor, draft)
    jobs = await desk.ledger.rows(f"SELECT count(*) AS n FROM {Job.__tablename__} WHERE run_id = :run", run=made.run_id)
    if not (made.tally.total == jobs[0].n == rows):
        sys.exit(f"of {rows} rows there are {made.tally.total} results and {jobs[0].n} jobs")
    return Figures(rows, spent)


async def run(rows: int) -> bool:
    """Prints the figures; returns True when both bounds are kept."""
    async with desk_bench() as bench:
        await measured(bench.desk, 100)  # what is loaded on first use
        small, large = await measured(bench.desk, rows // 10), await measured(bench.desk, rows)
    print_table(
        "An evaluation is made",
        ("rows", "seconds", "CPU s", "MB more", "seconds", "memory"),
        [
            (one.rows, round(it.seconds, 2), round(it.cpu_s, 2), round(it.growth_mb, 1), *_kept(it))
            for one in (small, large)
            for it in (one.spent,)
        ],
    )
    return large.spent.seconds <= CREATE_S and large.spent.growth_mb <= GROWTH_MB


def _kept(one: Spent) -> tuple[str, str]:
    return verdict(one.seconds, CREATE_S), verdict(one.growth_mb, GROWTH_MB)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    anyio.run(run, parser.parse_args().rows)


if __name__ == "__main__":
    main()
