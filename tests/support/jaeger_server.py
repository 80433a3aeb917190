"""A real Jaeger: the one at ARCANE_TEST_JAEGER_URL, or one started from the `jaeger` on the PATH.

The one by address has to be empty. It takes traces at ARCANE_TEST_JAEGER_OTLP_URL, by default its own host's
port 4318.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from arcane.model.trace import Trace
from arcane.spi import encode_json
from tests.support.mortal import end_with_parent
from tests.support.not_run import told

_READY_S, _SEARCHABLE_S = 120.0, 60.0

CONFIGURATION = """
service:
  extensions: [jaeger_storage, jaeger_query]
  pipelines:
    traces: {{receivers: [otlp], exporters: [jaeger_storage_exporter]}}
  telemetry: {{metrics: {{level: none}}, logs: {{level: warn}}}}
extensions:
  jaeger_storage: {{backends: {{some_store: {{memory: {{max_traces: 100000}}}}}}}}
  jaeger_query:
    storage: {{traces: some_store}}
    http: {{endpoint: "127.0.0.1:{http}"}}
    grpc: {{endpoint: "127.0.0.1:{grpc}"}}
receivers:
  otlp: {{protocols: {{http: {{endpoint: "127.0.0.1:{otlp}"}}}}}}
exporters:
  jaeger_storage_exporter: {{trace_storage: some_store}}
"""
"""For Jaeger 2. Without a batch processor, what is taken can be searched at once."""


@dataclass(frozen=True, slots=True)
class RealJaeger:
    """Where it answers, and where it takes traces."""

    url: str
    otlp_url: str

    def push(self, traces: Sequence[Trace]) -> None:
        """Returns when the traces can be searched."""
        for trace in traces:
            body = b"".join(encode_json(trace.spans))
            headers = {"Content-Type": "application/json"}
            self._answer(urllib.request.Request(f"{self.otlp_url}/v1/traces", body, headers))
        ends = time.monotonic() + _SEARCHABLE_S
        while self._found(traces) < {trace.trace_id for trace in traces}:
            if time.monotonic() > ends:
                raise TimeoutError("the traces that were pushed cannot be searched")
            time.sleep(0.2)

    def _found(self, traces: Sequence[Trace]) -> set[str]:
        first, last = min(trace.start for trace in traces), max(trace.end for trace in traces)
        query = {
            "query.start_time_min": _rfc3339(first - 10**9),
            "query.start_time_max": _rfc3339(last + 10**9),
            "query.num_traces": str(len(traces) * 2),
            "query.raw_traces": "true",  # otherwise it changes what it keeps in memory
        }
        url = f"{self.url}/api/v3/traces?{urllib.parse.urlencode(query)}"
        try:
            document = json.loads(self._answer(urllib.request.Request(url)))
        except urllib.error.HTTPError as exc:
            if exc.code == 404:
                return set()
            raise
        return {
            span["traceId"]
            for resource in document["result"]["resourceSpans"]
            for scope in resource["scopeSpans"]
            for span in scope["spans"]
        }

    def _answer(self, request: urllib.request.Request) -> bytes:
        with urllib.request.urlopen(request, timeout=30) as answer:
            body: bytes = answer.read()
            return body


@contextlib.contextmanager
def real_jaeger(folder: Path) -> Iterator[RealJaeger]:
    """Yields the Jaeger of this run."""
    url = told("ARCANE_TEST_JAEGER_URL")
    if url:
        host = urllib.parse.urlsplit(url).hostname
        yield RealJaeger(url.rstrip("/"), told("ARCANE_TEST_JAEGER_OTLP_URL") or f"http://{host}:4318")
        return
    binary = shutil.which("jaeger")
    assert binary is not None
    http, grpc, otlp = _free_ports(3)
    configuration = folder / "jaeger.yaml"
    configuration.write_text(CONFIGURATION.format(http=http, grpc=grpc, otlp=otlp))
    with (folder / "jaeger.log").open("wb") as log:
        command = [binary, f"--config={configuration}"]
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, preexec_fn=end_with_parent)
        try:
            _wait_until_ready(f"http://127.0.0.1:{http}/api/services", process)
            yield RealJaeger(f"http://127.0.0.1:{http}", f"http://127.0.0.1:{otlp}")
        finally:
            process.kill()
            process.wait()


def _wait_until_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + _READY_S
    while time.monotonic() < ends:
        if process.poll() is not None:
            raise RuntimeError(f"Jaeger ended with {process.returncode}")
        with contextlib.suppress(urllib.error.URLError, ConnectionError), urllib.request.urlopen(url, timeout=2):
            return
        time.sleep(0.2)
    raise TimeoutError("Jaeger did not become ready")


def _rfc3339(nanos: int) -> str:
    return datetime.fromtimestamp(nanos // 10**9, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
