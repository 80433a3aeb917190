"""Tables that are not the exporter's: Langfuse's own, and those whose columns a person names."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from arcane.conventions import view_of
from arcane.federation.execute import Engine
from arcane.federation.metrics import MetricsQuestion, measure
from arcane.federation.source import Source
from arcane.model.deadline import Deadline
from arcane.model.ids import TraceId
from arcane.model.series import Steps
from arcane.model.span import SpanKind, StatusCode
from arcane.model.time import NANOS_PER_MILLISECOND, NANOS_PER_SECOND, TimeRange
from arcane.settings import LimitSettings
from arcane.spi import AttributeQuery, Field, Misconfigured, ScanRequest, Scope, compile_filter
from arcane.spi.testing import filter_of, scan_all
from arcane.traceql.parse import parse
from datasources.clickhouse.adapter import ClickHouseAdapter
from datasources.clickhouse.settings import ClickHouseSettings, headers_of
from tests.support.clickhouse import ClickHouse
from tests.support.egress import session
from tests.support.one_answer_metrics import measured_directly, series_difference

pytestmark = pytest.mark.anyio

BASE_S = 1_795_225_800
WITHIN = TimeRange((BASE_S - 60) * NANOS_PER_SECOND, (BASE_S + 60) * NANOS_PER_SECOND)
LANGFUSE = (
    """CREATE TABLE {db}.observations (id String, trace_id String, project_id String, type LowCardinality(String),
    parent_observation_id Nullable(String), start_time DateTime64(3), end_time Nullable(DateTime64(3)), name String,
    metadata Map(LowCardinality(String), String), level LowCardinality(String), status_message Nullable(String),
    version Nullable(String), input Nullable(String), output Nullable(String), provided_model_name Nullable(String),
    model_parameters Nullable(String), usage_details Map(LowCardinality(String), UInt64),
    cost_details Map(LowCardinality(String), Decimal64(12)), completion_start_time Nullable(DateTime64(3)),
    prompt_name Nullable(String), prompt_version Nullable(UInt16), environment LowCardinality(String) DEFAULT 'default',
    event_ts DateTime64(3), is_deleted UInt8
    ) ENGINE = ReplacingMergeTree(event_ts, is_deleted) PARTITION BY toYYYYMM(start_time)
    PRIMARY KEY (project_id, type, toDate(start_time)) ORDER BY (project_id, type, toDate(start_time), id)""",
    """CREATE TABLE {db}.traces (id String, timestamp DateTime64(3), name String, user_id Nullable(String),
    metadata Map(LowCardinality(String), String), release Nullable(String), version Nullable(String), project_id String,
    tags Array(String), input Nullable(String), output Nullable(String), session_id Nullable(String),
    environment LowCardinality(String) DEFAULT 'default', event_ts DateTime64(3), is_deleted UInt8
    ) ENGINE = ReplacingMergeTree(event_ts, is_deleted) PARTITION BY toYYYYMM(timestamp)
    PRIMARY KEY (project_id, toDate(timestamp)) ORDER BY (project_id, toDate(timestamp), id)""",
)
UUID = "0a1b2c3d-0000-4000-8000-00000000000f"


@asynccontextmanager
async def adapter_of(settings: ClickHouseSettings) -> AsyncIterator[ClickHouseAdapter]:
    async with session(settings.url, headers=headers_of(settings)) as http:
        yield ClickHouseAdapter(http, settings)


def insert(server: ClickHouse, table: str, *rows: dict[str, object]) -> None:
    body = "\n".join(json.dumps(row) for row in rows)
    server.run(f"INSERT INTO {table} FORMAT JSONEachRow", f"\n{body}\n".encode())


@pytest.fixture
def langfuse(clickhouse: ClickHouse, database: str) -> ClickHouseSettings:
    for statement in LANGFUSE:
        clickhouse.run(statement.format(db=database))
    trace = {"timestamp": BASE_S, "project_id": "p1", "event_ts": BASE_S, "is_deleted": 0}
    insert(
        clickhouse,
        f"{database}.traces",
        {**trace, "id": UUID, "name": "chat", "user_id": "42", "session_id": "s1", "tags": ["a", "b"], "input": "hi"},
        {**trace, "id": UUID, "name": "chat, renamed", "user_id": "42", "session_id": "s1", "event_ts": BASE_S + 9},
        {**trace, "id": "any text", "name": "deleted", "is_deleted": 1},
        {**trace, "id": "f" * 32, "name": "of another project", "project_id": "it's"},
    )
    observation = {
        "trace_id": UUID,
        "project_id": "p1",
        "start_time": f"{BASE_S}.100",
        "end_time": f"{BASE_S}.350",
        "level": "DEFAULT",
        "event_ts": BASE_S,
        "is_deleted": 0,
    }
    insert(
        clickhouse,
        f"{database}.observations",
        {**observation, "id": "obs-1", "type": "SPAN", "name": "retrieve", "metadata": {"k": "v"}},
        {
            **observation,
            "id": "0123456789abcdef",
            "parent_observation_id": "obs-1",
            "type": "GENERATION",
            "name": "answer",
            "level": "ERROR",
            "status_message": "too long",
            "provided_model_name": "gpt-4o",
            "input": '[{"role":"user","content":"hi"}]',
            "output": "hello",
            "usage_details": {"input": 12, "output": 3, "total": 15},
            "cost_details": {"total": "0.001"},
        },
    )
    return ClickHouseSettings(url=clickhouse.url, database=database, layout="langfuse", **clickhouse.credentials)


async def test_langfuses_tables_are_traces(langfuse: ClickHouseSettings) -> None:
    async with adapter_of(langfuse) as adapter:
        answer = await scan_all(adapter, ScanRequest(WITHIN, 10))
        found = {one.hit.root_name: one.hit for one in answer.candidates if one.hit}
        assert found.keys() == {"chat, renamed", "of another project"}
        hit = found["chat, renamed"]
        assert hit.trace_id == UUID.replace("-", "")
        assert (hit.span_count, hit.error_count) == (3, 1)
        trace = await adapter.get_trace(hit.trace_id, None, Deadline.after(60))
    assert trace is not None
    root, retrieve, answer_span = trace.root, *trace.spans[1:]
    assert root is not None
    assert root.attributes["langfuse.user.id"] == "42"
    assert root.attributes["langfuse.session.id"] == "s1"
    by_name = {span.name: span for span in (retrieve, answer_span)}
    assert by_name["retrieve"].parent_span_id == root.span_id
    assert by_name["answer"].parent_span_id == by_name["retrieve"].span_id
    generation = by_name["answer"]
    assert generation.span_id == "0123456789abcdef"
    assert (generation.status, generation.status_message) == (StatusCode.ERROR, "too long")
    assert generation.duration == 250 * NANOS_PER_MILLISECOND
    view = view_of(generation)
    assert view is not None
    assert view.model == "gpt-4o"
    assert view.tokens is not None
    assert (view.tokens.input, view.tokens.output) == (12, 3)


async def test_a_langfuse_project_is_a_wall(langfuse: ClickHouseSettings) -> None:
    async with adapter_of(langfuse.model_copy(update={"project": "it's"})) as adapter:
        answer = await scan_all(adapter, ScanRequest(WITHIN, 10))
        assert [one.hit.root_name for one in answer.candidates if one.hit] == ["of another project"]
        assert await adapter.get_trace(TraceId(UUID.replace("-", "")), None, Deadline.after(60)) is None


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("{ status = error }", {"chat, renamed"}),
        ('{ .langfuse.observation.model.name = "gpt-4o" }', {"chat, renamed"}),
        ('{ span.langfuse.user.id = "42" && nestedSetParent < 0 }', {"chat, renamed"}),
        ('{ rootName =~ "of .*" }', {"of another project"}),
        ("{ duration > 1s }", set()),
    ],
)
async def test_langfuses_tables_are_searched(langfuse: ClickHouseSettings, query: str, names: set[str]) -> None:
    async with adapter_of(langfuse) as adapter:
        answer = await scan_all(adapter, ScanRequest(WITHIN, 10, filter_of(query)))
    assert {one.hit.root_name for one in answer.candidates if one.hit} == names


def _calls(clickhouse: ClickHouse, database: str, columns: str) -> ClickHouseSettings:
    """Returns what reads `calls`, a table of one's own, by its columns."""
    return ClickHouseSettings(
        url=clickhouse.url,
        database=database,
        layout="columns",
        table="calls",
        columns=columns,
        duration_unit="ms",
        **clickhouse.credentials,
    )


