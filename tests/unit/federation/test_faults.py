"""What goes wrong in one datasource stays there, and is told."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import replace

import anyio
import pytest

from arcane.federation.asking import Asking, Gates
from arcane.federation.assemble import assemble
from arcane.federation.attributes import attribute_names
from arcane.federation.complete import CUT
from arcane.federation.execute import Engine
from arcane.federation.explain import steps_of
from arcane.federation.plan import plan
from arcane.federation.question import Found, Question
from arcane.federation.source import Source
from arcane.federation.together import each
from arcane.model.deadline import Deadline
from arcane.model.ids import TraceId
from arcane.model.outcome import SourceStatus
from arcane.model.time import TimeRange
from arcane.model.trace import Trace
from arcane.settings import LimitSettings
from arcane.spi.adapter import Adapter
from arcane.spi.capabilities import Capabilities, Order
from arcane.spi.errors import BackendFailed, DatasourceError, Unreachable
from arcane.spi.scan import AttributeQuery, Candidate, Health, ScanPage, ScanRequest
from arcane.traceql.parse import parse
from datasources.memory.adapter import Faults, MemoryAdapter
from datasources.memory.plugin import EVERYTHING
from tests.support.asking import NOON_NANOS, numbered, part_of

pytestmark = pytest.mark.anyio

RANGE = TimeRange(NOON_NANOS - 3_600_000_000_000, NOON_NANOS)
PLAIN = Capabilities(order=Order.NEWEST_FIRST, concurrency=2)


def source(name: str, adapter: Adapter) -> Source:
    return Source(name, name, "memory", adapter)


async def asked(
    text: str, *sources: Source, limits: LimitSettings | None = None, seconds: float = 20, limit: int = 50
) -> Found:
    question = Question(parse(text), RANGE, limit)
    return await Engine(limits or LimitSettings()).search(question, sources, None, Deadline.after(seconds))


class Odd(Adapter):
    """Whatever a test wants an adapter to be."""

    def __init__(
        self, pages: list[ScanPage], traces: dict[str, Trace] | None = None, can: Capabilities = PLAIN
    ) -> None:
        self.capabilities = can
        self.pages = pages
        self.traces = traces or {}

    async def scan(self, request: ScanRequest, deadline: Deadline) -> AsyncGenerator[ScanPage, None]:
        for page in self.pages:
            yield page

    async def get_trace(self, trace_id: TraceId, within: TimeRange | None, deadline: Deadline) -> Trace | None:
        return None

    async def check(self, deadline: Deadline) -> Health:
        return Health(None, 0.0)


async def test_a_trace_that_is_gone_when_it_is_read_is_counted() -> None:
    trace = numbered(0)
    page = ScanPage((Candidate(trace.trace_id, trace.start, trace=None),), complete=True)
    found = await asked("{ span.number = 0 }", source("forgetful", Odd([page])))
    (outcome,) = found.outcome.sources
    assert outcome.status is SourceStatus.PARTIAL
    assert outcome.warnings == ("1 traces matched the search and could not be read afterwards.",)


async def test_a_whole_trace_in_place_of_a_hit_will_do() -> None:
    trace = numbered(0)
    page = ScanPage((Candidate(trace.trace_id, trace.start, trace=trace),), complete=True)
    found = await asked("{}", source("generous", Odd([page])))
    assert [hit.trace_id for hit in found.hits] == [trace.trace_id]
    outside = numbered(0, seconds_ago=9_000)
    late = ScanPage((Candidate(outside.trace_id, RANGE.start, trace=outside),), complete=True)
    assert (await asked("{}", source("generous", Odd([late])))).hits == ()
    empty = ScanPage((Candidate(trace.trace_id, trace.start, trace=Trace(trace.trace_id, ())),), complete=True)
    assert (await asked("{}", source("generous", Odd([empty])))).hits == ()


async def test_hits_outside_of_the_range_are_left_out_where_windows_are_coarse() -> None:
    late, inside = numbered(0), numbered(5)
    adapter = MemoryAdapter([late, inside], replace(EVERYTHING, time_resolution_ns=10_000_000_000))
    narrow = TimeRange(inside.start, inside.end)
    question = Question(parse("{}"), narrow, 50)
    found = await Engine(LimitSettings()).search(question, [source("coarse", adapter)], None, Deadline.after(5))
    assert [hit.trace_id for hit in found.hits] == [inside.trace_id]
    early = MemoryAdapter([numbered(9)], replace(EVERYTHING, time_resolution_ns=10_000_000_000))
    found = await Engine(LimitSettings()).search(question, [source("coarse", early)], None, Deadline.after(5))
    assert found.hits == ()


async def test_what_a_backend_warns_of_makes_its_answer_partial() -> None:
    adapter = MemoryAdapter([numbered(0)], EVERYTHING, faults=Faults(warnings=("2 lines could not be read.",)))
    found = await asked("{}", source("dusty", adapter))
    assert found.outcome.sources[0].status is SourceStatus.PARTIAL
    assert found.outcome.sources[0].warnings == ("2 lines could not be read.",)
    assert not found.outcome.complete


async def test_spans_without_a_value_for_the_condition_are_told_and_do_not_match() -> None:
    adapter = MemoryAdapter([numbered(0), numbered(1)], EVERYTHING)
    found = await asked("{ 1 / span.number = 1 }", source("store", adapter))
    assert [hit.trace_id for hit in found.hits] == [numbered(1).trace_id]
    (outcome,) = found.outcome.sources
    assert outcome.status is SourceStatus.OK
    assert "2 spans had no value" in outcome.warnings[0]


async def test_reading_traces_that_fails_costs_no_row_that_was_read_before() -> None:
    class Tiring(MemoryAdapter):
        async def get_trace(self, trace_id: TraceId, within: TimeRange | None, deadline: Deadline) -> Trace | None:
            if len(self.asked.traces) >= 6:
                raise BackendFailed
            return await super().get_trace(trace_id, within, deadline)

    tiring = Tiring([numbered(number) for number in range(20)], PLAIN)
    found = await asked("{ span.number >= 0 }", source("tiring", tiring))
    (outcome,) = found.outcome.sources
    assert (outcome.status, outcome.rows) == (SourceStatus.PARTIAL, 4)
    assert outcome.error is not None
    assert found.resume is not None
    assert found.resume.places["tiring"] == (numbered(3).start, numbered(3).trace_id)


async def test_a_store_that_cannot_look_up_others_traces_is_named_and_asked_once() -> None:
    back = MemoryAdapter([part_of(numbered(number), root=False) for number in range(5)], EVERYTHING)
    front = MemoryAdapter(
        [part_of(numbered(number), root=True) for number in range(5)],
        replace(EVERYTHING, concurrency=1),
        faults=Faults(get_trace=Unreachable("No connection.")),
    )
    found = await asked("{ status = error }", source("back", back), source("front", front))
    assert len(found.hits) == 5
    assert found.hits[0].root_name is None
    assert found.outcome.sources[0].status is SourceStatus.OK
    assert found.outcome.sources[1].status is SourceStatus.PARTIAL
    assert "could not be looked up here: No connection." in found.outcome.sources[1].warnings[0]
    assert 1 <= len(front.asked.traces) < 5


async def test_a_store_that_is_slow_to_look_up_is_not_waited_for() -> None:
    back = MemoryAdapter([part_of(numbered(0), root=False)], EVERYTHING)

    class Asleep(MemoryAdapter):
        async def get_trace(self, trace_id: TraceId, within: TimeRange | None, deadline: Deadline) -> Trace | None:
            await anyio.sleep_forever()
            raise AssertionError

    with anyio.fail_after(5):
        found = await asked(
            "{ status = error }", source("back", back), source("asleep", Asleep([], EVERYTHING)), seconds=0.2
        )
    assert len(found.hits) == 1
    assert "No answer before the deadline" in found.outcome.sources[1].warnings[0]


async def test_lookups_of_roots_are_bounded_and_the_bound_is_told() -> None:
    back = MemoryAdapter([part_of(numbered(number), root=False) for number in range(5)], EVERYTHING)
    front = MemoryAdapter([part_of(numbered(number), root=True) for number in range(5)], EVERYTHING)
    limits = LimitSettings(lookups_max=2)
    found = await asked("{ status = error }", source("back", back), source("front", front), limits=limits)
    assert [hit.root_name for hit in found.hits] == ["GET /", "GET /", None, None, None]
    assert all(CUT in one.warnings for one in found.outcome.sources)
    none = await asked("{ status = error }", source("b", back), source("f", front), limits=LimitSettings(lookups_max=0))
    assert all(hit.root_name is None for hit in none.hits)


async def test_one_bad_store_does_not_hide_that_whole_traces_were_judged_without_it() -> None:
    front = MemoryAdapter([numbered(0)], EVERYTHING)
    down = MemoryAdapter([], EVERYTHING, faults=Faults(get_trace=Unreachable("No connection.")))
    found = await asked('{ rootName = "GET /" }', source("front", front), source("down", down))
    assert len(found.hits) == 1
    assert not found.outcome.complete
    assert "could not be looked up here" in found.outcome.sources[1].warnings[0]


async def test_a_trace_in_several_stores_is_judged_once() -> None:
    stores = [MemoryAdapter([numbered(0)], EVERYTHING) for _ in range(3)]
    found = await asked('{ rootName = "GET /" }', *(source(str(n), one) for n, one in enumerate(stores)))
    assert len(found.hits) == 1
    assert found.origins == (("0", "1", "2"),)
    assert sum(len(one.asked.traces) for one in stores) == 2


async def test_a_part_that_vanished_leaves_the_others() -> None:
    trace = numbered(0)
    page = ScanPage((Candidate(trace.trace_id, trace.start),), complete=True)
    store = MemoryAdapter([trace], EVERYTHING)
    found = await asked('{ rootName = "GET /" }', source("odd", Odd([page])), source("store", store))
    assert [hit.trace_id for hit in found.hits] == [trace.trace_id]


async def test_a_hanging_store_ends_with_the_deadline_in_every_question() -> None:
    class Hangs(MemoryAdapter):
        async def get_trace(self, trace_id: TraceId, within: TimeRange | None, deadline: Deadline) -> Trace | None:
            await anyio.sleep_forever()
            raise AssertionError

    askings = Engine(LimitSettings()).askings([source("hangs", Hangs([], EVERYTHING))], Deadline.after(0.1))
    with anyio.fail_after(5):
        assembled = await assemble(askings, TraceId("1" * 32), None)
    assert assembled.trace is None
    assert assembled.outcome.sources[0].error is not None
    assert assembled.outcome.sources[0].error.kind == "timed_out"


async def test_completion_keeps_to_the_longest_window() -> None:
    can = replace(EVERYTHING, native_attributes=False, max_range_ns=5_000_000_000)
    adapter = MemoryAdapter([numbered(0), numbered(10)], can)
    asking = Asking(source("store", adapter), Deadline.after(5), Gates(4))
    await attribute_names([asking], AttributeQuery(RANGE))
    assert adapter.asked.scans[0].within == TimeRange(RANGE.end - 5_000_000_000, RANGE.end)


async def test_a_datasource_is_asked_no_more_at_once_than_it_has_said_since() -> None:
    class Counting(MemoryAdapter):
        under_way = most = 0

        async def get_trace(self, trace_id: TraceId, within: TimeRange | None, deadline: Deadline) -> Trace | None:
            self.under_way += 1
            self.most = max(self.most, self.under_way)
            await anyio.sleep(0.001)
            self.under_way -= 1
            return None

    adapter = Counting([], EVERYTHING)
    asking = Asking(source("store", adapter), Deadline.after(5), Gates(100))

    async def ask(number: int) -> None:
        await asking.get_trace(TraceId(f"{number:032x}"), None)

    await each(ask, range(1, 20))
    assert adapter.most == EVERYTHING.concurrency
    adapter.most, adapter.capabilities = 0, replace(EVERYTHING, concurrency=2)
    await each(ask, range(1, 20))
    assert adapter.most == 2


async def test_the_first_fault_cancels_what_runs_beside_it() -> None:
    ended: list[int] = []

    async def call(number: int) -> None:
        if number == 1:
            raise Unreachable
        try:
            await anyio.sleep_forever()
        finally:
            ended.append(number)

    with anyio.fail_after(5), pytest.raises(DatasourceError):
        await each(call, range(3))
    assert ended == [0, 2]


def test_only_the_latest_plans_are_kept() -> None:
    engine = Engine(LimitSettings())
    for number in range(600):
        engine.plans(parse(f"{{ span.a = {number} }}"), [EVERYTHING])
    assert len(engine._plans) == 512
    first = engine.plans(parse("{ span.a = 599 }"), [EVERYTHING])
    assert engine.plans(parse("{ span.a = 599 }"), [EVERYTHING]) is first


def test_a_plan_in_words_says_when_traces_are_read_whole() -> None:
    can = Capabilities(order=Order.FIRST_FOUND)
    steps = steps_of(plan(parse("{ span.a = 1 }"), can, alone=True), can)
    assert steps[1:] == (
        "Read each of these traces whole.",
        "Keep those that match { span.a = 1 }, until the page is full.",
    )
    whole = replace(can, whole_traces=True)
    assert len(steps_of(plan(parse("{ span.a = 1 }"), whole, alone=True), whole)) == 2


async def test_a_trace_is_known_to_be_whole_where_the_others_gave_everything_and_nothing_of_it() -> None:
    def sources(faults: Faults = Faults()) -> tuple[Source, Source]:
        halves = [[numbered(number) for number in range(first, 10, 2)] for first in (0, 1)]
        return (
            source("even", MemoryAdapter(halves[0], EVERYTHING)),
            source("odd", MemoryAdapter(halves[1], EVERYTHING, faults=faults)),
        )

    assert (await asked("{}", *sources(), limit=4)).whole == (True,) * 4
    assert set((await asked('{ name != "nothing" }', *sources())).whole) == {False}
    assert set((await asked("{}", *sources(Faults(scan=Unreachable("It is off."))))).whole) == {False}
