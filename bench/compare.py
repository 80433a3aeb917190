"""The same question through Arcane and straight to the backend, in turn, so that both see the same machine."""

from __future__ import annotations

from bench.awake import awake
from bench.client import Connection
from bench.instance import Instance
from bench.table import percentile, print_table, verdict

WARM_UP = 30
ROUNDS = 200


async def compare(title: str, bench: Instance, requests: tuple[bytes, bytes], bound_ms: float) -> None:
    """Prints p50 and p95 of both, what Arcane adds, the ratio, and the backend's CPU a request.

    On a busy machine the CPU is the figure to look at: waiting for a core is not Arcane's doing.
    """
    through = await Connection.open(bench.arcane)
    direct = await Connection.open(bench.stub)
    took: tuple[list[float], list[float]] = ([], [])
    spent = 0.0
    with awake():
        for number in range(WARM_UP + ROUNDS):
            if number == WARM_UP:
                spent = bench.backend.cpu_s()
            for connection, request, times in zip((through, direct), requests, took, strict=True):
                milliseconds = await connection.timed(request)
                if number >= WARM_UP:
                    times.append(milliseconds)
    cpu_ms = (bench.backend.cpu_s() - spent) * 1_000 / ROUNDS
    through.close()
    direct.close()
    rows: list[list[object]] = [
        [name, percentile(times, 0.5), percentile(times, 0.95)]
        for name, times in zip(("through Arcane", "direct"), took, strict=True)
    ]
    added = percentile(took[0], 0.5) - percentile(took[1], 0.5)
    ratio = percentile(took[0], 0.5) / percentile(took[1], 0.5)
    print_table(title, ("", "p50 ms", "p95 ms"), rows)
    said = f"added p50 {added:.2f} ms (bound {bound_ms:.0f}: {verdict(added, bound_ms)})"
    print(f"{said}, ratio {ratio:.2f}, {cpu_ms:.1f} ms of CPU")
