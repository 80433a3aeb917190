"""The same question through Arcane and straight to the backend, in turn, so that both see the same machine."""

from __future__ import annotations

from bench.client import Connection
from bench.instance import Instance
from bench.table import percentile, print_table, verdict

WARM_UP = 30
ROUNDS = 200


async def compare(title: str, bench: Instance, requests: tuple[bytes, bytes], bound_ms: float) -> None:
    """Prints p50 and p95 of both, what Arcane adds, and the ratio."""
    through = await Connection.open(bench.arcane)
    direct = await Connection.open(bench.stub)
    took: tuple[list[float], list[float]] = ([], [])
    for number in range(WARM_UP + ROUNDS):
        for connection, request, times in zip((through, direct), requests, took, strict=True):
            milliseconds = await connection.timed(request)
            if number >= WARM_UP:
                times.append(milliseconds)
    through.close()
    direct.close()
    rows: list[list[object]] = [
        [name, percentile(times, 0.5), percentile(times, 0.95)]
        for name, times in zip(("through Arcane", "direct"), took, strict=True)
    ]
    added = percentile(took[0], 0.5) - percentile(took[1], 0.5)
    ratio = percentile(took[0], 0.5) / percentile(took[1], 0.5)
    print_table(title, ("", "p50 ms", "p95 ms"), rows)
    print(f"added p50 {added:.2f} ms (bound {bound_ms:.0f}: {verdict(added, bound_ms)}), ratio {ratio:.2f}")
