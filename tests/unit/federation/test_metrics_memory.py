"""Counting spans keeps series, not spans: ten times the traces take the memory of one."""

from __future__ import annotations

import tracemalloc
from collections.abc import AsyncGenerator

import pytest

from arcane.federation.execute import Engine
from arcane.federation.metrics import MetricsFound, MetricsQuestion, measure
from arcane.federation.source import Source
from arcane.model.deadline import Deadline
from arcane.model.series import Steps
from arcane.model.time import NANOS_PER_SECOND, TimeRange
from arcane.model.trace import Trace
from arcane.settings import LimitSettings
from arcane.spi import Adapter, Candidate, Capabilities, Health, Order, ScanPage, ScanRequest, TraceId
from arcane.traceql.parse import parse
from tests.support.asking import NOON_NANOS, numbered

pytestmark = pytest.mark.anyio

QUERY = parse("{ } | quantile_over_time(duration, .9) by (resource.service.name)")


class Endless(Adapter):
    """Makes up a trace a second when it is asked for it, and holds none."""

    capabilities = Capabilities(order=Order.NEWEST_FIRST, whole_traces=True)

    def __init__(self, count: int) -> None:
        self.count = count

    async def scan(self, request: ScanRequest, deadline: Deadline) -> AsyncGenerator[ScanPage, None]:
        first = max(0, -(-(NOON_NANOS - request.within.end) // NANOS_PER_SECOND) - 1)
        numbers = range(first, min(self.count, first + request.limit))
        traces = [numbered(number, spans=6) for number in numbers]
        found = [Candidate(trace.trace_id, trace.start, trace=trace) for trace in traces]
        yield ScanPage(tuple(found), complete=first + request.limit >= self.count)

    async def get_trace(self, trace_id: TraceId, within: TimeRange | None, deadline: Deadline) -> Trace | None:
        return None

    async def check(self, deadline: Deadline) -> Health:
        return Health(None, 0.0)


async def counted(traces: int) -> MetricsFound:
    steps = Steps(NOON_NANOS - 20_000 * NANOS_PER_SECOND, 1_000 * NANOS_PER_SECOND, 21)
    source = Source("a", "a", "memory", Endless(traces))
    question = MetricsQuestion(QUERY, steps, exemplars=20)
    patience = LimitSettings(source_timeout_s=100)  # while memory is traced, a busy machine takes its time
    return await measure(Engine(patience), question, [source], Deadline.after(100))


async def peak(traces: int) -> int:
    await counted(10)  # what is made once
    tracemalloc.start()
    try:
        found = await counted(traces)
        assert found.outcome.complete, found.outcome
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.timeout(120)
async def test_ten_times_the_traces_take_no_more_memory() -> None:
    few, many = await peak(600), await peak(6_000)
    assert many < few * 1.3


async def test_every_one_of_them_is_counted() -> None:
    steps = Steps(NOON_NANOS, 20_000 * NANOS_PER_SECOND, 1)
    source = Source("a", "a", "memory", Endless(1_500))
    question = MetricsQuestion(parse("{ } | count_over_time()"), steps)
    found = await measure(Engine(LimitSettings()), question, [source], Deadline.after(60))
    assert found.series[0].points == {0: 9_000}
