"""A real RabbitMQ for tests: the one at ARCANE_TEST_RABBITMQ_URL, or the program on the PATH, started once a run."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.not_run import told
from tests.support.running import free_port

_BOOT_S = 120.0
_STOP_S = 30.0


@dataclass(slots=True)
class RabbitServer:
    """A broker of our own in `folder`, on loopback ports; it can be killed and started again with its data."""

    folder: Path
    port: int = field(default_factory=free_port)
    _names: int = field(default_factory=free_port)
    _distribution: int = field(default_factory=free_port)
    _server: subprocess.Popen[bytes] | None = None
    _mapper: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it is."""
        return f"amqp://guest:guest@127.0.0.1:{self.port}/"

    def start(self) -> None:
        """It answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{self.port}\nlog.console = false\nlog.file.level = warning\n"
            "loopback_users.guest = true\ndisk_free_limit.absolute = 50MB\n"
        )
        (self.folder / "enabled_plugins").write_text("[].\n")
        with (self.folder / "boot.log").open("ab") as log:
            mapper = [_program("epmd"), "-address", "127.0.0.1", "-port", str(self._names)]
            self._mapper = subprocess.Popen(mapper, env=self._environment(), stdout=log, stderr=log)
            self._server = subprocess.Popen(
                [_server_program()],
                env=self._environment(),
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,
            )
        self._until_it_answers()

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """It is gone, with everything it started; SIGKILL leaves it no time to tidy up."""
        server, mapper = self._server, self._mapper
        if server is not None:
            _signal_group(server.pid, how)
            deadline = time.monotonic() + _STOP_S
            server.wait(_STOP_S)
            while _group_lives(server.pid) and time.monotonic() < deadline:
                time.sleep(0.05)
            _signal_group(server.pid, signal.SIGKILL)
        if mapper is not None:
            mapper.kill()
            mapper.wait()
        self._server = self._mapper = None

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,  # noqa: TID251 - a program needs its PATH
            "HOME": str(self.folder),
            "RABBITMQ_NODENAME": "rabbit@localhost",
            "RABBITMQ_MNESIA_BASE": str(self.folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "enabled_plugins"),
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_DIST_PORT": str(self._distribution),
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
            "RABBITMQ_CONF_ENV_FILE": os.devnull,
            "ERL_EPMD_PORT": str(self._names),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_MAX_PORTS": "4096",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} +S 2:2 +sbwt none",
        }

    def _until_it_answers(self) -> None:
        deadline = time.monotonic() + _BOOT_S
        while time.monotonic() < deadline:
            if self._server is None or self._server.poll() is not None:
                break
            try:
                with closing(socket.create_connection(("127.0.0.1", self.port), 1)) as connection:
                    connection.settimeout(2)
                    connection.sendall(b"AMQP\0\0\x09\1")
                    if connection.recv(8):
                        return
            except OSError:
                pass
            time.sleep(0.05)
        log = (self.folder / "boot.log").read_text(errors="replace")[-2_000:]
        self.stop(signal.SIGKILL)
        raise RuntimeError(f"RabbitMQ did not start: {log}")


@contextmanager
def rabbitmq(folder: Path) -> Iterator[str]:
    """Yields the URL of a RabbitMQ: the given one, or one that lives in `folder` as long as the block."""
    given = told("ARCANE_TEST_RABBITMQ_URL")
    if given:
        yield given
        return
    server = RabbitServer(folder)
    server.start()
    try:
        yield server.url
    finally:
        server.stop()


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise RuntimeError(f"{name} is not on the PATH")
    return found


def _server_program() -> str:
    """Returns the server itself: Debian's program on the PATH gives up root for a user who may not read our folder."""
    own = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
    return str(own) if own.exists() else _program("rabbitmq-server")


def _signal_group(group: int, how: signal.Signals) -> None:
    try:
        os.killpg(group, how)
    except ProcessLookupError:
        return


def _group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
