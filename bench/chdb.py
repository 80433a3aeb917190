"""What ClickHouse costs through Arcane over asking it directly. `python -m bench.chdb`.

The engine in process holds 200,000 spans of an hour and a trace of 5,000; where ARCANE_TEST_CLICKHOUSE_URL names a
server, that one is asked instead. The direct requests are those that the adapter sends, sent again byte for byte; a
trace is also read, which nobody can do without.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import urlencode, urlsplit

import uvloop

from arcane.catalog.editing import Draft
from arcane.model.deadline import Deadline
from arcane.model.ids import TraceId
from arcane.model.time import NANOS_PER_SECOND, TimeRange
from arcane.spi import HttpRequest, HttpResponse, HttpSession, ScanRequest
from arcane.spi.testing import filter_of, scan_all
from bench.client import Address, Connection
from bench.instance import Instance, instance
from bench.table import percentile, print_table, verdict
from datasources.clickhouse.adapter import ClickHouseAdapter
from datasources.clickhouse.decode import trace_of
from datasources.clickhouse.settings import ClickHouseSettings, headers_of, text_names
from datasources.clickhouse.spelling import Names
from datasources.clickhouse.wire import read_answer
from tests.support.clickhouse import ClickHouse, Exporter, engine, given, new_database
from tests.support.egress import session

SEARCH_BOUND, TRACE_BOUND = 1.15, 1.5
WARM_UP, ROUNDS = 3, 25
LIMIT, SPANS = 50, 5_000
BASE_S = 1_795_225_800
WITHIN = TimeRange(BASE_S * NANOS_PER_SECOND, (BASE_S + 3_600) * NANOS_PER_SECOND)
QUERY = '{ resource.service.name = "svc-3" && span.gen_ai.usage.input_tokens > 900 }'
LARGE = TraceId("f" + "0" * 31)  # of which the stub has nothing
_COLUMNS = """Timestamp, TraceId, SpanId, ParentSpanId, SpanName, SpanKind, ServiceName, ResourceAttributes,
    SpanAttributes, Duration, StatusCode"""
_ATTRIBUTES = """map('service.name', concat('svc-', toString(trace % 7)),
    'k8s.pod.name', concat('pod-', toString(trace % 50)), 'deployment.environment.name', 'production'),
    map('gen_ai.operation.name', 'chat', 'gen_ai.request.model', 'gpt-4o', 'gen_ai.usage.input_tokens',
    toString(cityHash64(number) % 1000), 'gen_ai.usage.output_tokens', toString(number % 300), 'user.id',
    concat('u', toString(trace % 900)), 'session.id', hex(trace), 'input.value', repeat('word ', 40), 'retry', 'false'),
    1000000 * (1 + number % 400), if(number % 50 = 0, 'Error', 'Unset')"""


def fill(server: ClickHouse, database: str) -> None:
    """Makes the exporter's tables and their spans: traces of five, and a long one."""
    Exporter().create(server, database)
    begins = f"{BASE_S} + (intDiv(number, 5) % 36000) / 10."
    usual = (begins, "lower(leftPad(hex(trace + 1), 32, '0'))", "intDiv(number, 5)")
    for (begin, trace_id, trace), count in (
        (usual, 200_000),
        ((f"{BASE_S} + number / 10000.", f"'{LARGE}'", "toUInt64(3)"), SPANS),
    ):
        parent = "if(number % 5 = 0, '', lower(leftPad(hex(intDiv(number, 5) * 5 + 1), 16, '0')))"
        server.run(
            f"INSERT INTO {database}.otel_traces ({_COLUMNS}) SELECT toDateTime64({begin}, 9), {trace_id},"
            f" lower(leftPad(hex(number + 1), 16, '0')), {parent}, concat('step ', toString(number % 20)), 'Internal',"
            f" concat('svc-', toString(trace % 7)), {_ATTRIBUTES}"
            f" FROM (SELECT number, {trace} AS trace FROM numbers({count}))"
        )


@dataclass(slots=True)
class Listening:
    """An HTTP session that remembers what was sent through it."""

    http: HttpSession
    sent: list[HttpRequest] = field(default_factory=list)

    async def send(self, request: HttpRequest, deadline: Deadline) -> HttpResponse:
        """Sends and remembers."""
        self.sent.append(request)
        return await self.http.send(request, deadline)

    stream = None


@dataclass(frozen=True, slots=True)
class Compared:
    """Two ways to the same, and what is to be done with the direct answers."""

    title: str
    bound: float
    through: tuple[Address, bytes]
    direct: tuple[Address, Sequence[bytes]]
    read: Callable[[bytes], object]


