"""Time to ready; memory when idle, after load, and at the peak of a 50,000-span download. `python -m bench.memory`."""

from __future__ import annotations

import anyio
import uvloop

from bench.answers import SMALL_SPANS
from bench.client import Connection, load
from bench.instance import instance
from bench.load import CLIENTS, QUERIES
from bench.table import print_table, verdict

LARGE_SPANS = 50_000
BOUNDS = {"ready, s": 5.0, "idle, MB": 150.0, "after load, MB": 300.0, "peak while streaming, MB": 250.0}


async def run() -> None:
    figures = {}
    async with instance(delay_ms=0) as bench:
        figures["ready, s"] = bench.ready_s
        await anyio.sleep(2)
        figures["idle, MB"] = bench.backend.rss_mb()
        requests = [bench.trace(SMALL_SPANS), bench.trace(1_000), *(bench.search(query) for query in QUERIES)]
        await load(bench.arcane, requests, CLIENTS, 10.0)
        figures["after load, MB"] = bench.backend.rss_mb()
    async with instance(delay_ms=0) as bench:  # a fresh process: its peak is the download's alone
        connection = await Connection.open(bench.arcane)
        bench.backend.forget_peak()
        body = await connection.ask(bench.trace_otlp(LARGE_SPANS))
        figures["peak while streaming, MB"] = bench.backend.peak_mb()
        connection.close()
    rows: list[list[object]] = [
        [name, figure, BOUNDS[name], verdict(figure, BOUNDS[name])] for name, figure in figures.items()
    ]
    print_table("time to ready and memory of one backend process", ("", "figure", "bound", ""), rows)
    print(f"the download of {LARGE_SPANS:,} spans had {len(body) / 1e6:.0f} MB")


if __name__ == "__main__":
    uvloop.run(run())
