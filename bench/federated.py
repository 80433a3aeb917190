"""Three datasources at once over the slowest of them alone, in turn. `python -m bench.federated`."""

from __future__ import annotations

import time
from collections.abc import Sequence

import uvloop

from arcane.federation.execute import Engine
from arcane.federation.source import Source
from arcane.model.deadline import Deadline
from arcane.settings import LimitSettings
from bench.awake import awake
from bench.stores import HITS, everything, stores
from bench.table import percentile, print_table, verdict

DELAYS_MS = (10.0, 20.0, 60.0)
BOUND = 1.15
WARM_UP, ROUNDS = 20, 100


async def run() -> None:
    engine = Engine(LimitSettings())

    async def timed(sources: Sequence[Source]) -> float:
        began = time.perf_counter()
        found = await engine.search(everything(), sources, None, Deadline.after(20))
        assert len(found.hits) == HITS, found.outcome
        return (time.perf_counter() - began) * 1_000

    async with stores(DELAYS_MS) as made:
        every = [one.source for one in made]
        slowest, all_of_them, cpu = [], [], 0.0
        with awake():
            for number in range(WARM_UP + ROUNDS):
                alone = await timed(every[-1:])
                spent = time.process_time()
                together = await timed(every)
                if number >= WARM_UP:
                    slowest.append(alone)
                    all_of_them.append(together)
                    cpu += time.process_time() - spent
    rows: list[list[object]] = [
        [name, percentile(times, 0.5), percentile(times, 0.95)]
        for name, times in (("the slowest alone", slowest), ("all three", all_of_them))
    ]
    print_table(f"{HITS} traces of datasources that answer after {DELAYS_MS} ms", ("", "p50 ms", "p95 ms"), rows)
    ratio = percentile(all_of_them, 0.5) / percentile(slowest, 0.5)
    said = f"federated over the slowest: {ratio:.2f} (bound {BOUND}: {verdict(ratio, BOUND)})"
    print(f"{said}, {cpu * 1_000 / ROUNDS:.1f} ms of CPU for the three")


if __name__ == "__main__":
    uvloop.run(run())