@pytest.fixture
def own(clickhouse: ClickHouse, database: str) -> ClickHouseSettings:
    clickhouse.run(
        f"""CREATE TABLE {database}.calls (began DateTime64(3), trace UUID, span FixedString(8),
        parent Nullable(String), operation String, app String, took_ms UInt32,
        outcome Enum('STATUS_CODE_OK' = 1, 'STATUS_CODE_ERROR' = 2),
        kind UInt8, tags Map(String, Int64)) ENGINE = MergeTree ORDER BY (app, began)"""
    )
    row = {"began": f"{BASE_S}.5", "trace": UUID, "app": "shop", "kind": 2}
    insert(
        clickhouse,
        f"{database}.calls",
        {**row, "span": "\x01" * 8, "operation": "GET", "took_ms": 40, "outcome": "STATUS_CODE_OK", "tags": {"n": 7}},
        {**row, "span": "\x02" * 8, "parent": "01" * 8, "operation": "SELECT", "took_ms": 9, "outcome": 2, "tags": {}},
    )
    columns = """
        timestamp = began
        trace_id = trace
        span_id = span
        parent_span_id = parent
        name = operation
        service = app
        duration = took_ms
        status = outcome
        kind = kind
        span_attributes = tags
    """
    return _calls(clickhouse, database, columns)