@asynccontextmanager
async def comparisons() -> AsyncIterator[tuple[Sequence[Compared], Instance]]:
    """While the block runs, the engine holds the spans and an Arcane asks it."""
    known = given()
    with nullcontext(known) if known else engine() as server, new_database(server) as database:
        fill(server, database)
        settings = ClickHouseSettings(url=server.url, database=database, **server.credentials)
        searched, read = await _sent(settings)
        values = {"url": server.url, "database": database, **server.credentials}
        async with instance(delay_ms=0, beside=Draft("clickhouse", "ClickHouse", values)) as bench:
            parts = urlsplit(server.url)
            headers = "".join(f"{name}: {value}\r\n" for name, value in headers_of(settings).items())
            direct = Address(parts.port or 80, headers, parts.hostname or "")
            search = bench.search_in(WITHIN, {"query": QUERY, "limit": LIMIT, "datasources": [bench.beside]})
            trace = bench.arcane.get(f"/api/v1/projects/{bench.project_id}/traces/{LARGE}/otlp")
            names = Names(text_names(settings))
            found = (
                Compared(f"a search of {LIMIT} traces", SEARCH_BOUND, (bench.arcane, search), (direct, searched), len),
                Compared(
                    f"a trace of {SPANS:,} spans",
                    TRACE_BOUND,
                    (bench.arcane, trace),
                    (direct, read),
                    lambda body: trace_of(LARGE, read_answer(HttpResponse(200, {}, body)), names, 100_000),
                ),
            )
            yield found, bench


async def _sent(settings: ClickHouseSettings) -> tuple[list[bytes], list[bytes]]:
    """Returns what the adapter sends for the search and for the trace, once it knows the table."""
    async with session(settings.url, headers=headers_of(settings)) as http:
        listening = Listening(http)
        adapter = ClickHouseAdapter(listening, settings)  # type: ignore[arg-type]
        await adapter.check(Deadline.after(60))
        requests = []
        for ask in (
            partial(scan_all, adapter, ScanRequest(WITHIN, LIMIT, filter_of(QUERY))),
            partial(adapter.get_trace, LARGE, None, Deadline.after(60)),
        ):
            listening.sent.clear()
            await ask()
            requests.append([_bytes(settings, one) for one in listening.sent])
        return requests[0], requests[1]


def _bytes(settings: ClickHouseSettings, request: HttpRequest) -> bytes:
    body = request.body or b""
    lines = [f"POST /?{urlencode(request.params)} HTTP/1.1", f"Host: {urlsplit(settings.url).netloc}"]
    headers = {**headers_of(settings), **request.headers, "content-length": str(len(body))}
    return "\r\n".join([*lines, *(f"{name}: {value}" for name, value in headers.items()), "", ""]).encode() + body


async def measure(compared: Compared, bench: Instance) -> None:
    """Prints p50 of both, the ratio, and the backend's CPU a request."""
    through = await Connection.open(compared.through[0])
    direct = await Connection.open(compared.direct[0])
    took: tuple[list[float], list[float]] = ([], [])
    spent = 0.0
    for number in range(WARM_UP + ROUNDS):
        before = bench.backend.cpu_s()
        by_arcane = await through.timed(compared.through[1])
        used = bench.backend.cpu_s() - before
        began = time.perf_counter()
        for request in compared.direct[1]:
            compared.read(await direct.ask(request))
        if number >= WARM_UP:
            spent += used  # while it was asked: what it does beside that has no part in it
            took[0].append(by_arcane)
            took[1].append((time.perf_counter() - began) * 1_000)
    cpu_ms = spent * 1_000 / ROUNDS
    through.close()
    direct.close()
    names = ("through Arcane", "direct")
    rows: list[list[object]] = [
        [name, percentile(times, 0.5), percentile(times, 0.95)] for name, times in zip(names, took, strict=True)
    ]
    print_table(f"ClickHouse: {compared.title}", ("", "p50 ms", "p95 ms"), rows)
    ratio = percentile(took[0], 0.5) / percentile(took[1], 0.5)
    print(f"ratio {ratio:.2f} (bound {compared.bound}: {verdict(ratio, compared.bound)}), {cpu_ms:.1f} ms of CPU")


async def run() -> None:
    async with comparisons() as (found, bench):
        for compared in found:
            await measure(compared, bench)


if __name__ == "__main__":
    uvloop.run(run())
