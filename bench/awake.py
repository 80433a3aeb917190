"""Keeps the processor awake while something is timed that waits a lot. `python -m bench.awake CORE` spins for ever.

A core of a virtual machine that has slept for the 20 ms which a stub takes works up to 1.8 times slower afterwards
(its host gave the real one to somebody else meanwhile), and what is measured is the host. A process of the idle
class on each core never stands in the way: whoever has work to do goes first, at once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from arcane.local.environment import child_environment
from arcane.settings import Settings
from bench.process import Watched


@contextmanager
def awake() -> Iterator[None]:
    """While the block runs, no core of this machine sleeps (Linux; elsewhere nothing is changed)."""
    environment = child_environment(Settings(_env_file=None))
    cores = os.sched_getaffinity(0) if hasattr(os, "SCHED_IDLE") else ()
    with ExitStack() as stack:
        for core in cores:
            stack.callback(Watched.start(["-m", "bench.awake", str(core)], environment).stop)
        yield


def spin(core: int) -> None:
    """Uses what nobody else wants of `core`; ends with the process that started it."""
    os.sched_setaffinity(0, {core})
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    parent = os.getppid()
    while os.getppid() == parent:
        for _ in range(1_000_000):
            pass


if __name__ == "__main__":
    spin(int(sys.argv[1]))
