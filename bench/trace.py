"""What Arcane adds to a trace of 1,000 spans: its time over the direct request's. `python -m bench.trace`."""

from __future__ import annotations

import uvloop

from bench.compare import compare
from bench.instance import instance

SPANS = 1_000
BOUND_MS = 15.0


async def run() -> None:
    async with instance(delay_ms=20) as bench:
        requests = (bench.trace(SPANS), bench.trace_direct(SPANS))
        await compare(f"trace, {SPANS:,} spans", bench, requests, BOUND_MS)


if __name__ == "__main__":
    uvloop.run(run())
