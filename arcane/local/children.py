"""The processes that `arcane up` starts and answers for."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import anyio
from anyio.abc import Process, TaskStatus

from arcane.kit.supervised import READY
from arcane.local.errors import LocalError

_READY_TIMEOUT_S = 60.0
_STOP_TIMEOUT_S = 15.0


@dataclass(frozen=True, slots=True)
class Child:
    """A program that runs as long as we do."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]


async def run_child(child: Child, *, task_status: TaskStatus[None]) -> None:
    """Runs `child` until we are cancelled; started once it says that it is ready.

    Raises LocalError when it ends by itself. However this ends, the process has ended too.
    """
    process = await anyio.open_process(
        child.command,
        env=child.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=None,
        start_new_session=True,  # a Ctrl-C in the terminal is for us; we stop the children in order
    )
    try:
        await _until_ready(child, process)
        task_status.started()
        raise _ended(child, await process.wait())
    finally:
        with anyio.CancelScope(shield=True):
            await _stop(process)


async def _until_ready(child: Child, process: Process) -> None:
    assert process.stdout is not None  # noqa: S101 - asked for above
    try:
        with anyio.fail_after(_READY_TIMEOUT_S):
            said = await process.stdout.receive()
    except anyio.EndOfStream:
        raise _ended(child, await process.wait()) from None
    except TimeoutError:
        raise LocalError(f"the {child.name} was not ready after {_READY_TIMEOUT_S:.0f} s; its log is above") from None
    if said != READY:
        raise LocalError(f"the {child.name} wrote to its standard output before it was ready: {said[:80]!r}")


def _ended(child: Child, code: int) -> LocalError:
    how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
    return LocalError(f"the {child.name} stopped by itself ({how}), so everything else was stopped; its log is above")


async def _stop(process: Process) -> None:
    if process.returncode is None:
        process.terminate()
        with anyio.move_on_after(_STOP_TIMEOUT_S):
            await process.wait()
    if process.returncode is None:
        process.kill()
    await process.aclose()
