"""An `arcane up` of its own for a test: a process, its folder, its port."""

from __future__ import annotations

import os
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import psutil

READY = "Ctrl-C stops everything"
START_TIMEOUT_S = 150.0
STOP_TIMEOUT_S = 30.0


def free_port() -> int:
    """Returns a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class ArcaneUp:
    """`arcane up` as somebody would type it. As a context manager it has ended when the block ends."""

    folder: Path
    port: int = field(default_factory=free_port)
    settings: dict[str, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    def __enter__(self) -> ArcaneUp:
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "arcane.cli", "up", "--folder", str(self.folder)],
            env={
                "PATH": os.defpath,
                "ARCANE_SERVER__PORT": str(self.port),
                **self.settings,
            },
            cwd=self.folder.parent,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._arriving: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        left = self.family()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
        for process in left:
            if process.is_running() and process.pid != self.process.pid:
                process.kill()
        self._reader.join(STOP_TIMEOUT_S)
        if self.process.stdout is not None:
            self.process.stdout.close()

    @property
    def address(self) -> str:
        """Where the backend is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def told(self) -> list[str]:
        """The lines that are meant for the person, without the log."""
        return [line.removeprefix("arcane: ") for line in self.lines if line.startswith("arcane: ")]

    @property
    def link(self) -> str:
        """The one-time link that was printed."""
        found = re.search(r"http\S+/setup\S+", "\n".join(self.told))
        assert found, self.lines
        return found.group()

    def until_ready(self) -> float:
        """Everything runs; returns how many seconds that took."""
        begun = time.monotonic()
        while time.monotonic() - begun < START_TIMEOUT_S:
            line = self._arriving.get(timeout=START_TIMEOUT_S)
            assert line is not None, f"it ended instead: {self.lines}"
            if READY in line:
                return time.monotonic() - begun
        raise AssertionError(f"not ready: {self.lines}")

    def stop(self, how: signal.Signals = signal.SIGINT) -> int:
        """Returns the exit code after `how`, once nothing of it runs any more. Nothing had to be cut off for it."""
        family = self.family()
        self.process.send_signal(how)
        code = self.ended(family)
        assert not [line for line in self.lines if "uvicorn.error" in line], self.lines
        return code

    def ended(self, family: list[psutil.Process] | None = None) -> int:
        """Returns the exit code, once nothing of `family` runs any more."""
        code = self.process.wait(STOP_TIMEOUT_S)
        self._reader.join(STOP_TIMEOUT_S)
        _, alive = psutil.wait_procs(family or [], timeout=STOP_TIMEOUT_S)
        assert alive == [], "left running"
        return code

    def family(self) -> list[psutil.Process]:
        """Returns this process and everything it started."""
        try:
            mine = psutil.Process(self.process.pid)
            return [mine, *mine.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def child(self, name: str) -> psutil.Process:
        """Returns the child whose command line names `name`."""
        return next(
            process
            for process in self.family()[1:]
            if any(word == name or word.endswith(f"/{name}") for word in process.cmdline())
        )

    def get(self, path: str) -> int:
        """Returns the status of `path`."""
        with urllib.request.urlopen(self.address + path, timeout=10) as answer:
            return int(answer.status)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            self._arriving.put(line)
        self._arriving.put(None)


@contextmanager
def occupied_port() -> Iterator[int]:
    """A port that somebody else listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield int(taken.getsockname()[1])
