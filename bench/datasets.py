"""What it takes to import and export a dataset of 100,000 rows in each format. `python -m bench.datasets`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import anyio

from arcane.datasets.files.request import Format
from arcane.datasets.service.importing import GivenFile
from bench.desk import desk_bench
from bench.process import MB
from bench.spending import Spent, measuring
from bench.table import print_table, verdict
from tests.support.evaluating import Desk

ROWS = 100_000
GROWTH_MB = 50.0
"""How much larger the backend's process may get, however many rows there are."""
_WARM_UP = 100


@dataclass(frozen=True, slots=True)
class Figures:
    """One format, in and out."""

    format: Format
    rows: int
    size_mb: float
    coming: Spent = field(default_factory=Spent)
    going: Spent = field(default_factory=Spent)


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
    async with desk_bench() as bench:
        await _every_format(bench.desk, _WARM_UP, bench.folder)  # what is loaded on first use
        found = await _every_format(bench.desk, rows, bench.folder)
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    anyio.run(run, parser.parse_args().rows)


if __name__ == "__main__":
    main()