async def test_columns_of_other_tables_are_named(own: ClickHouseSettings) -> None:
    async with adapter_of(own) as adapter:
        spans = filter_of('{ resource.service.name = "shop" && span.n > 6 && status = ok && duration = 40ms }')
        answer = await scan_all(adapter, ScanRequest(WITHIN, 10, spans))
        (candidate,) = answer.candidates
        trace = await adapter.get_trace(candidate.trace_id, None, Deadline.after(60))
        names = await adapter.attribute_names(AttributeQuery(WITHIN), Deadline.after(60))
    assert candidate.hit is not None
    assert candidate.hit.root_name == "GET"
    assert trace is not None
    root, child = trace.spans
    assert (root.kind, root.duration, root.attributes) == (SpanKind.SERVER, 40 * NANOS_PER_MILLISECOND, {"n": 7})
    assert (child.parent_span_id, child.status) == (root.span_id, StatusCode.ERROR)
    assert {name.field for name in names} == {Field(Scope.SPAN, "n"), Field(Scope.RESOURCE, "service.name")}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"columns": "timestamp = app\ntrace_id = trace\nspan_id = span\nname = operation"}, "DateTime64 is wanted"),
        ({"columns": "timestamp = began\ntrace_id = trace\nspan_id = span\nname = absent"}, "no column absent"),
        ({"layout": "opentelemetry"}, "no column Timestamp, TraceId, SpanId, SpanName"),
        ({"layout": "langfuse"}, "no such table"),
    ],
)
async def test_what_a_table_lacks_is_named(own: ClickHouseSettings, change: dict[str, str], message: str) -> None:
    async with adapter_of(own.model_copy(update=change)) as adapter:
        with pytest.raises(Misconfigured, match=message):
            await adapter.check(Deadline.after(60))


@pytest.mark.parametrize(
    "stored", ["a2b4c6d8e0f10213", "A2B4C6D8E0F10213", "f" * 32, "F" * 32, "00" * 8 + "0" + "b" * 15]
)
async def test_ids_are_found_in_whatever_spelling_a_table_has_them(
    clickhouse: ClickHouse, sparse: ClickHouseSettings, stored: str
) -> None:
    row = {"began": f"{BASE_S}.5", "trace": stored, "span": stored[-16:], "operation": "odd", "took_ms": 1}
    insert(clickhouse, f"{sparse.database}.calls", row)
    filters = [filter_of(f'{{ name = "odd" && trace:id = "{stored}" && span:id = "{stored[-16:]}" }}')]
    filters.append(filter_of(f'{{ name = "odd" && trace:id != "{"1" * 32}" }}'))
    async with adapter_of(sparse) as adapter:
        for filter in filters:
            (candidate,) = (await scan_all(adapter, ScanRequest(WITHIN, 10, filter))).candidates
            trace = await adapter.get_trace(candidate.trace_id, None, Deadline.after(60))
            assert trace is not None
            assert [span.name for span in trace.spans] == ["odd"]
        other = await scan_all(adapter, ScanRequest(WITHIN, 10, filter_of(f'{{ trace:id != "{stored}" }}')))
    assert [one.trace_id for one in other.candidates] == ["a" * 32]


