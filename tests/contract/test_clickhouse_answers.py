"""One corpus, one answer: through the engine, ClickHouse says what memory says of what the table keeps."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest

from arcane.federation.execute import Engine
from arcane.federation.question import Found, Question
from arcane.federation.source import Source
from arcane.model.deadline import Deadline
from arcane.model.time import NANOS_PER_SECOND, TimeRange
from arcane.model.trace import Trace
from arcane.settings import LimitSettings
from arcane.spi import (
    Adapter,
    AttributeQuery,
    BadResponse,
    Field,
    Measure,
    MetricsRequest,
    ScanRequest,
    Scope,
    SpansetFilter,
    Steps,
)
from arcane.spi.testing import scan_all
from arcane.spi.testing_corpus import QUERIES
from arcane.traceql.ast_pipeline import Query
from arcane.traceql.parse import parse
from datasources.clickhouse.adapter import ClickHouseAdapter
from datasources.clickhouse.settings import ClickHouseSettings, headers_of, text_names
from datasources.clickhouse.spelling import Names
from datasources.memory.adapter import MemoryAdapter
from datasources.memory.plugin import EVERYTHING
from tests.contract.test_vectors import searches
from tests.property.test_clickhouse_pushdown import compares_as_stored
from tests.support.clickhouse import ClickHouse, Databases, Exporter, read_back
from tests.support.egress import session
from tests.support.not_run import told
from tests.support.tempo_replay import VECTORS
from tests.support.tempo_standin import traces_in

pytestmark = pytest.mark.anyio

ASKED = (
    *QUERIES,
    "{ span:childCount > 2 }",
    "{ span.db.rows + 1 > 13 }",
    '{ rootName = "GET /cart" || span.amount > 100 }',
    '{ !(resource.service.name = "frontend") && status = error }',
    '{ event:name = "exception" && event.exception.type != nil }',
    "{ traceDuration > 1s && kind = server }",
    "{ .http.status_code >= 500 || .http.response.status_code >= 500 }",
    '{ name =~ ".*[a-z]{3}.*" && duration < 100ms }',
)

STRUCTURED = (
    "{ kind = server } >> { status = error }",
    "{ kind = server } > { duration > 50ms }",
    "{ status = error } << { kind = server }",
    "{ duration > 100ms } ~ { duration < 50ms }",
    "{ kind = client } !>> { status = error }",
    "{ status = error } && { kind = server }",
    "{ status = error } || { duration > 2s }",
    "{ kind = server } &>> { status = error }",
    "{ } | count() > 7",
    "{ kind = client } | avg(duration) > 100ms",
    "{ status = error } | by(resource.service.name) | count() > 1",
    "{ kind = internal } | max(duration) > 1s | select(span.tenant)",
    "{ } | by(name) | coalesce()",
)
"""What only whole traces answer."""


@pytest.fixture(scope="module", params=[Exporter(), Exporter("JSON")], ids=["map", "json"])
def exporter(request: pytest.FixtureRequest) -> Exporter:
    found: Exporter = request.param
    return found


@pytest.fixture(scope="module")
def corpus() -> list[Trace]:
    everything = list(traces_in(VECTORS / "corpus.otlp.jsonl"))
    failed = [trace for trace in everything if trace.error_count][:10]
    return list({trace.trace_id: trace for trace in (*everything[::5], *failed)}.values())


@pytest.fixture
def settings(
    exporter: Exporter, corpus: Sequence[Trace], clickhouse: ClickHouse, databases: Databases
) -> ClickHouseSettings:
    def fill(database: str) -> None:
        exporter.create(clickhouse, database)
        exporter.fill(clickhouse, database, corpus)

    database = databases(f"vectors {exporter}", fill)
    return ClickHouseSettings(url=clickhouse.url, database=database, **clickhouse.credentials)


@pytest.fixture
async def stored(settings: ClickHouseSettings) -> AsyncIterator[ClickHouseAdapter]:
    async with session(settings.url, headers=headers_of(settings)) as http:
        yield ClickHouseAdapter(http, settings)


@pytest.fixture
def kept(exporter: Exporter, corpus: Sequence[Trace], settings: ClickHouseSettings) -> list[Trace]:
    return read_back(corpus, exporter, Names(text_names(settings)))


@pytest.fixture
def within(corpus: Sequence[Trace]) -> TimeRange:
    first, last = min(trace.start for trace in corpus), max(trace.end for trace in corpus)
    return TimeRange(first - NANOS_PER_SECOND, last + NANOS_PER_SECOND)


async def ask(adapter: Adapter, query: Query, within: TimeRange, limit: int = 200) -> Found:
    engine, source = Engine(LimitSettings(source_timeout_s=60)), Source("one", "One", "kind", adapter)
    question = Question(query, within, limit, 100)
    found = await engine.search(question, [source], None, Deadline.after(60))
    assert found.outcome.sources[0].error is None, found.outcome.sources[0].error
    return found


def shown(found: Found) -> list[object]:
    """Returns everything that a list shows of the hits."""
    return [
        (
            (hit.trace_id, hit.start, hit.duration, hit.root_service, hit.root_name, hit.matched),
            (hit.span_count, hit.error_count, hit.services),
            [(one.span_id, one.start, one.duration, one.name, one.service, one.status) for one in hit.spans],
            [one.attributes for one in hit.spans],
        )
        for hit in found.hits
    ]


def queries(exporter: Exporter) -> list[Query]:
    """Returns what a layout is asked: by day every other one of the recorded searches, at night all of them."""
    asked = [parse(text) for text in (*ASKED, *STRUCTURED)]
    recorded = [Query(spans) for _, spans in searches()]
    if told("HYPOTHESIS_PROFILE") != "nightly":
        recorded = recorded[exporter.attributes == "JSON" :: 2]
    return list(dict.fromkeys((*asked, *recorded)))


def asks_as_stored(query: Query) -> bool:
    return (
        query.filter is not None and query.filter.condition is not None and compares_as_stored(query.filter.condition)
    )


async def test_every_query_is_answered_as_by_memory(
    stored: ClickHouseAdapter, kept: list[Trace], within: TimeRange, exporter: Exporter
) -> None:
    memory = MemoryAdapter(kept, EVERYTHING)
    different = []
    for query in queries(exporter):
        if asks_as_stored(query):
            continue
        if shown(await ask(stored, query, within)) != shown(await ask(memory, query, within)):
            different.append(query)
    assert different == []


async def test_pages_are_those_of_memory(stored: ClickHouseAdapter, kept: list[Trace], within: TimeRange) -> None:
    memory = MemoryAdapter(kept, EVERYTHING)
    engine = Engine(LimitSettings(source_timeout_s=60))
    pages: dict[str, list[list[str]]] = {}
    for name, adapter in (("stored", stored), ("memory", memory)):
        resume = None
        pages[name] = []
        for _ in range(4):
            question = Question(parse("{ }"), within, 10)
            found = await engine.search(question, [Source(name, name, "kind", adapter)], resume, Deadline.after(60))
            pages[name].append([hit.trace_id for hit in found.hits])
            resume = found.resume
    assert pages["stored"] == pages["memory"]


async def test_traces_are_those_that_were_written(
    stored: ClickHouseAdapter, kept: list[Trace], exporter: Exporter
) -> None:
    for trace in kept:
        found = await stored.get_trace(trace.trace_id, None, Deadline.after(60))
        assert found is not None
        assert found.spans == trace.spans


async def test_completion_is_narrowed_by_any_filter(stored: ClickHouseAdapter, within: TimeRange) -> None:
    field, deadline = Field(Scope.RESOURCE, "service.name"), Deadline.after(60)
    everything = {one.value for one in await stored.attribute_values(field, AttributeQuery(within), deadline)}
    for text in ("{ status = error }", "{ duration / 2 > 100ms }"):
        query = AttributeQuery(within, filter=parse(text).filter or SpansetFilter())
        narrowed = {one.value for one in await stored.attribute_values(field, query, deadline)}
        assert narrowed
        assert narrowed <= everything
        assert field in [one.field for one in await stored.attribute_names(query, deadline)]


async def test_duplicates_of_a_span_count_once(
    clickhouse: ClickHouse, database: str, corpus: list[Trace], within: TimeRange
) -> None:
    exporter = Exporter()
    exporter.create(clickhouse, database)
    exporter.fill(clickhouse, database, corpus[:5])
    exporter.fill(clickhouse, database, corpus[:5])
    settings = ClickHouseSettings(url=clickhouse.url, database=database, **clickhouse.credentials)
    async with session(settings.url, headers=headers_of(settings)) as http:
        found = await scan_all(ClickHouseAdapter(http, settings), ScanRequest(within, 10))
    counts = {trace.trace_id: len(trace.spans) for trace in corpus[:5]}
    assert {one.trace_id: one.hit.span_count for one in found.candidates if one.hit} == counts


async def test_a_table_that_is_not_there_is_named(clickhouse: ClickHouse, database: str) -> None:
    settings = ClickHouseSettings(url=clickhouse.url, database=database, **clickhouse.credentials)
    async with session(settings.url, headers=headers_of(settings)) as http:
        with pytest.raises(Exception, match="no such table") as caught:
            await ClickHouseAdapter(http, settings).check(Deadline.after(60))
    assert not isinstance(caught.value, BadResponse)


async def test_the_statement_that_measures_is_described(stored: ClickHouseAdapter, within: TimeRange) -> None:
    spanset = parse('{ resource.service.name = "frontend" }').filter
    assert spanset is not None
    request = MetricsRequest(Steps(within.end, within.duration, 1), Measure.COUNT, spanset)
    before = stored.describe_metrics(request)
    await stored.metrics(request, Deadline.after(60))
    (sent,) = stored.describe_metrics(request) or ()
    assert before, "without having asked, the exporter's own columns are assumed"
    assert sent.method == "SQL"
    assert "count()" in sent.target
    assert "frontend" in dict(sent.parameters).values(), "values are bound"
    assert "frontend" not in sent.target


async def test_the_statements_of_a_scan_are_described_in_their_order(
    stored: ClickHouseAdapter, within: TimeRange
) -> None:
    spanset = parse("{ status = error }").filter
    assert spanset is not None
    long = TimeRange(within.end - 86_400 * NANOS_PER_SECOND, within.end)
    await stored.check(Deadline.after(60))

    def notes(asked: ScanRequest, *, whole: bool = False) -> list[str]:
        return [one.note for one in stored.describe(asked, whole=whole)]

    parts = ["for the last part of the range", "where that does not give enough"]
    shown = "for the traces that were found, by their ids"
    assert notes(ScanRequest(long, 10, spanset)) == [*parts, shown]
    short = ScanRequest(TimeRange(within.end - NANOS_PER_SECOND, within.end), 10, spanset)
    assert notes(short) == ["", shown]
    assert notes(short, whole=True) == ["", shown, "for each trace, by its id"]
    read = ["for all spans of the newest of them", "for each trace that was not among them, by its id"]
    assert notes(replace(short, whole=True), whole=True) == ["", shown, *read]
