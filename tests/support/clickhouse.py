"""Tables of spans in a real ClickHouse engine: one server a run, a database a test.

With `ARCANE_TEST_CLICKHOUSE_URL` (http://user:password@host:8123, a user that may create databases) that
server is used instead of the engine in process. The tables are the exporter's, old and new, and Langfuse's.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias
from urllib.parse import quote, urlsplit
from uuid import uuid4

import pytest

from arcane.model.span import InstrumentationScope, Resource, Span, SpanEvent, SpanKind, SpanLink, StatusCode
from arcane.model.trace import Trace
from arcane.model.values import Attributes, AttributeValue
from datasources.clickhouse.spelling import Names, typed
from tests.support.mortal import end_with_parent
from tests.support.not_run import told

Databases: TypeAlias = "Callable[[str, Callable[[str], None]], str]"
MAP = "Map(LowCardinality(String), String)"
START_S = 60


@dataclass(frozen=True, slots=True)
class ClickHouse:
    """A server, and as whom it is asked."""

    url: str
    user: str = ""
    password: str = ""

    @property
    def credentials(self) -> dict[str, str]:
        """The settings with which a datasource comes as the same user."""
        return {"auth": "basic", "username": self.user, "password": self.password} if self.user else {}

    def run(self, sql: str, body: bytes = b"", **settings: str) -> str:
        """Returns the answer as text; raises AssertionError with the server's words."""
        parameters = "".join(f"&{name}={quote(value)}" for name, value in settings.items())
        request = urllib.request.Request(f"{self.url}/?query={quote(sql)}{parameters}", body or b" ", method="POST")
        if self.user:
            pair = f"{self.user}:{self.password}"
            request.add_header("Authorization", f"Basic {b64encode(pair.encode()).decode()}")
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError as exc:
            raise AssertionError(exc.read().decode()) from None


@contextmanager
def engine() -> Iterator[ClickHouse]:
    """Yields the engine in process, behind HTTP."""
    with tempfile.TemporaryDirectory(prefix="arcane-clickhouse-") as folder:
        command = [sys.executable, "-m", "tests.support.clickhouse_server", str(Path(folder) / "engine")]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=end_with_parent)
        try:
            assert process.stdout is not None
            port = json.loads(process.stdout.readline())["port"]
            yield ClickHouse(f"http://127.0.0.1:{port}")
        finally:
            process.terminate()
            process.wait(START_S)
            if process.stdout is not None:
                process.stdout.close()


def given() -> ClickHouse | None:
    """Returns the server that the environment names."""
    parts = urlsplit(told("ARCANE_TEST_CLICKHOUSE_URL"))
    if not parts.hostname:
        return None
    url = f"{parts.scheme}://{parts.hostname}:{parts.port or 8123}"
    return ClickHouse(url, parts.username or "default", parts.password or "")


@pytest.fixture(scope="session")
def clickhouse() -> Iterator[ClickHouse]:
    """The server of this run."""
    known = given()
    if known is not None:
        yield known
        return
    with engine() as server:
        yield server


@pytest.fixture
def database(clickhouse: ClickHouse) -> Iterator[str]:
    """The name of an empty database of this test's own."""
    with new_database(clickhouse) as name:
        yield name


@contextmanager
def new_database(server: ClickHouse) -> Iterator[str]:
    """Yields the name of an empty database, dropped afterwards."""
    name = f"t_{uuid4().hex}"
    server.run(f"CREATE DATABASE {name}")
    try:
        yield name
    finally:
        server.run(f"DROP DATABASE {name}")


@pytest.fixture(scope="session")
def databases(clickhouse: ClickHouse) -> Iterator[Databases]:
    """Returns the database of a name, filled when it is first asked for; all are dropped at the end of the run."""
    with ExitStack() as stack:
        known: dict[str, str] = {}

        def filled(name: str, fill: Callable[[str], None]) -> str:
            if name not in known:
                known[name] = stack.enter_context(new_database(clickhouse))
                fill(known[name])
            return known[name]

        yield filled


