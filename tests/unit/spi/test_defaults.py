"""Completion where a backend has no index: a bounded sample, and no failure that hides it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from arcane.model.time import NANOS_PER_SECOND, TimeRange
from arcane.spi import (
    AttributeQuery,
    AttributeValueCount,
    Capabilities,
    Deadline,
    Field,
    Scope,
    Unreachable,
    values_in,
)
from arcane.spi.defaults import MAX_FETCHED, MAX_TRACES
from arcane.spi.testing import corpus, filter_of
from datasources.memory.adapter import Faults, MemoryAdapter

pytestmark = pytest.mark.anyio

TRACES = corpus(count=300)
WHOLE = TimeRange(TRACES[0].start, TRACES[-1].end)
LISTING = Capabilities()
WITH_TRACES = Capabilities(whole_traces=True)


async def test_traces_are_fetched_up_to_a_bound() -> None:
    adapter = MemoryAdapter(TRACES, LISTING)
    assert await adapter.attribute_names(AttributeQuery(WHOLE), Deadline.after(5))
    assert adapter.asked.scans[0].limit == MAX_FETCHED
    assert len(adapter.asked.traces) == MAX_FETCHED


async def test_traces_that_came_with_the_scan_are_not_fetched() -> None:
    adapter = MemoryAdapter(TRACES, WITH_TRACES)
    assert await adapter.attribute_names(AttributeQuery(WHOLE), Deadline.after(5))
    assert adapter.asked.scans[0].limit == MAX_TRACES
    assert adapter.asked.traces == []


async def test_the_newest_part_of_a_long_window_is_sampled() -> None:
    adapter = MemoryAdapter(TRACES, replace(LISTING, max_range_ns=NANOS_PER_SECOND))
    await adapter.attribute_names(AttributeQuery(WHOLE), Deadline.after(5))
    assert adapter.asked.scans[0].within == TimeRange(WHOLE.end - NANOS_PER_SECOND, WHOLE.end)


async def test_a_filter_that_is_not_covered_is_evaluated_here() -> None:
    adapter = MemoryAdapter(TRACES, WITH_TRACES)
    query = AttributeQuery(WHOLE, filter=filter_of('{ resource.service.name = "db" }'))
    names = await adapter.attribute_names(query, Deadline.after(5))
    assert {name.field.name for name in names if name.field.scope is Scope.SPAN} == {"items", "k"}


async def test_a_fault_is_raised_where_nothing_can_be_offered() -> None:
    for faults in (Faults(scan=Unreachable()), Faults(get_trace=Unreachable())):
        adapter = MemoryAdapter(TRACES, LISTING, faults=faults)
        with pytest.raises(Unreachable):
            await adapter.attribute_names(AttributeQuery(WHOLE), Deadline.after(5))


async def test_a_fault_after_the_first_page_leaves_what_it_brought() -> None:
    adapter = MemoryAdapter(TRACES, WITH_TRACES, faults=Faults(scan=Unreachable(), scan_after_pages=1), page_size=10)
    assert await adapter.attribute_names(AttributeQuery(WHOLE), Deadline.after(5))


async def test_running_out_of_time_offers_nothing_rather_than_failing() -> None:
    adapter = MemoryAdapter(TRACES, LISTING, faults=Faults(latency_s=1))
    assert await adapter.attribute_names(AttributeQuery(WHOLE), Deadline.after(0.05)) == []


@pytest.mark.parametrize(
    ("field", "wanted"),
    [
        (Field(Scope.INTRINSIC, "status"), {"unset", "ok", "error"}),
        (Field(Scope.INTRINSIC, "kind"), {"server", "client", "internal"}),
        (Field(Scope.INTRINSIC, "rootServiceName"), {"shop"}),
        (Field(Scope.INTRINSIC, "rootName"), {"checkout", "GET /cart"}),
        (Field(Scope.INTRINSIC, "event:name"), {"retry", "exception"}),
        (Field(Scope.INTRINSIC, "statusMessage"), {"card declined"}),
        (Field(Scope.INTRINSIC, "instrumentation:name"), {"http", "sql"}),
        (Field(Scope.INTRINSIC, "instrumentation:version"), {"1.2"}),
        (Field(Scope.INTRINSIC, "duration"), set()),
        (Field(Scope.EVENT, "type"), {"Timeout", "CardError"}),
        (Field(Scope.LINK, "kind"), {"follows"}),
        (Field(Scope.INSTRUMENTATION, "layer"), {"edge"}),
        (Field(Scope.NONE, "shared"), {"own", "given"}),
        (Field(Scope.RESOURCE, "hosts"), {"a1", "a2"}),
    ],
)
def test_values_of_every_kind_of_field_are_found(field: Field, wanted: set[str]) -> None:
    found = values_in([(trace, trace.spans) for trace in TRACES[:60]], field, AttributeQuery(WHOLE))
    assert {one.value for one in found} == wanted
    keyword = field.name in ("status", "kind") and field.scope is Scope.INTRINSIC
    assert {one.type for one in found} <= {"keyword" if keyword else "string"}


def test_the_most_frequent_values_come_first_and_types_stay_apart() -> None:
    trace = TRACES[0]
    field = Field(Scope.SPAN, "items")
    found = values_in([(trace, trace.spans)], field, AttributeQuery(WHOLE))
    assert found == [AttributeValueCount("float", 0.0, 1), AttributeValueCount("int", 0, 1)]
