"""Requests a second and CPU a request of one backend process under 16 keep-alive clients. `python -m bench.load`.

The stub answers at once here: with its 20 ms, 16 clients could not ask more than 800 times a second.
"""

from __future__ import annotations

import uvloop

from bench.answers import SMALL_SPANS
from bench.client import load
from bench.instance import Instance, instance
from bench.table import percentile, print_table, verdict

CLIENTS = 16
SECONDS = 8.0
CPU_BOUND_MS = 1.5
QUERIES = ("{ }", "{ status = error }", '{ resource.service.name = "agent-api" && duration > 1s }', "{ kind = server }")


async def measure(bench: Instance, title: str, requests: list[bytes], bound: float) -> list[object]:
    """Returns a row: requests a second, CPU a request, latency, verdicts."""
    await load(bench.arcane, requests, CLIENTS, 2.0)
    before = bench.backend.cpu_s()
    done = await load(bench.arcane, requests, CLIENTS, SECONDS)
    cpu_ms = (bench.backend.cpu_s() - before) * 1_000 / done.requests
    return [
        title,
        done.per_second,
        verdict(done.per_second, bound, at_least=True),
        cpu_ms,
        verdict(cpu_ms, CPU_BOUND_MS),
        percentile(done.milliseconds, 0.5),
        percentile(done.milliseconds, 0.99),
    ]


async def run() -> None:
    async with instance(delay_ms=0) as bench:
        searches = [bench.search(query) for query in QUERIES]
        rows = [
            await measure(bench, f"trace, {SMALL_SPANS} spans", [bench.trace(SMALL_SPANS)], 1_000),
            await measure(bench, "search, 50 hits", searches, 700),
        ]
        header = ("", "requests/s", "bound", "CPU ms", "bound", "p50 ms", "p99 ms")
        print_table(f"load, {CLIENTS} clients, one process", header, rows)


if __name__ == "__main__":
    uvloop.run(run())
