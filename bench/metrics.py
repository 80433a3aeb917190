"""A metrics query over several datasources: its time over direct requests, and its memory. `python -m bench.metrics`.

Where the datasources measure, three of them are asked at once, in turn with the slowest alone and with the direct
request for the same numbers. Where Arcane reads the spans itself, what it remembers of each (so that a copy in
another datasource does not count twice) is the memory that a long answer costs.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Sequence

import uvloop

from arcane.federation.execute import Engine
from arcane.federation.metrics import MetricsQuestion, measure
from arcane.federation.source import Source
from arcane.model.deadline import Deadline
from arcane.model.ids import SpanId, TraceId
from arcane.model.series import Steps
from arcane.model.span import Resource, Span, SpanKind, StatusCode
from arcane.model.time import NANOS_PER_SECOND, TimeRange
from arcane.model.trace import Trace
from arcane.settings import LimitSettings
from arcane.spi.adapter import Adapter
from arcane.spi.capabilities import Capabilities, Order
from arcane.spi.scan import Candidate, Health, ScanPage, ScanRequest
from arcane.traceql.parse import parse
from bench.answers import METRICS_QUERY, WINDOW
from bench.awake import awake
from bench.client import Connection
from bench.stores import stores
from bench.table import percentile, print_table, verdict

DELAYS_MS = (10.0, 20.0, 60.0)
BOUND = 1.15
WARM_UP, ROUNDS = 20, 100
SMALL, LARGE = 10_000, 100_000
SPAN_BYTES = 200
"""Most that a span may cost that was read and measured."""
READ = "{} | quantile_over_time(duration, .5, .99) by (resource.service.name)"
_FIVE_MINUTES = 300 * NANOS_PER_SECOND
_SERVICES = tuple(Resource({"service.name": f"service-{number}"}) for number in range(10))


def hour() -> Steps:
    """Returns the points of the hour that the stubs have."""
    start, end = (second * NANOS_PER_SECOND for second in WINDOW)
    first = start // _FIVE_MINUTES * _FIVE_MINUTES
    return Steps(first, _FIVE_MINUTES, -(-(end - first) // _FIVE_MINUTES) + 1)


class Listing(Adapter):
    """Has a trace of one span every few nanoseconds, keeps none of them, and measures nothing itself."""

    capabilities = Capabilities(order=Order.NEWEST_FIRST, max_limit=1_000, whole_traces=True)

    def __init__(self, number: int, of: int) -> None:
        self.number = number
        self.of = of

    async def scan(self, request: ScanRequest, deadline: Deadline) -> AsyncGenerator[ScanPage, None]:
        newest = (request.within.end - self.number) // self.of
        oldest = max(0, -(-(request.within.start - self.number) // self.of))
        last = max(oldest, newest - request.limit + 1)
        found = tuple(self._candidate(at * self.of + self.number) for at in range(newest, last - 1, -1))
        yield ScanPage(found, complete=last == oldest)

    def _candidate(self, start: int) -> Candidate:
        trace_id, of = TraceId(f"{start + 1:032x}"), _SERVICES[start % len(_SERVICES)]
        ids = (trace_id, SpanId(f"{start + 1:016x}"), "")
        span = Span(*ids, "GET", SpanKind.SERVER, start, start + start % 977, StatusCode.OK, resource=of)
        return Candidate(trace_id, start, None, Trace(trace_id, [span]))

    async def get_trace(self, trace_id: TraceId, within: TimeRange | None, deadline: Deadline) -> Trace | None:
        return None

    async def check(self, deadline: Deadline) -> Health:
        return Health(None, 0.0)


async def read(spans: int) -> None:
    """Prints how many series were made of `spans` spans in three datasources, and the most memory that took."""
    count = len(DELAYS_MS)
    sources = [Source(str(at), str(at), "listing", Listing(at, count)) for at in range(count)]
    question = MetricsQuestion(parse(READ), Steps(spans - 1, spans, 1))
    found = await measure(Engine(LimitSettings(source_timeout_s=3_600)), question, sources, Deadline.after(3_600))
    assert found.outcome.complete, found.outcome
    print(len(found.series), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


async def compare() -> None:
    """Prints the times of the direct request, of the slowest datasource alone and of all three, and their ratios."""
    engine, question = Engine(LimitSettings()), MetricsQuestion(parse(METRICS_QUERY), hour())

    async def timed(sources: Sequence[Source]) -> float:
        began = time.perf_counter()
        found = await measure(engine, question, sources, Deadline.after(20))
        assert found.series, found.outcome
        return (time.perf_counter() - began) * 1_000

    direct, slowest, all_of_them, cpu = [], [], [], 0.0
    async with stores(DELAYS_MS) as made:
        every = [one.source for one in made]
        connection = await Connection.open(made[-1].address)
        asked = made[-1].address.get("/api/metrics/query_range")  # the stub has one answer, whatever is asked
        with awake():
            for number in range(WARM_UP + ROUNDS):
                without, alone = await connection.timed(asked), await timed(every[-1:])
                spent = time.process_time()
                together = await timed(every)
                if number >= WARM_UP:
                    cpu += time.process_time() - spent
                    for times, took in ((direct, without), (slowest, alone), (all_of_them, together)):
                        times.append(took)
        connection.close()
    named = (("direct", direct), ("the slowest alone", slowest), ("all three", all_of_them))
    rows: list[list[object]] = [[name, percentile(times, 0.5), percentile(times, 0.95)] for name, times in named]
    print_table(f"series of datasources that measure within {DELAYS_MS} ms", ("", "p50 ms", "p95 ms"), rows)
    for name, over in (("direct request", direct), ("slowest", slowest)):
        ratio = percentile(all_of_them, 0.5) / percentile(over, 0.5)
        print(f"all three over the {name}: {ratio:.2f} (bound {BOUND}: {verdict(ratio, BOUND)})")
    print(f"{cpu * 1_000 / ROUNDS:.1f} ms of CPU for the three")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spans", type=int)
    options = parser.parse_args()
    if options.spans:
        uvloop.run(read(options.spans))
        return
    uvloop.run(compare())
    peaks = []
    for spans in (SMALL, LARGE):
        began = time.perf_counter()
        said = subprocess.run(
            [sys.executable, "-m", "bench.metrics", "--spans", str(spans)], capture_output=True, text=True, check=True
        ).stdout.split()
        peaks.append(int(said[1]) * 1_024)
        took = time.perf_counter() - began
        print(f"{spans:,} spans read into {said[0]} series: {peaks[-1] / 1e6:.0f} MB at most, {took:.1f} s")
    each = (peaks[1] - peaks[0]) / (LARGE - SMALL)
    print(f"memory of one more span: {each:.0f} bytes (bound {SPAN_BYTES}: {verdict(each, SPAN_BYTES)})")


if __name__ == "__main__":
    main()
