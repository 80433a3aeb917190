"""A child process, watched: when it is ready, what it spends, what it holds."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

MB = 1_000_000
_STOP_S = 15


@dataclass(frozen=True, slots=True)
class Watched:
    """A running process and when it was started (perf_counter)."""

    process: subprocess.Popen[str]
    began: float

    @classmethod
    def start(cls, arguments: Sequence[str], environment: Mapping[str, str], log: Path | None = None) -> Watched:
        """Returns a new Python process running `arguments`; its output is piped, or goes to `log`."""
        began = time.perf_counter()
        out = subprocess.PIPE if log is None else log.open("w")
        process = subprocess.Popen(
            [sys.executable, *arguments],
            env=dict(environment),
            stdout=out,
            stderr=None if log is None else out,
            text=True,
        )
        return cls(process, began)

    def line(self) -> str:
        """Returns the next line the process prints."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def cpu_s(self) -> float:
        """Seconds of CPU the process has used, user and system, all its threads."""
        told = [one.read_text() for one in Path(f"/proc/{self.process.pid}/task").glob("*/schedstat")]
        if told:  # in nanoseconds, where the other is in hundredths of a second
            return sum(int(one.split()[0]) for one in told) / 1e9
        times = psutil.Process(self.process.pid).cpu_times()
        return float(times.user + times.system)

    def rss_mb(self) -> float:
        """Resident memory now."""
        return float(psutil.Process(self.process.pid).memory_info().rss) / MB

    def forget_peak(self) -> None:
        """The peak of resident memory begins anew (Linux)."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    def peak_mb(self) -> float:
        """The most resident memory since `forget_peak` (Linux)."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / MB
        raise RuntimeError("this system does not tell the peak of a process")

    def stop(self) -> None:
        """Ends the process and waits for it."""
        self.process.terminate()
        try:
            self.process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(_STOP_S)
