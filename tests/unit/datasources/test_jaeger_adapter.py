"""How the adapter finds its way: which API, which storage, how wide a window, how much at once."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import pytest

from arcane.federation.execute import Engine
from arcane.federation.question import Question
from arcane.federation.source import Source
from arcane.model.ids import SpanId, TraceId
from arcane.model.span import Resource, Span, SpanKind
from arcane.model.time import NANOS_PER_SECOND
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
    RateLimited,
    Rejected,
    ScanPage,
    ScanRequest,
    Scope,
    SpansetFilter,
    TimedOut,
    TimeRange,
    TooLarge,
    Unauthorized,
)
from arcane.spi.testing import corpus, scan_all
from arcane.spi.testing_corpus import BASE, STEP_NS
from arcane.traceql.evaluate import compile_filter
from arcane.traceql.parse import parse
from datasources.jaeger.adapter import JaegerAdapter
from datasources.jaeger.search import Bounds, Swept
from datasources.jaeger.stores import STORES
from tests.support.egress import session
from tests.support.jaeger_standin import Jaeger, serving
from tests.support.jaeger_storages import Cassandra, Elasticsearch, Memory, Storage

pytestmark = pytest.mark.anyio
MINUTE = 60 * NANOS_PER_SECOND
TRACES = corpus(count=12)
WHOLE = TimeRange(BASE, BASE + 20 * STEP_NS)


@asynccontextmanager
async def connected(
    storage: Storage, told: str = "unknown", bounds: Bounds | None = None, **behaviour: object
) -> AsyncIterator[tuple[JaegerAdapter, Jaeger]]:
    limit = int(str(behaviour.pop("max_response_bytes", 64 * 1024 * 1024)))
    jaeger = Jaeger(storage)
    for name, value in behaviour.items():
        setattr(jaeger, name, value)
    async with serving(jaeger), session(jaeger.url, max_response_bytes=limit) as http:
        yield JaegerAdapter(http, STORES[told], bounds or Bounds()), jaeger


def filter_of(text: str) -> SpansetFilter:
    query = parse(text)
    assert query.filter is not None
    return query.filter


async def scan(
    adapter: JaegerAdapter, text: str = "{ }", within: TimeRange = WHOLE, limit: int = 100, *, began: bool = False
) -> ScanPage:
    request = ScanRequest(within, limit, filter_of(text), began_within=began)
    return await scan_all(adapter, request, Deadline.after(30))


def span(number: int, start: int, lasts: int, name: str = "work", service: str = "shop", of: int = 1) -> Span:
    return Span(
        TraceId(f"{of:032x}"),
        SpanId(f"{number:016x}"),
        "" if number == 1 else f"{1:016x}",
        name,
        SpanKind.INTERNAL,
        start,
        start + lasts,
        resource=Resource({"service.name": service}),
    )


def many(count: int, spans: int = 1, every: int = NANOS_PER_SECOND) -> list[Trace]:
    return [
        Trace(
            TraceId(f"{number:032x}"),
            [span(index + 1, BASE + number * every + index, 1_000, of=number) for index in range(spans)],
        )
        for number in range(1, count + 1)
    ]


async def test_the_third_api_is_asked_where_it_is_served() -> None:
    async with connected(Memory(TRACES)) as (adapter, jaeger):
        assert len((await scan(adapter)).candidates) == 12
        assert {one.path for one in jaeger.requests} == {"/api/v3/services", "/api/v3/traces"}


async def test_a_page_in_place_of_json_leads_to_the_first_api() -> None:
    async with connected(Memory(TRACES), has_v3=False) as (adapter, jaeger):
        assert len((await scan(adapter)).candidates) == 12
        assert {one.path for one in jaeger.requests} == {"/api/v3/services", "/api/services", "/api/traces"}
        assert await adapter.get_trace(TRACES[3].trace_id, None, Deadline.after(9)) is not None


async def test_no_api_at_all_is_said() -> None:
    async with connected(Memory(TRACES), has_v3=False, has_v1=False) as (adapter, _):
        with pytest.raises(Misconfigured):
            await scan(adapter)


async def test_an_api_that_has_gone_is_looked_for_again() -> None:
    async with connected(Memory(TRACES)) as (adapter, jaeger):
        await scan(adapter)
        jaeger.fault, jaeger.faulty_path = (404, b"404 page not found\n"), "/api/v3/"
        trace = await adapter.get_trace(TRACES[3].trace_id, None, Deadline.after(9))
        assert trace is not None
        assert jaeger.requests[-1].path == f"/api/traces/{TRACES[3].trace_id}"


async def test_documents_in_lines_are_read() -> None:
    async with connected(Memory(TRACES), in_lines=True) as (adapter, _):
        assert len((await scan(adapter)).candidates) == 12


async def test_an_answer_without_a_service_proves_the_storage_and_opens_durations() -> None:
    async with connected(Memory(TRACES)) as (adapter, jaeger):
        long = filter_of("{ duration > 100ms }")
        assert not adapter.capabilities.covers(long.condition)
        await scan(adapter)
        assert adapter.capabilities.covers(long.condition)
        jaeger.requests.clear()
        await scan(adapter, "{ duration > 100ms }")
        (asked,) = jaeger.searches()
        assert asked["query.duration_min"] == "99999us"
        assert "query.service_name" not in asked


async def test_a_storage_that_needs_a_service_is_asked_for_each() -> None:
    async with connected(Cassandra(TRACES)) as (adapter, jaeger):
        page = await scan(adapter)
        assert len(page.candidates) == 12
        assert page.complete
        jaeger.requests.clear()
        await scan(adapter)
        assert sorted(one["query.service_name"] for one in jaeger.searches()) == ["db", "pay", "shop"]


async def test_more_services_than_are_asked_are_told() -> None:
    bounds = Bounds(max_services=2)
    async with connected(Cassandra(TRACES), "cassandra", bounds) as (adapter, jaeger):
        page = await scan(adapter)
        assert page.warnings == (
            "Jaeger knows 3 services and 2 were asked: name one, or raise the most services asked.",
        )
        assert {one["query.service_name"] for one in jaeger.searches()} == {"db", "pay"}
        assert (await scan(adapter, '{ resource.service.name = "shop" }')).warnings == ()


async def test_sides_that_name_no_service_share_one_round_of_services() -> None:
    async with connected(Cassandra(TRACES), "cassandra") as (adapter, jaeger):
        await scan(adapter, '{ name = "SELECT" || name = "checkout" || resource.service.name = "shop" }')
        assert len(jaeger.searches()) == 4


async def test_an_index_that_was_cut_is_not_taken_for_an_end() -> None:
    """30 rows are two and a half traces of twelve spans: fewer than ten, and not all."""
    async with connected(Cassandra(many(9, spans=12)), "cassandra") as (adapter, _):
        page = await scan(adapter, '{ resource.service.name = "shop" }', limit=10)
        assert len(page.candidates) < 9
        assert not page.complete
        page = await scan(adapter, '{ resource.service.name = "shop" }', limit=100)
        assert len(page.candidates) == 9
        assert page.complete


async def test_tags_are_asked_with_each_service_where_they_need_one() -> None:
    async with connected(Elasticsearch(TRACES), "elasticsearch", reads_attributes=True) as (adapter, jaeger):
        page = await scan(adapter, '{ span.user.id = "u3" }')
        assert page.candidates
        assert [one.get("query.service_name") for one in jaeger.searches()[1:]] == [None, "db", "pay", "shop"]


async def test_attributes_are_not_sent_to_an_api_that_ignores_them() -> None:
    async with connected(Elasticsearch(TRACES), "elasticsearch") as (adapter, jaeger):
        await scan(adapter, '{ span.user.id = "u3" }')
        assert "query.attributes" not in jaeger.searches()[-1]
        assert not adapter.capabilities.covers(filter_of('{ span.user.id = "u3" }').condition)


LONG = Trace(
    TraceId(f"{1:032x}"),
    [
        span(1, BASE, 20 * MINUTE, "agent"),
        span(2, BASE + MINUTE, 1_000, "early"),
        span(3, BASE + 10 * MINUTE, 1_000, "late"),
    ],
)


@pytest.mark.parametrize("name", ["early", "late"])
async def test_a_trace_that_overlaps_is_found_by_a_span_outside_of_the_window(name: str) -> None:
    within = TimeRange(BASE + 5 * MINUTE, BASE + 6 * MINUTE)
    async with connected(Memory([LONG])) as (adapter, _):
        page = await scan(adapter, f'{{ name = "{name}" }}', within)
        assert [one.trace_id for one in page.candidates] == [LONG.trace_id]
        assert page.complete


async def test_a_trace_beside_the_window_is_left_out() -> None:
    async with connected(Memory([LONG])) as (adapter, _):
        within = TimeRange(BASE - 5 * MINUTE, BASE - MINUTE)
        assert (await scan(adapter, within=within)).candidates == ()


async def test_the_window_is_widened_only_where_a_match_may_lie() -> None:
    within = TimeRange(BASE + 5 * MINUTE, BASE + 6 * MINUTE)

    async def windows(text: str, *, began: bool) -> tuple[str, str]:
        async with connected(Memory([LONG]), "memory") as (adapter, jaeger):
            await scan(adapter, text, within, began=began)
            (asked,) = jaeger.searches()
            return asked["query.start_time_min"][11:19], asked["query.start_time_max"][11:19]

    # One microsecond more on both sides, for the storages that leave the bounds out.
    assert await windows("{ }", began=True) == ("01:54:59", "01:56:00")
    assert await windows("{ }", began=False) == ("01:39:59", "01:56:00")
    assert await windows('{ name = "late" }', began=True) == ("01:54:59", "02:11:00")


async def test_a_busy_edge_does_not_hide_what_the_window_holds() -> None:
    traces = many(100)
    within = TimeRange(BASE + 30 * NANOS_PER_SECOND, BASE + 35 * NANOS_PER_SECOND)
    async with connected(Memory(traces), "memory") as (adapter, _):
        page = await scan(adapter, '{ name = "work" }', within, limit=10)
        assert len(page.candidates) == 6
        assert page.complete
        assert page.warnings == ("Traces that go over an edge of the window may be missing.",)


async def test_traces_that_are_too_large_together_are_asked_for_in_fewer() -> None:
    async with connected(Memory(many(40, spans=20)), "memory", max_response_bytes=60_000) as (adapter, jaeger):
        page = await scan(adapter, limit=40)
        assert 0 < len(page.candidates) < 40
        assert not page.complete
        depths = [int(one["query.num_traces"]) for one in jaeger.searches()]
        assert depths[:3] == [40, 10, 40] or depths[:2] == [40, 10]


async def test_a_trace_that_is_too_large_by_itself_is_an_error() -> None:
    async with connected(Memory(many(1, spans=200)), "memory", max_response_bytes=2_000) as (adapter, _):
        with pytest.raises(TooLarge):
            await scan(adapter)


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, b'{"error":{"httpCode":400,"message":"malformed parameter secret"}}', Rejected),
        (401, b"missing tenant header", Unauthorized),
        (403, b"secret", Unauthorized),
        (413, b"", TooLarge),
        (429, b"", RateLimited),
        (500, b'{"error":{"httpCode":500,"message":"secret"}}', BackendFailed),
        (500, b'{"error":{"message":"search depth must be greater than 0 and less than max traces"}}', Misconfigured),
        (504, b"", TimedOut),
        (302, b"", BadResponse),
        (418, b"", BadResponse),
        (200, b'{"result":', BadResponse),
        (200, b'{"result":{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"!"}]}]}]}}', BadResponse),
        (200, b'{"data":[]}', BadResponse),
        (404, b"404 page not found", Misconfigured),
        (200, b"<html>secret</html>", Misconfigured),
    ],
)
async def test_a_failure_is_named_and_quotes_nothing(status: int, body: bytes, error: type[DatasourceError]) -> None:
    async with connected(Memory(TRACES), "memory", has_v1=False) as (adapter, jaeger):
        await scan(adapter)
        jaeger.fault, jaeger.faulty_path = (status, body), "/api/v3/traces"
        with pytest.raises(error) as failed:
            await scan(adapter)
        assert "secret" not in str(failed.value)


@pytest.mark.parametrize("body", [b'{"data":', b'{"data":[{"spans":[{"traceID":"zz","spanID":"1"}]}]}', b'{"data":3}'])
async def test_what_is_not_the_first_api_s_is_refused(body: bytes) -> None:
    async with connected(Memory(TRACES), "memory", has_v3=False) as (adapter, jaeger):
        await scan(adapter)
        jaeger.fault, jaeger.faulty_path = (200, body), "/api/traces"
        with pytest.raises(BadResponse):
            await scan(adapter)


async def test_a_tenant_that_is_missing_is_said() -> None:
    async with connected(Memory(TRACES), tenant="a") as (adapter, _):
        with pytest.raises(Unauthorized, match="tenant"):
            await adapter.check(Deadline.after(9))


async def test_a_check_says_what_there_is() -> None:
    async with connected(Memory(TRACES)) as (adapter, _):
        health = await adapter.check(Deadline.after(9))
        assert health.version == "2.13.0"
        assert health.findings[0] == "API v3, 3 services."
    async with connected(Memory(TRACES), has_v3=False) as (adapter, _):
        findings = (await adapter.check(Deadline.after(9))).findings
        assert findings[0] == "API v1, 3 services."
        assert any("microseconds" in one for one in findings)
        assert any("which storage" in one for one in findings)


async def test_names_are_those_of_the_operations() -> None:
    async with connected(Memory(TRACES)) as (adapter, jaeger):
        found = await adapter.attribute_values(
            Field(Scope.INTRINSIC, "name"), AttributeQuery(WHOLE, prefix="GET"), Deadline.after(9)
        )
        assert [one.value for one in found] == ["GET /cart"]
        assert not jaeger.searches()


async def test_values_that_go_with_a_filter_come_from_traces() -> None:
    query = AttributeQuery(WHOLE, filter=filter_of('{ name = "SELECT" }'))
    async with connected(Memory(TRACES)) as (adapter, _):
        found = await adapter.attribute_values(Field(Scope.RESOURCE, "service.name"), query, Deadline.after(9))
        assert [one.value for one in found] == ["db"]


def test_of_two_parts_of_a_trace_the_larger_is_kept_and_of_too_many_traces_the_newest() -> None:
    whole, older, newest = LONG, *many(2)
    part = Trace(whole.trace_id, whole.spans[1:])
    swept = Swept()
    for found in ([part], [whole], [part]):
        swept.add(found, 3)
    assert len(swept.traces[whole.trace_id].spans) == 3
    assert swept.whole
    swept.add([Trace(TraceId("a" * 32), older.spans), newest], 2)
    assert [trace.start for trace in swept.newest_first()] == [newest.start, older.start]
    assert not swept.whole


@pytest.mark.parametrize(("text", "bare"), [("{ status = error }", True), ('{ span.user.id = "u3" }', False)])
async def test_a_search_brings_of_spans_what_its_query_reads(text: str, bare: bool) -> None:
    heard: list[ScanRequest] = []

    class Hearing(JaegerAdapter):
        async def scan(self, request: ScanRequest, deadline: Deadline) -> AsyncGenerator[ScanPage, None]:
            heard.append(request)
            async for page in super().scan(request, deadline):
                carried = [one for found in page.candidates if found.trace for one in found.trace.spans]
                assert any(one.attributes for one in carried) is not bare
                yield page

    jaeger = Jaeger(Memory(TRACES))
    async with serving(jaeger), session(jaeger.url) as http:
        source = Source("1", "Jaeger", "jaeger", Hearing(http, STORES["memory"], Bounds()))
        question = Question(parse(text), WHOLE, 50)
        found = await Engine(LimitSettings()).search(question, [source], None, Deadline.after(30))
    assert {request.bare for request in heard} == {bare}
    assert {hit.trace_id for hit in found.hits} == {
        trace.trace_id for trace in TRACES if compile_filter(filter_of(text)).matches(trace)
    }
