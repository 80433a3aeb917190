"""A real Kafka for tests: the one at ARCANE_TEST_KAFKA_URL, or its jars (ARCANE_TEST_KAFKA_JARS) and a Java."""

from __future__ import annotations

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


@dataclass(slots=True)
class KafkaServer:
    """One process that is broker and controller, in `folder`; it can be killed and started again with its data."""

    folder: Path
    jars: Path
    port: int = field(default_factory=free_port)
    _controller: int = field(default_factory=free_port)
    _server: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it is."""
        return f"kafka://127.0.0.1:{self.port}/?partitions=4"

    def start(self) -> None:
        """It answers."""
        properties = self.folder / "server.properties"
        if not properties.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            properties.write_text(self._properties())
            self._run("kafka.tools.StorageTool", "format", "-t", _uuid(), "-c", str(properties))
        with (self.folder / "server.log").open("ab") as log:
            command = [*self._java(), "kafka.Kafka", str(properties)]
            self._server = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + _BOOT_S
        while time.monotonic() < deadline and self._server.poll() is None:
            try:
                with closing(socket.create_connection(("127.0.0.1", self.port), 1)):
                    return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError(f"Kafka did not start: {(self.folder / 'server.log').read_text()[-2_000:]}")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """It is gone; SIGKILL leaves it no time to tidy up."""
        if self._server is None:
            return
        self._server.send_signal(how)
        try:
            self._server.wait(30)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()
        self._server = None

    def _java(self) -> list[str]:
        java = shutil.which("java")
        if java is None:
            raise RuntimeError("no java on the PATH")
        return [java, "-Xmx512m", "-Xms128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{self.jars}/*"]

    def _run(self, *arguments: str) -> None:
        done = subprocess.run([*self._java(), *arguments], capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{arguments[0]} failed: {done.stdout[-1_000:]}{done.stderr[-1_000:]}")

    def _properties(self) -> str:
        return "\n".join(
            [
                "process.roles=broker,controller",
                "node.id=1",
                f"controller.quorum.voters=1@127.0.0.1:{self._controller}",
                f"listeners=PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{self._controller}",
                f"advertised.listeners=PLAINTEXT://127.0.0.1:{self.port}",
                "listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
                "controller.listener.names=CONTROLLER",
                "inter.broker.listener.name=PLAINTEXT",
                f"log.dirs={self.folder / 'data'}",
                "offsets.topic.replication.factor=1",
                "offsets.topic.num.partitions=4",
                "transaction.state.log.replication.factor=1",
                "transaction.state.log.min.isr=1",
                "group.initial.rebalance.delay.ms=0",
                "auto.create.topics.enable=false",
                "log.cleaner.enable=false",
                "",
            ]
        )


@contextmanager
def kafka(folder: Path) -> Iterator[str]:
    """Yields the URL of a Kafka: the given one, or one that lives in `folder` as long as the block."""
    given = told("ARCANE_TEST_KAFKA_URL")
    if given:
        yield given
        return
    server = KafkaServer(folder, Path(told("ARCANE_TEST_KAFKA_JARS")))
    server.start()
    try:
        yield server.url
    finally:
        server.stop()


def _uuid() -> str:
    return "AAAAAAAAQACAAAAAAAAAAQ"  # the form that Kafka writes: 16 bytes in URL-safe base64
