"""The reference adapter keeps to its capabilities, to the letter."""

from __future__ import annotations

import time
from dataclasses import replace

import anyio
import pytest

from arcane.model.time import NANOS_PER_SECOND, TimeRange
from arcane.spi import (
    AdapterContext,
    AttributeQuery,
    BackendFailed,
    Capabilities,
    Deadline,
    Field,
    LiteralType,
    Misconfigured,
    Op,
    Order,
    PushRule,
    RateLimited,
    ScanRequest,
    Scope,
    TimedOut,
    Unreachable,
    Unsupported,
    encode_json,
)
from arcane.spi.testing import corpus, filter_of, scan_all
from datasources.memory.adapter import Faults, MemoryAdapter
from datasources.memory.plugin import EVERYTHING, PLUGIN
from datasources.memory.settings import MemorySettings

pytestmark = pytest.mark.anyio

TRACES = corpus()
WHOLE = TimeRange(TRACES[0].start, TRACES[-1].end)
SERVICE = PushRule(frozenset({Scope.RESOURCE}), frozenset({Op.EQ}), frozenset({LiteralType.STRING}))


@pytest.mark.parametrize(
    ("capabilities", "text"),
    [
        (Capabilities(), '{ resource.service.name = "shop" }'),
        (Capabilities(push=(SERVICE,)), '{ resource.service.name != "shop" }'),
        (Capabilities(push=(SERVICE,)), '{ span.a = "shop" }'),
        (Capabilities(push=(SERVICE,)), '{ resource.a = "x" || resource.b = "y" }'),
        (Capabilities(push=(SERVICE,)), '{ !(resource.a = "x") }'),
        (Capabilities(push=(replace(SERVICE, exact=False),), push_not=True), '{ !(resource.a = "x") }'),
        (Capabilities(push=(replace(SERVICE, names=frozenset({"a"})),)), '{ resource.b = "x" }'),
    ],
)
async def test_what_is_not_covered_is_refused(capabilities: Capabilities, text: str) -> None:
    adapter = MemoryAdapter(TRACES, capabilities)
    with pytest.raises(Unsupported):
        await scan_all(adapter, ScanRequest(WHOLE, 10, filter_of(text)))


async def test_limits_and_ranges_are_refused_when_they_are_too_large() -> None:
    adapter = MemoryAdapter(TRACES, replace(EVERYTHING, max_limit=10, max_range_ns=NANOS_PER_SECOND))
    narrow = TimeRange(WHOLE.start, WHOLE.start + NANOS_PER_SECOND)
    assert (await scan_all(adapter, ScanRequest(narrow, 10))).candidates
    for request in (ScanRequest(narrow, 11), ScanRequest(narrow, 0), ScanRequest(WHOLE, 10)):
        with pytest.raises(Unsupported):
            await scan_all(adapter, request)


async def test_a_rule_that_is_not_exact_brings_spans_that_do_not_match() -> None:
    sloppy = Capabilities(push=(replace(SERVICE, exact=False),), max_limit=1_000)
    request = ScanRequest(WHOLE, 1_000, filter_of('{ resource.service.name = "nowhere" }'))
    assert (await scan_all(MemoryAdapter(TRACES, sloppy), request)).candidates
    assert not (await scan_all(MemoryAdapter(TRACES, Capabilities(push=(SERVICE,))), request)).candidates


async def test_a_coarse_clock_brings_traces_from_beside_the_window() -> None:
    within = TimeRange(WHOLE.start + NANOS_PER_SECOND, WHOLE.start + NANOS_PER_SECOND + 1)
    exact = await scan_all(MemoryAdapter(TRACES, EVERYTHING), ScanRequest(within, 1_000))
    coarse = replace(EVERYTHING, time_resolution_ns=60 * NANOS_PER_SECOND)
    rounded = await scan_all(MemoryAdapter(TRACES, coarse), ScanRequest(within, 1_000))
    assert len(rounded.candidates) > len(exact.candidates)


