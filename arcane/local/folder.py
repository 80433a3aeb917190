"""The folder that keeps what `make up` needs between two runs: Postgres, generated keys, the demo, and a lock."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import secrets
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path

from arcane.kit.whole import written_whole
from arcane.local.errors import LocalError

_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class LocalKeys:
    """Generated once per folder; whoever loses them loses the stored credentials of datasources."""

    secret: str
    worker: str


@dataclass(frozen=True, slots=True)
class LocalFolder:
    """A folder that exists and can be written to."""

    path: Path

    @classmethod
    def open(cls, path: Path) -> LocalFolder:
        """Returns the folder at `path`, created when it is not there. Raises LocalError."""
        folder = cls(path.absolute())
        try:
            folder.path.mkdir(parents=True, exist_ok=True)
            folder.path.chmod(0o755)  # the embedded Postgres of root runs as somebody else
            folder._lock_file.touch()
        except OSError as exc:
            raise LocalError(
                f"cannot write to {folder.path}: {exc.strerror}; make it writable, or choose another one with --folder"
            ) from exc
        return folder

    @property
    def postgres(self) -> Path:
        """Where the embedded Postgres keeps everything of its own."""
        return self.path / "postgres"

    @property
    def demo(self) -> Path:
        """Where the demo's trace files are."""
        return self.path / "demo"

    @property
    def _lock_file(self) -> Path:
        return self.path / "lock"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """While the block runs, nobody else runs on this folder. Raises LocalError when somebody does."""
        with self._lock_file.open("r+") as file:
            if not _acquire(file):
                raise LocalError(
                    f"another `make up` runs on {self.path} (process {file.read().strip()}); stop it, or `make down`"
                )
            file.truncate()
            file.write(str(os.getpid()))
            file.flush()
            yield
            file.seek(0)
            file.truncate()

    def stop_other(self, within_s: float) -> bool:
        """Ends the run that holds the lock, True when there was one. Raises LocalError when it does not end."""
        with self._lock_file.open("r+") as file:
            if _acquire(file):
                return False
            holder = file.read().strip()
            os.kill(int(holder), signal.SIGTERM)
            end = time.monotonic() + within_s
            while not _acquire(file):
                if time.monotonic() > end:
                    raise LocalError(f"process {holder} does not stop; end it by hand")
                time.sleep(_POLL_S)
        return True

    def keys(self) -> LocalKeys:
        """Returns the keys of this folder, generated on first use and readable by their owner only."""
        file = self.path / "keys.json"
        if not file.exists():
            fresh = {"secret": base64.b64encode(secrets.token_bytes(32)).decode(), "worker": secrets.token_urlsafe(32)}
            with written_whole(file, 0o600) as out:
                out.write(json.dumps(fresh).encode())
        try:
            return LocalKeys(**json.loads(file.read_text()))
        except (ValueError, TypeError) as exc:
            raise LocalError(
                f"{file} is broken; restore it from a copy, or move {self.path} away to start anew"
            ) from exc


def _acquire(file: TextIOWrapper) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
