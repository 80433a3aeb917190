"""What a block of this process takes: seconds, CPU, and how much larger the process gets."""

from __future__ import annotations

import gc
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio
import psutil

from bench.process import MB

_LOOK_EVERY_S = 0.02


@dataclass(slots=True)
class Spent:
    """Seconds, seconds of CPU, and how much larger the process was at its peak, in MB."""

    seconds: float = 0.0
    cpu_s: float = 0.0
    growth_mb: float = 0.0


@asynccontextmanager
async def measuring(spent: Spent) -> AsyncIterator[None]:
    """What the block takes stands in `spent` after it."""
    gc.collect()
    process = psutil.Process()
    before = peak = process.memory_info().rss
    cpu, began = process.cpu_times(), time.perf_counter()
    async with anyio.create_task_group() as group:

        async def watch() -> None:
            nonlocal peak
            while True:
                peak = max(peak, process.memory_info().rss)
                await anyio.sleep(_LOOK_EVERY_S)

        group.start_soon(watch)
        yield
        group.cancel_scope.cancel()
    after = process.cpu_times()
    spent.seconds = time.perf_counter() - began
    spent.cpu_s = after.user + after.system - cpu.user - cpu.system
    spent.growth_mb = (peak - before) / MB