@dataclass(frozen=True, slots=True)
class Exporter:
    """One of the shapes in which the OpenTelemetry exporter has written spans over the years."""

    attributes: str = MAP
    old_words: bool = False
    """STATUS_CODE_ERROR and SPAN_KIND_SERVER; newer ones write Error and Server."""
    zero_parents: bool = False
    signed_duration: bool = False
    with_times: bool = True

    def create(self, server: ClickHouse, database: str, table: str = "otel_traces") -> None:
        """Makes the table, and the one with the times of traces."""
        kind = self.attributes
        server.run(f"""CREATE TABLE {database}.{table} (
            Timestamp DateTime64(9) CODEC(Delta(8), ZSTD(1)), TraceId String, SpanId String, ParentSpanId String,
            TraceState String, SpanName LowCardinality(String), SpanKind LowCardinality(String),
            ServiceName LowCardinality(String), ResourceAttributes {kind}, ScopeName String, ScopeVersion String,
            SpanAttributes {kind}, Duration {"Int64" if self.signed_duration else "UInt64"},
            StatusCode LowCardinality(String), StatusMessage String,
            Events Nested (Timestamp DateTime64(9), Name LowCardinality(String), Attributes {kind}),
            Links Nested (TraceId String, SpanId String, TraceState String, Attributes {kind}),
            INDEX idx_trace_id TraceId TYPE bloom_filter(0.001) GRANULARITY 1,
            INDEX idx_duration Duration TYPE minmax GRANULARITY 1
            ) ENGINE = MergeTree PARTITION BY toDate(Timestamp)
            PRIMARY KEY (ServiceName, SpanName, toDateTime(Timestamp))
            ORDER BY (ServiceName, SpanName, toDateTime(Timestamp), Timestamp)""")
        if self.with_times:
            times = f"{database}.{table}_trace_id_ts"
            server.run(f"""CREATE TABLE {times} (TraceId String, Start DateTime, End DateTime)
                ENGINE = MergeTree PARTITION BY toDate(Start) ORDER BY (TraceId, Start)""")
            server.run(f"""CREATE MATERIALIZED VIEW {times}_mv TO {times} AS
                SELECT TraceId, min(Timestamp) AS Start, max(Timestamp) AS End FROM {database}.{table}
                WHERE TraceId != '' GROUP BY TraceId""")

    def fill(self, server: ClickHouse, database: str, traces: Sequence[Trace], table: str = "otel_traces") -> None:
        """Writes the spans as the exporter does."""
        rows = "\n".join(json.dumps(self._row(span)) for trace in traces for span in trace.spans)
        server.run(f"INSERT INTO {database}.{table} FORMAT JSONEachRow", f"\n{rows}\n".encode())

    def stored(self, traces: Sequence[Trace]) -> list[Trace]:
        """Returns what of the traces the table keeps: no attributes of scopes, flags, or counts of what was dropped."""
        return [Trace(trace.trace_id, [_kept(span) for span in trace.spans]) for trace in traces]

    def _row(self, span: Span) -> dict[str, object]:
        kind, status = span.kind.name, span.status.name
        return {
            "Timestamp": _decimal(span.start),
            "TraceId": span.trace_id,
            "SpanId": span.span_id,
            "ParentSpanId": span.parent_span_id or ("0" * 16 if self.zero_parents else ""),
            "TraceState": span.trace_state,
            "SpanName": span.name,
            "SpanKind": f"SPAN_KIND_{kind}" if self.old_words else kind.capitalize(),
            "ServiceName": span.service_name,
            "ResourceAttributes": self._held(span.resource.attributes),
            "ScopeName": span.scope.name,
            "ScopeVersion": span.scope.version,
            "SpanAttributes": self._held(span.attributes),
            "Duration": span.duration,
            "StatusCode": f"STATUS_CODE_{status}" if self.old_words else status.capitalize(),
            "StatusMessage": span.status_message,
            "Events.Timestamp": [_decimal(event.time) for event in span.events],
            "Events.Name": [event.name for event in span.events],
            "Events.Attributes": [self._held(event.attributes) for event in span.events],
            "Links.TraceId": [link.trace_id for link in span.links],
            "Links.SpanId": [link.span_id for link in span.links],
            "Links.TraceState": [link.trace_state for link in span.links],
            "Links.Attributes": [self._held(link.attributes) for link in span.links],
        }

    def _held(self, attributes: Attributes) -> dict[str, object]:
        if self.attributes == "JSON":
            return {name: value for name, value in attributes.items() if value is not None}
        return {name: spelled(value) for name, value in attributes.items()}


def read_back(traces: Sequence[Trace], exporter: Exporter, names: Names) -> list[Trace]:
    """Returns what can be known of the traces from their table."""

    def known(attributes: Attributes) -> Attributes:
        if exporter.attributes == "JSON":
            return {name: value for name, value in attributes.items() if value is not None}
        return {
            name: spelled(value) if names.is_text(name) or name == "service.name" else typed(spelled(value))
            for name, value in attributes.items()
        }

    def span(one: Span) -> Span:
        return Span(
            one.trace_id,
            one.span_id,
            one.parent_span_id,
            one.name,
            one.kind,
            one.start,
            one.end,
            one.status,
            one.status_message,
            known(one.attributes),
            tuple(SpanEvent(event.name, event.time, known(event.attributes)) for event in one.events),
            tuple(SpanLink(link.trace_id, link.span_id, "", known(link.attributes)) for link in one.links),
            Resource(known(one.resource.attributes)),
            one.scope,
            one.trace_state,
        )

    return [Trace(trace.trace_id, [span(one) for one in trace.spans]) for trace in exporter.stored(traces)]


def spelled(value: AttributeValue) -> str:
    """Returns a value as the exporter writes it into a Map: OTLP's text of it."""
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return str(value).lower()
        case float() if value.is_integer() and abs(value) < 1e21:
            return str(int(value))
        case bytes():
            return b64encode(value).decode()
        case list() | dict():
            return json.dumps(_plain(value), separators=(",", ":"), ensure_ascii=False)
    return str(value)


def _plain(value: AttributeValue) -> object:
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return b64encode(value).decode() if isinstance(value, bytes) else value


def _decimal(nanos: int) -> str:
    return f"{nanos // 1_000_000_000}.{nanos % 1_000_000_000:09d}"


def _kept(span: Span) -> Span:
    return Span(
        span.trace_id,
        span.span_id,
        span.parent_span_id,
        span.name,
        SpanKind(span.kind),
        span.start,
        span.start + span.duration,
        StatusCode(span.status),
        span.status_message,
        span.attributes,
        tuple(SpanEvent(event.name, event.time, event.attributes) for event in span.events),
        tuple(SpanLink(link.trace_id, link.span_id, link.trace_state, link.attributes) for link in span.links),
        span.resource,
        InstrumentationScope(span.scope.name, span.scope.version),
        span.trace_state,
    )
