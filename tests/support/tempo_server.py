"""A real Tempo: the one at ARCANE_TEST_TEMPO_URL, or one started from the `tempo` on the PATH.

The one by address has to be empty, or multitenant: every run is a tenant of its own. It takes traces at
ARCANE_TEST_TEMPO_OTLP_URL, by default its own host's port 4318.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

from arcane.model.trace import Trace
from arcane.spi import encode_json
from tests.support.mortal import end_with_parent
from tests.support.not_run import told

_READY_S, _SEARCHABLE_S = 60.0, 60.0

CONFIGURATION = """
server:
  http_listen_address: 127.0.0.1
  http_listen_port: {http}
  grpc_listen_address: 127.0.0.1
  grpc_listen_port: {grpc}
distributor:
  receivers: {{otlp: {{protocols: {{http: {{endpoint: "127.0.0.1:{otlp}"}}}}}}}}
live_store:
  wal: {{path: "{folder}/live", ingestion_time_range_slack: 1h}}
  shutdown_marker_dir: "{folder}/marker"
  flush_check_period: 100ms
  max_trace_idle: 200ms
  max_trace_live: 1s
storage:
  trace:
    backend: local
    local: {{path: "{folder}/blocks"}}
    wal: {{path: "{folder}/wal", ingestion_time_range_slack: 1h}}
    blocklist_poll: 2s
query_frontend: {{query_end_cutoff: 0s}}
memberlist: {{bind_addr: [127.0.0.1], bind_port: {gossip}, advertise_addr: 127.0.0.1}}
usage_report: {{reporting_enabled: false}}
multitenancy_enabled: true
"""
"""For Tempo 3. Without the slack, it takes what is older than two minutes for new, and windows miss it."""


@dataclass(frozen=True, slots=True)
class RealTempo:
    """Where it answers, where it takes traces, and who we are to it."""

    url: str
    otlp_url: str
    tenant: str

    @property
    def headers(self) -> dict[str, str]:
        return {"X-Scope-OrgID": self.tenant}

    def push(self, traces: Sequence[Trace]) -> None:
        """Returns when the traces can be searched."""
        for trace in traces:
            body = b"".join(encode_json(trace.spans))
            headers = {"Content-Type": "application/json", **self.headers}
            self._answer(urllib.request.Request(f"{self.otlp_url}/v1/traces", body, headers))
        ends = time.monotonic() + _SEARCHABLE_S
        start, end = traces[0].start // 10**9 - 60, traces[-1].end // 10**9 + 60
        query = f"{self.url}/api/search?q=%7B%7D&limit={len(traces) + 1}&start={start}&end={end}"
        while True:
            if self._answer(urllib.request.Request(query, headers=self.headers)).count(b'"traceID"') >= len(traces):
                return
            if time.monotonic() > ends:
                raise TimeoutError("the traces that were pushed cannot be searched")
            time.sleep(0.5)

    def _answer(self, request: urllib.request.Request) -> bytes:
        with urllib.request.urlopen(request, timeout=10) as answer:
            body: bytes = answer.read()
            return body


@contextlib.contextmanager
def real_tempo(folder: Path) -> Iterator[RealTempo]:
    """Yields the Tempo of this run."""
    tenant = f"arcane-{uuid4().hex[:12]}"
    url = told("ARCANE_TEST_TEMPO_URL")
    if url:
        host = urlsplit(url).hostname
        yield RealTempo(url.rstrip("/"), told("ARCANE_TEST_TEMPO_OTLP_URL") or f"http://{host}:4318", tenant)
        return
    binary = shutil.which("tempo")
    assert binary is not None
    http, grpc, otlp, gossip = _free_ports(4)
    configuration = folder / "tempo.yaml"
    configuration.write_text(CONFIGURATION.format(http=http, grpc=grpc, otlp=otlp, gossip=gossip, folder=folder))
    with (folder / "tempo.log").open("wb") as log:
        command = [binary, f"-config.file={configuration}"]
        process = subprocess.Popen(command, stdout=log, stderr=log, preexec_fn=end_with_parent)
        try:
            _wait_until_ready(f"http://127.0.0.1:{http}/ready", process)
            yield RealTempo(f"http://127.0.0.1:{http}", f"http://127.0.0.1:{otlp}", tenant)
        finally:
            process.kill()  # it may take minutes to end by itself while a client is connected
            process.wait()


def _wait_until_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + _READY_S
    while time.monotonic() < ends:
        if process.poll() is not None:
            raise RuntimeError(f"Tempo ended with {process.returncode}")
        with contextlib.suppress(urllib.error.URLError, ConnectionError), urllib.request.urlopen(url, timeout=2):
            return
        time.sleep(0.2)
    raise TimeoutError("Tempo did not become ready")


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
