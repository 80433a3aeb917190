"""The Tempo adapter against a server that misbehaves."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import anyio
import pytest

from arcane.federation.execute import Engine
from arcane.federation.question import Question, Resume
from arcane.federation.source import Source
from arcane.model.ids import SpanId, TraceId
from arcane.model.span import Span, SpanKind
from arcane.model.time import NANOS_PER_SECOND, TimeRange
from arcane.model.trace import Trace
from arcane.settings import LimitSettings
from arcane.spi import (
    AttributeQuery,
    BackendFailed,
    BadResponse,
    DatasourceError,
    Deadline,
    Field,
    Misconfigured,
    Order,
    RateLimited,
    ScanRequest,
    Scope,
    TimedOut,
    TooLarge,
    Unauthorized,
    Unreachable,
)
from arcane.spi.testing import corpus, scan_all
from arcane.traceql.ast import SpansetFilter
from arcane.traceql.ast_pipeline import Query
from arcane.traceql.parse import parse
from datasources.tempo.adapter import TempoAdapter
from tests.support.egress import session
from tests.support.tempo_standin import Fault, Tempo, serving

pytestmark = pytest.mark.anyio

TRACES = corpus()
WHOLE = TimeRange(TRACES[0].start, TRACES[-1].end)
EVERYTHING = ScanRequest(WHOLE, limit=100)


@asynccontextmanager
async def connected(tempo: Tempo, headers: dict[str, str] | None = None) -> AsyncIterator[TempoAdapter]:
    async with serving(tempo), session(tempo.url, headers=headers) as http:
        yield TempoAdapter(http, max_range_hours=168)


def paths(tempo: Tempo) -> Sequence[str]:
    return [request.path for request in tempo.requests]


async def test_newest_first_is_promised_once_the_version_is_known() -> None:
    async with connected(Tempo(TRACES)) as adapter:
        assert adapter.capabilities.order is Order.FIRST_FOUND
        await scan_all(adapter, EVERYTHING)
        assert adapter.capabilities.order is Order.NEWEST_FIRST


async def test_what_is_described_is_what_is_sent() -> None:
    tempo = Tempo(TRACES)
    secret = {"authorization": "Bearer zq7-secret", "x-scope-orgid": "zq7-tenant"}
    async with connected(tempo, secret) as adapter:
        before = adapter.describe(EVERYTHING, whole=False)
        assert [request.target for request in before] == ["/api/status/buildinfo", "/api/search"]
        answer = await scan_all(adapter, EVERYTHING)
        await adapter.get_trace(answer.candidates[0].trace_id, None, Deadline.after(5))
        search, trace = adapter.describe(EVERYTHING, whole=True)
        tempo.requests.clear()
        await scan_all(adapter, EVERYTHING)
        (sent,) = tempo.requests
    assert (sent.method, sent.path) == (search.method, search.target)
    assert tuple(sent.query.items()) == search.parameters
    assert trace.target == "/api/v2/traces/{id}"
    assert "zq7" not in repr((before, search, trace))


@pytest.mark.parametrize(
    ("version", "order"),
    [
        ("2.7.2", Order.FIRST_FOUND),
        ("2.8.0", Order.NEWEST_FIRST),
        ("v3.1.0-dev", Order.NEWEST_FIRST),
        ("main-abc", Order.FIRST_FOUND),
        ("", Order.FIRST_FOUND),
    ],
)
async def test_order_goes_by_the_version(version: str, order: Order) -> None:
    tempo = Tempo(TRACES, version)
    async with connected(tempo) as adapter:
        await scan_all(adapter, EVERYTHING)
        assert adapter.capabilities.order is order
    assert ("most_recent" in tempo.requests[-1].query["q"]) is (order is Order.NEWEST_FIRST)


async def test_absence_is_pushed_to_tempo_3_only() -> None:
    condition = parse("{ span.coupon = nil }").filter
    assert condition is not None
    for version, covered in (("2.10.8", False), ("3.0.3", True)):
        async with connected(Tempo(TRACES, version)) as adapter:
            await scan_all(adapter, EVERYTHING)
            assert adapter.capabilities.covers(condition.condition) is covered


async def test_the_version_is_asked_once() -> None:
    tempo = Tempo(TRACES)
    async with connected(tempo) as adapter:
        for _ in range(3):
            await scan_all(adapter, EVERYTHING)
    assert paths(tempo).count("/api/status/buildinfo") == 1


async def test_a_gateway_that_hides_the_version_is_no_obstacle() -> None:
    tempo = Tempo(TRACES, fault=Fault(403), faulty_path="/api/status")
    async with connected(tempo) as adapter:
        assert len((await scan_all(adapter, EVERYTHING)).candidates) == len(TRACES)
        health = await adapter.check(Deadline.after(5))
        assert health.version is None
        assert "does not say its version" in health.findings[0]


@pytest.mark.parametrize(
    ("fault", "wanted"),
    [
        (Fault(401, b"no org id"), Unauthorized),
        (Fault(404, b"404 page not found"), Misconfigured),
        (Fault(413), TooLarge),
        (Fault(429, headers={"Retry-After": "3"}), RateLimited),
        (Fault(500, b"boom"), BackendFailed),
        (Fault(504), TimedOut),
        (Fault(200, b"<html>Sign in</html>"), BadResponse),
        (Fault(200, b'{"traces": []}' * 2, cut=7), (BadResponse, Unreachable)),
    ],
)
async def test_every_fault_of_a_search_is_named(fault: Fault, wanted: type[DatasourceError]) -> None:
    async with connected(Tempo(TRACES, fault=fault, faulty_path="/api/search")) as adapter:
        with pytest.raises(wanted):
            await scan_all(adapter, EVERYTHING)


@pytest.mark.parametrize(
    ("fault", "wanted"),
    [
        (Fault(422), TooLarge),
        (Fault(500), BackendFailed),
        (Fault(200, b"\x0a\xff"), BadResponse),
        (Fault(200, b"\x0a\x05\x0a\x03abc"), BadResponse),
    ],
)
async def test_every_fault_of_a_trace_is_named(fault: Fault, wanted: type[DatasourceError]) -> None:
    async with connected(Tempo(TRACES, fault=fault, faulty_path="/api/v2/traces")) as adapter:
        with pytest.raises(wanted):
            await adapter.get_trace(TRACES[0].trace_id, None, Deadline.after(5))


async def test_a_server_that_is_gone_is_unreachable() -> None:
    tempo = Tempo(TRACES)
    async with serving(tempo):
        pass
    async with session(tempo.url) as http:
        with pytest.raises(Unreachable):
            await scan_all(TempoAdapter(http, 168), EVERYTHING)


async def test_a_slow_server_is_given_up_at_the_deadline() -> None:
    async with connected(Tempo(TRACES, delay_s=5)) as adapter:
        began = time.monotonic()
        with pytest.raises(TimedOut):
            await scan_all(adapter, EVERYTHING, Deadline.after(0.1))
        assert time.monotonic() - began < 1


async def test_cancelling_ends_the_request_upstream() -> None:
    tempo = Tempo(TRACES, delay_s=5)
    async with connected(tempo) as adapter:
        with anyio.move_on_after(0.1):
            await scan_all(adapter, EVERYTHING)
        with anyio.fail_after(2):
            await tempo.cancelled.wait()


async def test_the_tenant_is_sent_with_every_request() -> None:
    tempo = Tempo(TRACES, tenant="llm")
    async with connected(tempo) as adapter:
        with pytest.raises(Unauthorized, match="tenant"):
            await scan_all(adapter, EVERYTHING)
    async with connected(tempo, {"X-Scope-OrgID": "llm"}) as adapter:
        assert (await scan_all(adapter, EVERYTHING)).candidates


async def test_what_a_search_asks_for_is_bounded_as_tempo_wants_it() -> None:
    tempo = Tempo(TRACES)
    async with connected(tempo) as adapter:
        within = TimeRange(WHOLE.start + 1, WHOLE.start + 2)
        await scan_all(adapter, ScanRequest(within, limit=5, spans_per_trace=1_000))
        await scan_all(adapter, ScanRequest(within, limit=5, spans_per_trace=0))
    first, second = [request.query for request in tempo.requests if request.path == "/api/search"]
    assert (first["spss"], second["spss"], first["limit"]) == ("100", "1", "6")
    assert int(first["end"]) - int(first["start"]) == 1


def begun_at(*starts: int) -> list[Trace]:
    """Traces of one span each, with ascending ids."""
    spans = [
        Span(TraceId(f"{number:032x}"), SpanId(f"{number:016x}"), "", "tick", SpanKind.SERVER, start, start + 1)
        for number, start in enumerate(starts, start=1)
    ]
    return [Trace(span.trace_id, [span]) for span in spans]


@pytest.mark.parametrize("limit", [1, 2, 3, 5])
async def test_pages_lose_no_trace_that_began_together_with_others(limit: int) -> None:
    second = NANOS_PER_SECOND
    traces = begun_at(second, 2 * second, 2 * second, 2 * second, 3 * second, 3 * second, 4 * second)
    question = Question(Query(SpansetFilter()), TimeRange(0, 10 * second), limit)
    found: list[str] = []
    async with connected(Tempo(traces)) as adapter:
        await scan_all(adapter, EVERYTHING)  # from here on it is known to answer newest first
        engine, source = Engine(LimitSettings()), Source("one", "One", "tempo", adapter)
        resume: Resume | None = None
        while True:
            page = await engine.search(question, [source], resume, Deadline.after(10))
            found += [hit.trace_id for hit in page.hits]
            resume = page.resume
            if resume is None:
                break
    assert found == [trace.trace_id for trace in reversed(traces)]


async def test_more_traces_at_one_instant_than_tempo_returns_are_told() -> None:
    async with connected(Tempo(begun_at(*[NANOS_PER_SECOND] * 1_001))) as adapter:
        window = TimeRange(0, 2 * NANOS_PER_SECOND)
        await scan_all(adapter, ScanRequest(window, limit=1))
        answer = await scan_all(adapter, ScanRequest(window, limit=1))
    assert (len(answer.candidates), answer.complete) == (1, False)
    assert "at one instant" in answer.warnings[0]


async def test_the_longest_window_stays_below_tempos_bound_when_it_is_rounded() -> None:
    async with connected(Tempo(TRACES)) as adapter:
        longest = adapter.capabilities.max_range_ns
        assert longest is not None
        start = WHOLE.end - longest + NANOS_PER_SECOND // 2
        answer = await scan_all(adapter, ScanRequest(TimeRange(start, start + longest), limit=100))
        assert answer.candidates


async def test_what_was_selected_for_us_is_not_shown_and_what_was_asked_for_is() -> None:
    async with connected(Tempo(TRACES)) as adapter:
        plain = (await scan_all(adapter, EVERYTHING)).candidates[0].hit
        query = parse('{ status = error && resource.service.name = "shop" }').filter
        assert query is not None
        asked = (await scan_all(adapter, ScanRequest(WHOLE, 100, query))).candidates[0].hit
    assert plain is not None
    assert plain.spans[0].name is not None
    assert plain.spans[0].attributes == {}
    assert asked is not None
    assert asked.spans[0].attributes == {"status": "error", "service.name": "shop"}


async def test_a_trace_falls_back_to_the_first_api_and_remembers() -> None:
    tempo = Tempo(TRACES, has_v2=False)
    async with connected(tempo) as adapter:
        for trace in TRACES[:3]:
            found = await adapter.get_trace(trace.trace_id, None, Deadline.after(5))
            assert found is not None
            assert found.spans == trace.spans
    assert [path[:8] for path in paths(tempo)] == ["/api/v2/", "/api/tra", "/api/tra", "/api/tra"]


async def test_a_gateway_that_answers_404_for_an_unknown_trace_is_understood() -> None:
    tempo = Tempo(TRACES, fault=Fault(404), faulty_path="/api/v2/traces")
    async with connected(tempo) as adapter:
        found = await adapter.get_trace(TRACES[0].trace_id, None, Deadline.after(5))
        assert found is not None
        assert await adapter.get_trace(TRACES[0].trace_id, None, Deadline.after(5)) is not None
    assert sum(path.startswith("/api/v2/traces") for path in paths(tempo)) == 2


async def test_no_trace_api_at_all_is_a_wrong_address() -> None:
    tempo = Tempo(TRACES, fault=Fault(404, b"404 page not found"))
    async with connected(tempo) as adapter:
        with pytest.raises(Misconfigured):
            await adapter.get_trace(TRACES[0].trace_id, None, Deadline.after(5))


async def test_a_partial_trace_has_a_warning() -> None:
    async with connected(Tempo(TRACES, partial=b"Trace exceeds max size")) as adapter:
        found = await adapter.get_trace(TRACES[0].trace_id, None, Deadline.after(5))
        assert found is not None
        assert found.warnings


async def test_a_check_tells_version_latency_and_what_is_missing() -> None:
    async with connected(Tempo(TRACES, "2.6.1")) as adapter:
        health = await adapter.check(Deadline.after(5))
    assert health.version == "2.6.1"
    assert health.newest_trace is None
    assert any("older than 2.8" in finding for finding in health.findings)
    assert any("tenant" in finding for finding in health.findings)


async def test_a_check_finds_the_newest_trace() -> None:
    recent = corpus(base=time.time_ns() - 600 * NANOS_PER_SECOND)
    async with connected(Tempo(recent)) as adapter:
        health = await adapter.check(Deadline.after(5))
    assert health.newest_trace == recent[-1].start
    assert health.findings == ()


async def test_a_check_says_when_something_else_answers() -> None:
    async with connected(Tempo(TRACES, fault=Fault(500))) as adapter:
        with pytest.raises(BackendFailed):
            await adapter.check(Deadline.after(5))


async def test_names_with_odd_characters_reach_the_server_as_they_are() -> None:
    tempo = Tempo(TRACES)
    async with connected(tempo) as adapter:
        field = Field(Scope.SPAN, 'odd name "x"')
        values = await adapter.attribute_values(field, AttributeQuery(WHOLE), Deadline.after(5))
        assert [value.value for value in values] == ["q"]
        slashes = Field(Scope.SPAN, "a/b?c#d%2F")
        assert await adapter.attribute_values(slashes, AttributeQuery(WHOLE), Deadline.after(5)) == []
    assert tempo.requests[-1].match_info["name"] == "span.a/b?c#d%2F"


async def test_completion_is_narrowed_by_what_tempo_covers() -> None:
    async with connected(Tempo(TRACES)) as adapter:
        query = parse('{ resource.service.name = "pay" }').filter
        assert query is not None
        narrowed = AttributeQuery(WHOLE, filter=query)
        names = await adapter.attribute_names(narrowed, Deadline.after(5))
        found = {name.field.name for name in names if name.field.scope is Scope.SPAN}
        assert found == {"ratio", "tags"}
