"""What Arcane adds to a search of 50 traces: its time over the direct request's. `python -m bench.search`."""

from __future__ import annotations

import uvloop

from bench.compare import compare
from bench.instance import instance

BOUND_MS = 8.0


async def run() -> None:
    async with instance(delay_ms=20) as bench:
        await compare("search, 50 traces", bench, (bench.search(), bench.search_direct()), BOUND_MS)


if __name__ == "__main__":
    uvloop.run(run())
