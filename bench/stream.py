"""How soon the first row of a stream leaves, and what a long one holds. `python -m bench.stream`."""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import AsyncGenerator

import uvloop

from arcane.federation.events import Arrived
from arcane.federation.execute import Engine
from arcane.federation.question import Question, StreamOrder
from arcane.federation.source import Source
from arcane.model.deadline import Deadline
from arcane.model.hit import MatchedSpan, TraceHit
from arcane.model.ids import SpanId, TraceId
from arcane.model.span import StatusCode
from arcane.model.time import TimeRange
from arcane.model.trace import Trace
from arcane.settings import LimitSettings
from arcane.spi.adapter import Adapter
from arcane.spi.capabilities import Capabilities, Order
from arcane.spi.scan import Candidate, Health, ScanPage, ScanRequest
from arcane.traceql.parse import parse
from arcane.traces.bodies import hit_body
from arcane.traces.stream_bodies import HitEventBody, ndjson
from arcane.traces.times import format_time
from bench.client import Connection
from bench.stores import everything, stores
from bench.table import percentile, verdict

FIRST_ROW_MS = 50.0
FLAT = 1.2
SMALL, LARGE = 10_000, 1_000_000
ROUNDS, WARM_UP = 30, 5
_STORES = 3
_PAGE = 100


class Endless(Adapter):
    """Has a trace every few nanoseconds and keeps none of them."""

    capabilities = Capabilities(order=Order.NEWEST_FIRST, max_limit=1_000)

    def __init__(self, number: int) -> None:
        self.number = number

    async def scan(self, request: ScanRequest, deadline: Deadline) -> AsyncGenerator[ScanPage, None]:
        newest = request.within.end // _STORES
        oldest = -(-(request.within.start - self.number) // _STORES)
        last = max(oldest, newest - request.limit + 1)
        for top in range(newest, last - 1, -_PAGE):
            page = tuple(self._candidate(at) for at in range(top, max(last - 1, top - _PAGE), -1))
            yield ScanPage(page, complete=last == oldest and top - _PAGE < last)

    def _candidate(self, at: int) -> Candidate:
        start = at * _STORES + self.number
        trace_id = TraceId(f"{start + 1:032x}")
        span = MatchedSpan(SpanId(f"{start + 1:016x}"), start, 5, "POST /", "shop", StatusCode.OK, {"retries": at % 7})
        return Candidate(trace_id, start, TraceHit(trace_id, start, 5, "shop", "POST /", 1, (span,), 3, 0, {}))

    async def get_trace(self, trace_id: TraceId, within: TimeRange | None, deadline: Deadline) -> Trace | None:
        return None

    async def check(self, deadline: Deadline) -> Health:
        return Health(None, 0.0)


async def walk(rows: int) -> None:
    """Prints how many rows a stream of about `rows` gave, encoded as they leave, and the most memory it took."""
    sources = [Source(str(number), str(number), "endless", Endless(number)) for number in range(_STORES)]
    within = TimeRange(0, rows - 1)
    question = Question(parse("{}"), within, 10**9, order=StreamOrder.NEWEST, endless=True)
    given = size = 0
    async with Engine(LimitSettings()).stream(question, sources, None, Deadline.after(3_600)) as bunches:
        async for events in bunches:
            for event in events:
                if isinstance(event, Arrived):
                    body = HitEventBody(
                        hit_body(event.hit, event.origins, event.whole), format_time(event.position[0]), event.again
                    )
                    size += len(ndjson(body))
                    given += 1
    print(given, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024, size)


async def first_row() -> float:
    """Returns the milliseconds from a quick datasource's answer to the first row, while a slow one says nothing."""
    engine = Engine(LimitSettings())
    through, direct = [], []
    async with stores((20.0, 2_000.0)) as made:
        connection = await Connection.open(made[0].address)
        for number in range(WARM_UP + ROUNDS):
            took = await connection.timed(made[0].direct())
            began = time.perf_counter()
            async with engine.stream(everything(), [one.source for one in made], None, Deadline.after(20)) as bunches:
                async for events in bunches:
                    if any(isinstance(event, Arrived) for event in events):
                        break
            if number >= WARM_UP:
                through.append((time.perf_counter() - began) * 1_000)
                direct.append(took)
        connection.close()
    return percentile(through, 0.5) - percentile(direct, 0.5)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int)
    parser.add_argument("--large", type=int, default=LARGE)
    options = parser.parse_args()
    if options.rows:
        uvloop.run(walk(options.rows))
        return
    late = uvloop.run(first_row())
    print(
        f"first row after the first datasource's: {late:.1f} ms (bound {FIRST_ROW_MS}: {verdict(late, FIRST_ROW_MS)})"
    )
    peaks = []
    for rows in (SMALL, options.large):
        said = subprocess.run(
            [sys.executable, "-m", "bench.stream", "--rows", str(rows)], capture_output=True, text=True, check=True
        ).stdout.split()
        assert abs(int(said[0]) - rows) <= _STORES, said
        peaks.append(float(said[1]))
        print(f"{int(said[0]):,} rows, {int(said[2]) / 1e6:.0f} MB sent: at most {peaks[-1]:.0f} MB of memory")
    ratio = peaks[1] / peaks[0]
    print(f"memory of {options.large:,} rows over {SMALL:,}: {ratio:.2f} (bound {FLAT}: {verdict(ratio, FLAT)})")


if __name__ == "__main__":
    main()
