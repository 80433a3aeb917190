"""Any query over any corpus: memory, files and a real ClickHouse engine answer as direct evaluation on the spans does.

`make nightly` asks 20,000 of these of the first two, and as many of ClickHouse; otherwise it is a minute's worth.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arcane.federation.execute import Engine
from arcane.federation.metrics import MetricsQuestion, measure
from arcane.federation.question import Question
from arcane.federation.source import Source
from arcane.model.deadline import Deadline
from arcane.model.series import Steps
from arcane.model.time import TimeRange
from arcane.model.trace import Trace
from arcane.settings import LimitSettings
from arcane.spi import Adapter, encode_json
from arcane.spi.testing_corpus import BASE
from arcane.traceql.ast_pipeline import Query
from arcane.traceql.format import format_query
from datasources.clickhouse.adapter import ClickHouseAdapter
from datasources.clickhouse.settings import ClickHouseSettings, headers_of
from datasources.memory.adapter import MemoryAdapter
from datasources.memory.plugin import EVERYTHING
from datasources.otlp_file.adapter import OtlpFileAdapter
from tests.support.clickhouse import ClickHouse, Databases, Exporter
from tests.support.egress import session
from tests.support.federated import ALL_TIME, as_query, capabilities, corpora, filters, queries
from tests.support.federated_metrics import STEPS, metrics_queries
from tests.support.one_answer import difference, evaluated
from tests.support.one_answer_backends import shifted
from tests.support.one_answer_metrics import measured_directly, series_difference

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(3_600)]

MEASURED = 2
"""Metrics queries for each corpus."""
BATCH = 8
"""Queries for each corpus: loading one costs more than asking."""
EXAMPLES = max(4, settings.default.max_examples // BATCH)
"""Corpora, so that the profile's number is the number of queries: 20,000 at night."""
ENGINE_EXAMPLES = EXAMPLES if settings.default.max_examples >= 20_000 else max(4, EXAMPLES // 3)
"""By day, an engine that takes seconds to load is asked about fewer of them."""
PATIENCE_S = 120.0
LIMITS = LimitSettings(source_timeout_s=PATIENCE_S)
JSON = Exporter(attributes="JSON")
TABLES = ("otel_traces", "otel_traces_trace_id_ts")

NUMBERS = itertools.count()

loaded = corpora.filter(bool)
asked = st.lists(filters().map(as_query) | queries().map(as_query), min_size=BATCH, max_size=BATCH)

measured = st.lists(metrics_queries, min_size=MEASURED, max_size=MEASURED)


async def agree(
    adapter: Adapter, corpus: Sequence[Trace], batch: Sequence[Query], within: TimeRange = ALL_TIME
) -> None:
    """Each query is answered as the spans say; where a bound was reached, the answer says so."""
    engine, sources = Engine(LIMITS), [Source("one", "One", "one", adapter)]
    for query in batch:
        question = Question(query, within, limit=100, spans_per_trace=100)
        found = await engine.search(question, sources, None, Deadline.after(PATIENCE_S))
        (outcome,) = found.outcome.sources
        assert outcome.error is None, format_query(query)
        if found.outcome.complete:
            fault = difference(found.hits, evaluated(query, corpus))
            assert fault is None, f"{format_query(query)}\n{fault}"


async def agree_on_metrics(
    adapter: Adapter, corpus: Sequence[Trace], batch: Sequence[Query], steps: Steps = STEPS
) -> None:
    """Series are those that the spans make."""
    engine, sources = Engine(LIMITS), [Source("one", "One", "one", adapter)]
    for query in batch:
        found = await measure(engine, MetricsQuestion(query, steps), sources, Deadline.after(PATIENCE_S))
        (outcome,) = found.outcome.sources
        assert outcome.error is None, format_query(query)
        if found.outcome.complete:
            fault = series_difference(found.series, measured_directly(query, corpus, steps))
            assert fault is None, f"{format_query(query)}\n{fault}"


@settings(max_examples=EXAMPLES)
@given(loaded, asked, capabilities)
async def test_memory_answers_as_the_spans_say(corpus, batch, can) -> None:
    await agree(MemoryAdapter(corpus, can), corpus, batch)
    await agree(MemoryAdapter(corpus, EVERYTHING), corpus, batch)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("agree")


@settings(max_examples=EXAMPLES)
@given(loaded, asked, measured)
async def test_files_answer_as_the_spans_say(folder: Path, corpus, batch, series) -> None:
    lines = [b"".join(encode_json(trace.spans)) for trace in corpus]
    name = f"{next(NUMBERS)}.jsonl"  # a new one each time: files are followed, and not read again
    await anyio.Path(folder / name).write_bytes(b"\n".join(lines) + b"\n")
    adapter = OtlpFileAdapter(name, (folder,), 64 * 1024 * 1024)
    await agree(adapter, corpus, batch)
    await agree_on_metrics(adapter, corpus, series)


@pytest.fixture(scope="module")
def database(clickhouse: ClickHouse, databases: Databases) -> str:
    return databases("agree", lambda name: JSON.create(clickhouse, name))


@settings(max_examples=ENGINE_EXAMPLES)
@given(loaded, asked, measured)
async def test_clickhouse_answers_as_the_spans_say(
    clickhouse: ClickHouse, database: str, corpus, batch, series
) -> None:
    for table in TABLES:
        clickhouse.run(f"TRUNCATE TABLE {database}.{table}")
    today = [shifted(trace, BASE) for trace in corpus]  # the engine reads no time of a few nanoseconds after 1970
    JSON.fill(clickhouse, database, today)
    chosen = ClickHouseSettings(url=clickhouse.url, database=database, **clickhouse.credentials)
    async with session(clickhouse.url, headers=headers_of(chosen)) as http:
        within = TimeRange(BASE + ALL_TIME.start, BASE + ALL_TIME.end)
        adapter = ClickHouseAdapter(http, chosen)
        await agree(adapter, today, batch, within)
        await agree_on_metrics(adapter, today, series, Steps(BASE + STEPS.first, STEPS.width, STEPS.count))
