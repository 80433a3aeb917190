"""A process that another one started (`arcane up`): it says when it is ready, and it ends when the other one ends.

Both go over the standard streams, which close by themselves when a process is killed: no process
id to keep, no port to poll, nothing left running.
"""

from __future__ import annotations

import sys

import anyio

READY = b"ready\n"


def say_ready() -> None:
    """The parent knows that this process does its work."""
    sys.stdout.buffer.write(READY)
    sys.stdout.buffer.flush()


async def until_parent_ends() -> None:
    """Returns when the parent closed our standard input, or died."""
    await anyio.wait_readable(sys.stdin.fileno())
