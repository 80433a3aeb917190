"""What it takes to import and export a dataset of 100,000 rows in each format. `python -m bench.datasets`."""

from __future__ import annotations

import argparse
import gc
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import anyio
import psutil
from anyio import to_thread

from arcane.datasets.files.request import Format
from arcane.datasets.service.importing import GivenFile
from arcane.local.postgres import EmbeddedPostgres
from arcane.settings import Settings
from bench.process import MB
from bench.table import print_table, verdict
from tests.support.evaluating import Desk, desk_on
from tests.support.postgres import MigratedDatabase, Server, database_settings, make_template

ROWS = 100_000
GROWTH_MB = 50.0
"""How much larger the backend's process may get, however many rows there are."""
_WARM_UP = 100


@dataclass(slots=True)
class Spent:
    """Seconds, and how much larger the process was at its peak, in MB."""

    seconds: float = 0.0
    growth_mb: float = 0.0


@dataclass(frozen=True, slots=True)
class Figures:
    """One format, in and out."""

    format: Format
    rows: int
    size_mb: float
    coming: Spent = field(default_factory=Spent)
    going: Spent = field(default_factory=Spent)


@asynccontextmanager
async def measuring(spent: Spent) -> AsyncIterator[None]:
    """What the block takes stands in `spent` after it."""
    gc.collect()
    process = psutil.Process()
    before = peak = process.memory_info().rss
    began = time.perf_counter()
    async with anyio.create_task_group() as group:

        async def watch() -> None:
            nonlocal peak
            while True:
                peak = max(peak, process.memory_info().rss)
                await anyio.sleep(0.02)

        group.start_soon(watch)
        yield
        group.cancel_scope.cancel()
    spent.seconds, spent.growth_mb = time.perf_counter() - began, (peak - before) / MB


async def measured(desk: Desk, file: Path, format_: Format, rows: int, into: Path) -> Figures:
    """Returns what an import of `file`, which has so many rows, and an export of the same took."""
    figures = Figures(format_, rows, (await anyio.Path(file).stat()).st_size / MB)
    async with measuring(figures.coming):
        made = await desk.datasets.imports.create(desk.actor, GivenFile(file, format_), f"{format_.value} {rows}")
    if made.row_count != rows:
        sys.exit(f"of {rows} rows there are {made.row_count}")
    async with measuring(figures.going):
        await _exported(desk, made.id, format_, into)
    return figures


async def _exported(desk: Desk, dataset: UUID, format_: Format, into: Path) -> None:
    export = await desk.datasets.exports.export(desk.actor, dataset, format_)
    async with await anyio.open_file(into, "wb") as out:
        async for chunk in export.chunks:
            await out.write(chunk)


def _lines(rows: int) -> Iterator[str]:
    for n in range(rows):
        yield f'{{"question": "What is {n} + {n}, and why?", "answer": "{2 * n}, as always.", "n": {n}}}\n'


async def _every_format(desk: Desk, rows: int, folder: Path) -> list[Figures]:
    """The lines are written here; the other files are what the dataset of each import before is exported to."""
    file = folder / f"{rows}.jsonl"
    await anyio.Path(file).write_text("".join(_lines(rows)))
    found = [await measured(desk, file, Format.JSONL, rows, folder / "back.jsonl")]
    first = await desk.datasets.datasets.named(desk.actor, f"{Format.JSONL.value} {rows}")
    assert first is not None
    for format_ in (Format.CSV, Format.PARQUET):
        other = folder / f"{rows}.{format_.value}"
        await _exported(desk, first.id, format_, other)
        found.append(await measured(desk, other, format_, rows, folder / f"back.{format_.value}"))
    return found


async def run(rows: int) -> bool:
    """Prints the figures; returns True when the bound is kept."""
    with _folder() as folder:
        postgres = await to_thread.run_sync(EmbeddedPostgres(folder / "postgres").start)
        try:
            server = Server("127.0.0.1", postgres.port, postgres.user, postgres.password)
            await make_template(server, "bench")
            settings = Settings(_env_file=None, database=database_settings(server, "bench"))
            async with desk_on(MigratedDatabase("bench", settings, server)) as desk:
                await _every_format(desk, _WARM_UP, folder)  # what is loaded on first use
                found = await _every_format(desk, rows, folder)
        finally:
            await to_thread.run_sync(postgres.stop)
    print_table(
        f"A dataset of {rows} rows",
        ("format", "MB", "rows/s in", "MB more", "rows/s out", "MB more", "memory"),
        [
            (
                one.format.value,
                round(one.size_mb, 1),
                round(one.rows / one.coming.seconds),
                round(one.coming.growth_mb, 1),
                round(one.rows / one.going.seconds),
                round(one.going.growth_mb, 1),
                verdict(_growth(one), GROWTH_MB),
            )
            for one in found
        ],
    )
    return all(_growth(one) <= GROWTH_MB for one in found)


def _growth(one: Figures) -> float:
    return max(one.coming.growth_mb, one.going.growth_mb)


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder that Postgres can work in, whoever it runs as."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    anyio.run(run, parser.parse_args().rows)


if __name__ == "__main__":
    main()