@pytest.fixture
def sparse(clickhouse: ClickHouse, database: str) -> ClickHouseSettings:
    """A table that says little: of events only names, of links only traces, of some spans not how long they took."""
    clickhouse.run(
        f"""CREATE TABLE {database}.calls (began DateTime64(3), trace String, span String, operation String,
        took_ms Nullable(Int32), happened Array(String), linked Array(String), tags Map(String, Nullable(String)))
        ENGINE = MergeTree ORDER BY began"""
    )
    row = {"began": f"{BASE_S}.5", "trace": "a" * 32, "operation": "GET"}
    insert(
        clickhouse,
        f"{database}.calls",
        {**row, "span": "1" * 16, "took_ms": 40, "happened": ["exception", "retry"], "linked": ["b" * 32]},
        {**row, "span": "2" * 16, "took_ms": None, "tags": {"known": "yes", "unknown": None}},
        {**row, "span": "3" * 16, "took_ms": -7, "happened": ["retry"]},
    )
    columns = """
        timestamp = began
        trace_id = trace
        span_id = span
        name = operation
        duration = took_ms
        event_names = happened
        link_trace_ids = linked
        span_attributes = tags
    """
    return _calls(clickhouse, database, columns)


@pytest.mark.parametrize(
    ("query", "spans"),
    [
        ('{ event:name = "exception" }', "1"),
        ('{ event:name = "retry" && event.type = nil }', "13"),
        ('{ event:name = "retry" && event:timeSinceStart = 0s }', "13"),
        ('{ event.type = "x" }', ""),
        ('{ link:traceID = "bb" }', ""),
        ("{ duration = 0s }", "23"),
        ("{ duration < 0s }", ""),
        ("{ span.unknown = nil }", "123"),
        ('{ !(span.unknown = "x") }', "123"),
        ('{ span.known = "yes" }', "2"),
    ],
)
async def test_what_a_table_does_not_say_is_empty(sparse: ClickHouseSettings, query: str, spans: str) -> None:
    filter = filter_of(query)
    async with adapter_of(sparse) as adapter:
        answer = await scan_all(adapter, ScanRequest(WITHIN, 10, filter, spans_per_trace=10))
        trace = await adapter.get_trace(TraceId("a" * 32), None, Deadline.after(60))
    assert trace is not None
    wanted = [number * 16 for number in spans]
    assert [span.span_id for one in answer.candidates if one.hit for span in one.hit.spans] == wanted
    assert [span.span_id for span in compile_filter(filter)(trace)] == wanted


@pytest.mark.parametrize("field", ["span.n", "resource.n", ".n"])
async def test_a_table_may_keep_one_place_of_attributes_as_json_and_the_other_as_a_map(
    clickhouse: ClickHouse, database: str, field: str
) -> None:
    clickhouse.run(
        f"""CREATE TABLE {database}.calls (began DateTime64(3), trace String, span String, operation String,
        own JSON, shared Map(String, String)) ENGINE = MergeTree ORDER BY began""",
        allow_experimental_json_type="1",
    )
    row = {"began": f"{BASE_S}.5", "trace": "a" * 32, "operation": "GET"}
    places: list[dict[str, object]] = [
        {"own": {"n": 5}, "shared": {"n": "5"}},
        {"own": {"n": "x"}, "shared": {"n": "x"}},
        {},
    ]
    spans = [{**row, **place, "span": f"{number}" * 16} for number, place in enumerate(places, start=1)]
    insert(clickhouse, f"{database}.calls", *spans)
    columns = "timestamp = began\ntrace_id = trace\nspan_id = span\nname = operation\n"
    made = ClickHouseSettings(
        url=clickhouse.url,
        database=database,
        layout="columns",
        table="calls",
        columns=f"{columns}span_attributes = own\nresource_attributes = shared",
        **clickhouse.credentials,
    )
    query, steps = parse(f"{{}} | count_over_time() by({field})"), Steps(WITHIN.end, WITHIN.duration, 1)
    async with adapter_of(made) as adapter:
        found = await measure(
            Engine(LimitSettings()),
            MetricsQuestion(query, steps),
            [Source("one", "One", "clickhouse", adapter)],
            Deadline.after(60),
        )
        trace = await adapter.get_trace(TraceId("a" * 32), None, Deadline.after(60))
    (outcome,) = found.outcome.sources
    assert (outcome.error, outcome.residual) == (None, None)  # it was measured there
    assert trace is not None
    assert series_difference(found.series, measured_directly(query, [trace], steps)) is None
