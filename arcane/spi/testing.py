"""Tells the author of an adapter when it is right.

Subclass `AdapterContract` in a test module and give it a fixture `adapter` that holds `corpus`:

    class TestMine(AdapterContract):
        @pytest.fixture
        async def adapter(self, traces):
            async with my_server(traces) as server:
                yield MyAdapter(server.url)

Every test asks through the SPI only, and only for what the adapter's capabilities say it can do.
docs/how-to/write-a-datasource.md walks through it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import aclosing

import anyio
import pytest

from arcane.model.deadline import Deadline
from arcane.model.ids import TraceId
from arcane.model.span import Span
from arcane.model.time import NANOS_PER_MILLISECOND, NANOS_PER_SECOND, TimeRange
from arcane.model.trace import Trace
from arcane.spi.adapter import Adapter
from arcane.spi.capabilities import Order
from arcane.spi.errors import DatasourceError, TimedOut
from arcane.spi.scan import AttributeQuery, Candidate, Health, ScanPage, ScanRequest
from arcane.spi.testing_corpus import BASE, QUERIES, STEP_NS, corpus
from arcane.spi.testing_metrics import MetricsContract
from arcane.traceql.ast import Field, Scope, SpansetFilter
from arcane.traceql.check import check
from arcane.traceql.evaluate import compile_filter, levels, mentioned_fields
from arcane.traceql.intrinsics import Level
from arcane.traceql.parse import parse

__all__ = ["AdapterContract", "corpus", "scan_all"]

UNKNOWN = TraceId("00000000000000000000000000dead00")
_PATIENCE_S = 30.0


async def scan_all(adapter: Adapter, request: ScanRequest, deadline: Deadline | None = None) -> ScanPage:
    """Returns all pages of a scan as one; fails where a page before the last claims to be complete."""
    candidates: list[Candidate] = []
    warnings: dict[str, None] = {}
    complete = False
    async with aclosing(adapter.scan(request, deadline or Deadline.after(_PATIENCE_S))) as pages:
        async for page in pages:
            assert not complete, "a page came after one that was complete"
            candidates.extend(page.candidates)
            warnings.update(dict.fromkeys(page.warnings))
            complete = page.complete
    return ScanPage(tuple(candidates), complete, tuple(warnings))


def filter_of(text: str) -> SpansetFilter:
    """Returns the filter that `text` is; fails where it is not one."""
    query = parse(text)
    check(query)
    assert query.filter is not None
    return query.filter


@pytest.mark.anyio
class AdapterContract(MetricsContract):
    """What the engine relies on. Subclass it, and provide the fixture `adapter`."""

    base: int = BASE
    """When the corpus begins, for backends that refuse what is old."""

    @pytest.fixture
    def anyio_backend(self) -> str:
        """The product runs on asyncio."""
        return "asyncio"

    @pytest.fixture
    def traces(self) -> list[Trace]:
        """What the adapter under test has to hold."""
        return corpus(self.base)

    @pytest.fixture
    def whole(self, traces: list[Trace]) -> TimeRange:
        """A window with every trace in it."""
        return TimeRange(self.base - NANOS_PER_SECOND, max(trace.end for trace in traces) + NANOS_PER_SECOND)

    async def test_every_trace_of_the_window_is_found(
        self, adapter: Adapter, traces: list[Trace], whole: TimeRange
    ) -> None:
        answer = await scan_all(adapter, ScanRequest(whole, limit=adapter.capabilities.max_limit))
        assert {one.trace_id for one in answer.candidates} == {trace.trace_id for trace in traces}
        assert len(answer.candidates) == len(traces), "a trace came twice"
        assert answer.complete
        assert not answer.warnings

    async def test_a_candidate_says_when_its_trace_began_and_shows_it(
        self, adapter: Adapter, traces: list[Trace], whole: TimeRange
    ) -> None:
        by_id = {trace.trace_id: trace for trace in traces}
        answer = await scan_all(adapter, ScanRequest(whole, limit=adapter.capabilities.max_limit))
        for candidate in answer.candidates:
            trace = by_id[candidate.trace_id]
            assert candidate.start == trace.start
            assert candidate.hit is not None or candidate.trace is not None
            if candidate.hit is not None:
                self._assert_hit(candidate, trace)
            if candidate.trace is not None or adapter.capabilities.whole_traces:
                assert candidate.trace is not None
                self._assert_same_spans(candidate.trace.spans, trace.spans)

    @pytest.mark.parametrize("limit", [1, 7, 59])
    async def test_a_limit_is_kept_and_told(
        self, adapter: Adapter, traces: list[Trace], whole: TimeRange, limit: int
    ) -> None:
        answer = await scan_all(adapter, ScanRequest(whole, limit=min(limit, adapter.capabilities.max_limit)))
        assert len(answer.candidates) <= limit
        assert not answer.complete, "traces were left out, and the answer says it is complete"

    async def test_newest_first_means_the_newest_and_in_order(
        self, adapter: Adapter, traces: list[Trace], whole: TimeRange
    ) -> None:
        await self._warm_up(adapter)
        if adapter.capabilities.order is not Order.NEWEST_FIRST:
            return
        wanted = sorted(((trace.start, trace.trace_id) for trace in traces), reverse=True)[:9]
        answer = await scan_all(adapter, ScanRequest(whole, limit=9))
        assert [(one.start, one.trace_id) for one in answer.candidates] == wanted

    @pytest.mark.parametrize(("first", "last"), [(0, 0), (5, 9), (30, 31), (59, 59)])
    async def test_a_window_has_what_overlaps_it(
        self, adapter: Adapter, traces: list[Trace], first: int, last: int
    ) -> None:
        within = TimeRange(self.base + first * STEP_NS, self.base + last * STEP_NS + NANOS_PER_MILLISECOND)
        answer = await scan_all(adapter, ScanRequest(within, limit=adapter.capabilities.max_limit))
        found = {one.trace_id for one in answer.candidates}
        grain = adapter.capabilities.time_resolution_ns - 1
        wider = TimeRange(within.start - grain, within.end + grain)
        assert found >= {trace.trace_id for trace in traces if within.overlaps(trace.start, trace.end)}
        assert found <= {trace.trace_id for trace in traces if wider.overlaps(trace.start, trace.end)}

    @pytest.mark.parametrize("text", ["{ }", '{ name = "SELECT" }'])
    async def test_what_began_in_a_window_is_found_also_where_nothing_else_is_wanted(
        self, adapter: Adapter, traces: list[Trace], text: str
    ) -> None:
        """The match may lie behind the window: it is the trace that has to begin in it."""
        await self._warm_up(adapter)
        if not adapter.capabilities.covers(filter_of(text).condition):
            return
        within = TimeRange(self.base + 5 * STEP_NS, self.base + 9 * STEP_NS + NANOS_PER_MILLISECOND)
        request = ScanRequest(within, adapter.capabilities.max_limit, filter_of(text), began_within=True)
        found = {one.trace_id for one in (await scan_all(adapter, request)).candidates}
        assert found >= {trace.trace_id for trace in traces if within.start <= trace.start <= within.end}

    async def test_a_window_without_traces_is_complete_and_empty(self, adapter: Adapter) -> None:
        within = TimeRange(self.base - 7_200 * NANOS_PER_SECOND, self.base - 3_600 * NANOS_PER_SECOND)
        answer = await scan_all(adapter, ScanRequest(within, limit=10))
        assert answer.candidates == ()
        assert answer.complete

    @pytest.mark.parametrize("text", QUERIES)
    async def test_a_pushed_filter_finds_what_arcane_finds(
        self, adapter: Adapter, traces: list[Trace], whole: TimeRange, text: str
    ) -> None:
        """A superset where a rule is not exact, the very same where all are, and never less."""
        await self._warm_up(adapter)
        spanset, capabilities = filter_of(text), adapter.capabilities
        if not capabilities.covers(spanset.condition):
            return
        request = ScanRequest(whole, capabilities.max_limit, spanset, spans_per_trace=50)
        found = {one.trace_id: one for one in (await scan_all(adapter, request)).candidates}
        compiled = compile_filter(spanset)
        wanted = {trace.trace_id: spans for trace in traces if (spans := compiled.matches(trace))}
        assert found.keys() >= wanted.keys(), "traces that match were left out"
        exact = capabilities.exact(spanset.condition) and not _several_of_one_row(spanset)
        if exact:
            assert found.keys() == wanted.keys(), "traces that do not match came, and the rules say exact"
        for trace_id, spans in wanted.items():
            self._assert_matched(found[trace_id], spans, exact=exact)

    async def test_spans_per_trace_bounds_what_is_shown_and_not_what_is_counted(
        self, adapter: Adapter, traces: list[Trace], whole: TimeRange
    ) -> None:
        request = ScanRequest(whole, adapter.capabilities.max_limit, spans_per_trace=2)
        by_id = {trace.trace_id: trace for trace in traces}
        for candidate in (await scan_all(adapter, request)).candidates:
            if candidate.hit is not None:
                assert len(candidate.hit.spans) <= 2
                assert candidate.hit.matched == len(by_id[candidate.trace_id].spans)

    async def test_selected_fields_are_shown(self, adapter: Adapter, traces: list[Trace], whole: TimeRange) -> None:
        select = (Field(Scope.SPAN, "user.id"),)
        request = ScanRequest(whole, adapter.capabilities.max_limit, spans_per_trace=50, select=select)
        spans = {span.span_id: span for trace in traces for span in trace.spans}
        for candidate in (await scan_all(adapter, request)).candidates:
            for shown in candidate.hit.spans if candidate.hit else ():
                assert shown.attributes.get("user.id") == spans[shown.span_id].attributes.get("user.id")

    async def test_traces_that_come_with_a_scan_are_whole(
        self, adapter: Adapter, traces: list[Trace], whole: TimeRange
    ) -> None:
        by_id = {trace.trace_id: trace for trace in traces}
        answer = await scan_all(adapter, ScanRequest(whole, adapter.capabilities.max_limit, whole=True))
        assert {one.trace_id for one in answer.candidates} == by_id.keys()
        for candidate in answer.candidates:
            if candidate.trace is not None:
                self._assert_same_spans(candidate.trace.spans, by_id[candidate.trace_id].spans)

    async def test_bare_traces_lack_only_what_spans_carry(
        self, adapter: Adapter, traces: list[Trace], whole: TimeRange
    ) -> None:
        by_id = {trace.trace_id: trace for trace in traces}
        answer = await scan_all(adapter, ScanRequest(whole, adapter.capabilities.max_limit, bare=True))
        assert {one.trace_id for one in answer.candidates} == by_id.keys()
        for candidate in answer.candidates:
            if candidate.trace is not None:
                wanted = by_id[candidate.trace_id].spans
                self._assert_same_spans([*map(bare, candidate.trace.spans)], [*map(bare, wanted)])

    async def test_a_trace_is_read_whole(self, adapter: Adapter, traces: list[Trace]) -> None:
        for trace in (traces[0], traces[3], traces[7], traces[19]):
            found = await adapter.get_trace(trace.trace_id, None, Deadline.after(_PATIENCE_S))
            assert found is not None
            assert found.trace_id == trace.trace_id
            assert found.warnings == ()
            self._assert_same_spans(found.spans, trace.spans)

    async def test_a_window_does_not_cut_a_trace(self, adapter: Adapter, traces: list[Trace]) -> None:
        trace = traces[19]
        within = TimeRange(trace.start, trace.start + 1)
        found = await adapter.get_trace(trace.trace_id, within, Deadline.after(_PATIENCE_S))
        assert found is not None
        assert len(found.spans) == len(trace.spans)

    async def test_an_unknown_trace_is_none(self, adapter: Adapter) -> None:
        assert await adapter.get_trace(UNKNOWN, None, Deadline.after(_PATIENCE_S)) is None

    async def test_scans_at_once_do_not_disturb_each_other(self, adapter: Adapter, whole: TimeRange) -> None:
        sizes: list[int] = []

        async def ask(limit: int) -> None:
            sizes.append(len((await scan_all(adapter, ScanRequest(whole, limit=limit))).candidates))

        async with anyio.create_task_group() as group:
            for limit in (1, 2, 3, 4):
                group.start_soon(ask, limit)
        assert sorted(sizes) == [1, 2, 3, 4]

    async def test_a_scan_may_be_left_early(self, adapter: Adapter, traces: list[Trace], whole: TimeRange) -> None:
        request = ScanRequest(whole, limit=adapter.capabilities.max_limit)
        async with aclosing(adapter.scan(request, Deadline.after(_PATIENCE_S))) as pages:
            await anext(pages)
        answer = await scan_all(adapter, request)
        assert len(answer.candidates) == len(traces)

    async def test_a_cancelled_scan_ends_at_once_and_leaves_the_adapter_usable(
        self, adapter: Adapter, traces: list[Trace], whole: TimeRange
    ) -> None:
        request = ScanRequest(whole, limit=adapter.capabilities.max_limit)
        for after_s in (0.0, 0.001, 0.005):
            with anyio.move_on_after(after_s):
                await scan_all(adapter, request)
        answer = await scan_all(adapter, request)
        assert {one.trace_id for one in answer.candidates} == {trace.trace_id for trace in traces}

    async def test_a_deadline_that_has_passed_is_not_waited_for(self, adapter: Adapter, whole: TimeRange) -> None:
        began = time.monotonic()
        try:
            await scan_all(adapter, ScanRequest(whole, limit=1), Deadline.after(0))
            await adapter.get_trace(UNKNOWN, None, Deadline.after(0))
        except TimedOut:
            pass
        except DatasourceError as exc:
            pytest.fail(f"running out of time is TimedOut, not {exc!r}")
        assert time.monotonic() - began < 2.0

    async def test_attribute_names_are_those_on_the_spans(self, adapter: Adapter, whole: TimeRange) -> None:
        names = await adapter.attribute_names(AttributeQuery(whole, limit=500), Deadline.after(_PATIENCE_S))
        fields = [name.field for name in names]
        assert len(set(fields)) == len(fields), "a name came twice"
        for wanted in (Field(Scope.SPAN, "user.id"), Field(Scope.SPAN, "items"), Field(Scope.RESOURCE, "service.name")):
            assert wanted in fields

    async def test_attribute_names_are_narrowed_by_prefix_and_limit(self, adapter: Adapter, whole: TimeRange) -> None:
        deadline = Deadline.after(_PATIENCE_S)
        narrowed = await adapter.attribute_names(AttributeQuery(whole, prefix="user."), deadline)
        assert {name.field.name for name in narrowed} == {"user.id"}
        assert len(await adapter.attribute_names(AttributeQuery(whole, limit=2), deadline)) == 2

    async def test_attribute_values_are_those_on_the_spans(self, adapter: Adapter, whole: TimeRange) -> None:
        deadline, query = Deadline.after(_PATIENCE_S), AttributeQuery(whole)
        users = await adapter.attribute_values(Field(Scope.SPAN, "user.id"), query, deadline)
        assert {value.value for value in users} == {f"u{number}" for number in range(6)}
        services = await adapter.attribute_values(Field(Scope.RESOURCE, "service.name"), query, deadline)
        assert {value.value for value in services} == {"shop", "pay", "db"}
        assert {value.type for value in services} == {"string"}

    async def test_attribute_values_are_narrowed_by_prefix_and_limit(self, adapter: Adapter, whole: TimeRange) -> None:
        deadline, field = Deadline.after(_PATIENCE_S), Field(Scope.RESOURCE, "service.name")
        found = await adapter.attribute_values(field, AttributeQuery(whole, prefix="s"), deadline)
        assert [value.value for value in found] == ["shop"]
        assert len(await adapter.attribute_values(field, AttributeQuery(whole, limit=2), deadline)) == 2

    async def test_a_name_that_nothing_has_has_no_values(self, adapter: Adapter, whole: TimeRange) -> None:
        field = Field(Scope.SPAN, "no.such.attribute")
        assert await adapter.attribute_values(field, AttributeQuery(whole), Deadline.after(_PATIENCE_S)) == []

    async def test_a_check_says_what_is_there(self, adapter: Adapter) -> None:
        health = await adapter.check(Deadline.after(_PATIENCE_S))
        assert isinstance(health, Health)
        assert health.latency_ms >= 0
        assert all(isinstance(finding, str) and finding for finding in health.findings)

    async def test_capabilities_make_sense(self, adapter: Adapter) -> None:
        capabilities = adapter.capabilities
        assert capabilities.max_limit >= 60, "a page of results is larger than one scan"
        assert capabilities.concurrency >= 1
        assert capabilities.time_resolution_ns >= 1
        assert capabilities.max_range_ns is None or capabilities.max_range_ns > capabilities.time_resolution_ns

    async def test_what_it_would_send_can_be_read(self, adapter: Adapter, whole: TimeRange) -> None:
        for described in adapter.describe(ScanRequest(whole, limit=10), whole=True):
            assert described.method
            assert described.target
            assert all(isinstance(text, str) for pair in described.parameters for text in pair)

    async def _warm_up(self, adapter: Adapter) -> None:
        """Some adapters know what their backend can do only after a first question."""
        within = TimeRange(self.base, self.base + NANOS_PER_SECOND)
        await scan_all(adapter, ScanRequest(within, limit=1))

    def _assert_hit(self, candidate: Candidate, trace: Trace) -> None:
        hit = candidate.hit
        assert hit is not None
        assert (hit.trace_id, hit.start) == (trace.trace_id, trace.start)
        assert abs(hit.duration - trace.duration) < NANOS_PER_MILLISECOND
        assert hit.root_name == (trace.root.name if trace.root else None)
        assert hit.root_service == (trace.root.service_name if trace.root else None)
        assert hit.span_count in (None, len(trace.spans))
        assert hit.error_count in (None, trace.error_count)

    def _assert_matched(self, candidate: Candidate, spans: Sequence[Span], *, exact: bool) -> None:
        hit = candidate.hit
        if hit is None:
            return
        if exact:
            assert hit.matched == len(spans)
            assert {one.span_id for one in hit.spans} <= {span.span_id for span in spans}
            assert len(hit.spans) == min(len(spans), 50)
        else:
            assert hit.matched >= len(spans)
        by_id = {span.span_id: span for span in spans}
        for shown in hit.spans:
            span = by_id.get(shown.span_id)
            if span is not None:
                assert (shown.start, shown.duration) == (span.start, span.duration)
                assert shown.name in (None, span.name)
                assert shown.service in (None, span.service_name)
                assert shown.status in (None, span.status)

    def _assert_same_spans(self, found: Sequence[Span], wanted: Sequence[Span]) -> None:
        assert [span.span_id for span in found] == [span.span_id for span in wanted]
        for one, other in zip(found, wanted, strict=True):
            assert one == other


def bare(span: Span) -> Span:
    """Returns the span without what it carries of its own, as a scan may bring it that asks for bare traces."""
    return Span(
        span.trace_id,
        span.span_id,
        span.parent_span_id,
        span.name,
        span.kind,
        span.start,
        span.end,
        span.status,
        span.status_message,
        resource=span.resource,
        scope=span.scope,
    )


def _several_of_one_row(spanset: SpansetFilter) -> bool:
    """Conditions on one event are exact one at a time; the planner evaluates several of them again."""
    found = [levels(field) for field in mentioned_fields(spanset)]
    return any(sum(level in one for one in found) > 1 for level in (Level.EVENT, Level.LINK))
