"""Programs of ours in processes of their own, forked from one that has loaded them: loading is most of a start.

Those that `make up` starts in tests are started as anybody does, with nothing loaded.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.support.mortal import end_with_parent
from tests.support.repository_files import ROOT

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["arcane.cli.everything", "arcane.cli.light", "arcane.local.serve", "worker.main"])


class Forked:
    """`python -m MODULE ARGUMENTS` with `environment` alone; what it prints is added to the two files.

    It has what tests use of `subprocess.Popen`.
    """

    def __init__(
        self, command: tuple[str, ...], environment: Mapping[str, str], *, out: Path, err: Path, folder: Path = ROOT
    ) -> None:
        given = (command, dict(environment), (out, err), folder)
        self._process = _FORKS.Process(target=_become, args=given, daemon=True)
        self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    def poll(self) -> int | None:
        """Returns the exit code (the negative signal, when one ended it), None while it runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Returns the exit code, when it has ended; raises subprocess.TimeoutExpired."""
        self._process.join(timeout)
        code = self.poll()
        if code is None:
            raise subprocess.TimeoutExpired(self._process.name, timeout or 0.0)
        return code

    def send_signal(self, how: signal.Signals) -> None:
        """It was told, unless it had ended."""
        if self.poll() is None:
            os.kill(self.pid, how)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def end(self, patience_s: float, how: signal.Signals = signal.SIGTERM) -> int:
        """Returns the exit code of the process, which was told to end, and was killed when it did not."""
        self.send_signal(how)
        try:
            return self.wait(patience_s)
        except subprocess.TimeoutExpired:
            self.kill()
            return self.wait()


def _become(command: tuple[str, ...], environment: Mapping[str, str], streams: tuple[Path, Path], folder: Path) -> None:
    """This process is the program."""
    end_with_parent()
    os.setsid()
    own = os.environ  # noqa: TID251 - the program's, before it reads its settings
    own.clear()
    own.update(environment)
    for path, descriptor in zip(streams, (1, 2), strict=True):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), descriptor)
    os.chdir(folder)
    module, *arguments = command
    sys.argv = [module, *arguments]
    if not hasattr(sys.modules.get(module), "__path__"):  # what runs as __main__ is not there a second time
        sys.modules.pop(module, None)
    runpy.run_module(module, run_name="__main__", alter_sys=True)