async def test_first_found_is_an_order_that_means_nothing() -> None:
    adapter = MemoryAdapter(TRACES, replace(EVERYTHING, order=Order.FIRST_FOUND))
    starts = [one.start for one in (await scan_all(adapter, ScanRequest(WHOLE, 10))).candidates]
    assert starts != sorted(starts, reverse=True)


async def test_what_was_asked_is_remembered() -> None:
    adapter = MemoryAdapter(TRACES, EVERYTHING)
    request = ScanRequest(WHOLE, 3)
    await scan_all(adapter, request)
    await adapter.get_trace(TRACES[0].trace_id, None, Deadline.after(1))
    assert (adapter.asked.scans, adapter.asked.traces) == ([request], [TRACES[0].trace_id])
    assert adapter.asked.open_scans == 0


async def test_faults_come_where_they_were_put() -> None:
    faults = Faults(scan=RateLimited(), scan_after_pages=1, get_trace=Unreachable(), check=BackendFailed())
    adapter = MemoryAdapter(TRACES, EVERYTHING, faults=faults, page_size=5)
    pages = adapter.scan(ScanRequest(WHOLE, 20), Deadline.after(1))
    assert len((await anext(pages)).candidates) == 5
    with pytest.raises(RateLimited):
        await anext(pages)
    with pytest.raises(Unreachable):
        await adapter.get_trace(TRACES[0].trace_id, None, Deadline.after(1))
    with pytest.raises(BackendFailed):
        await adapter.check(Deadline.after(1))
    assert adapter.asked.open_scans == 0


async def test_latency_ends_at_the_deadline_and_at_a_cancellation() -> None:
    adapter = MemoryAdapter(TRACES, EVERYTHING, faults=Faults(latency_s=30))
    began = time.monotonic()
    with pytest.raises(TimedOut):
        await scan_all(adapter, ScanRequest(WHOLE, 1), Deadline.after(0.05))
    with anyio.move_on_after(0.05):
        await scan_all(adapter, ScanRequest(WHOLE, 1))
    assert time.monotonic() - began < 5
    assert adapter.asked.open_scans == 0


async def test_warnings_are_on_every_page() -> None:
    adapter = MemoryAdapter(TRACES, EVERYTHING, faults=Faults(warnings=("Half is gone.",)))
    assert (await scan_all(adapter, ScanRequest(WHOLE, 1))).warnings == ("Half is gone.",)


async def test_the_plugin_holds_pasted_traces() -> None:
    document = b"\n\n".join(b"".join(encode_json(trace.spans)) for trace in TRACES[:3]).decode()
    context = AdapterContext(http=None, max_response_bytes=1)  # type: ignore[arg-type]
    adapter = PLUGIN.connect(MemorySettings(document=document), context)
    assert len((await scan_all(adapter, ScanRequest(WHOLE, 10))).candidates) == 3
    with pytest.raises(Misconfigured, match="Line 2"):
        PLUGIN.connect(MemorySettings(document='{"resourceSpans":[]}\n{'), context)


async def test_completion_by_scanning_says_the_same_as_an_index() -> None:
    query = AttributeQuery(WHOLE, limit=1_000, filter=filter_of('{ resource.service.name = "pay" }'))
    listing = Capabilities(max_limit=1_000, whole_traces=True)
    for capabilities in (listing, replace(listing, push=(SERVICE,))):
        scanning, indexed = MemoryAdapter(TRACES, capabilities), MemoryAdapter(TRACES, EVERYTHING)
        deadline = Deadline.after(5)
        assert await scanning.attribute_names(query, deadline) == await indexed.attribute_names(query, deadline)
        field = Field(Scope.SPAN, "tags")
        found = await scanning.attribute_values(field, query, deadline)
        known = await indexed.attribute_values(field, query, deadline)
        assert [(one.type, one.value) for one in found] == [(one.type, one.value) for one in known]
        assert all(one.count is None for one in found)
