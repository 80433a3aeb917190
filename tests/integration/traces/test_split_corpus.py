"""The corpus in two stores, one of them spoken to over HTTP as Tempo: the answer is that of one store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path

import pytest

from arcane.federation.execute import Engine
from arcane.federation.question import Found, Question, Resume
from arcane.federation.source import Source
from arcane.kit.egress import Egress
from arcane.model.deadline import Deadline
from arcane.model.time import NANOS_PER_SECOND, TimeRange
from arcane.model.trace import Trace
from arcane.settings import EgressSettings, LimitSettings
from arcane.spi.adapter import AdapterContext
from arcane.spi.otlp import decode_json, traces_of
from arcane.traceql.ast_pipeline import Query
from arcane.traceql.parse import parse
from datasources.memory.adapter import MemoryAdapter
from datasources.memory.plugin import EVERYTHING
from datasources.tempo.plugin import PLUGIN
from tests.support.federated import by_span, by_trace, direct, matched_of
from tests.support.tempo_standin import Tempo, serving

pytestmark = pytest.mark.anyio

CORPUS = Path(__file__).parents[2] / "data" / "vectors" / "corpus.otlp.jsonl"
LIMITS = LimitSettings(candidates_max=50_000, scans_max=2_000, lookups_max=1_000)
LOOPBACK = EgressSettings(allow_networks=["127.0.0.0/8"])
QUERIES = (
    "{}",
    "{ status = error }",
    '{ resource.service.name = "gateway" }',
    "{ 100ms < duration }",
    "{ span.amount > 100 && span.amount < 120 }",
    '{ rootName =~ ".*" }',
    '{ name =~ "S.*" || kind = client }',
    "{ !(status = error) }",
    '{ event:name = "exception" }',
    "{ traceDuration > 1s && status = error }",
    "{ span:childCount > 2 }",
    "{ span.gen_ai.request.model != nil }",
    '{ resource.service.name != "gateway" && span.gen_ai.usage.input_tokens > 10 }',
)


@cache
def corpus() -> tuple[Trace, ...]:
    return tuple(traces_of(span for line in CORPUS.read_bytes().splitlines() for span in decode_json(line)))


def everything() -> TimeRange:
    return TimeRange(
        min(trace.start for trace in corpus()) - NANOS_PER_SECOND,
        max(trace.end for trace in corpus()) + NANOS_PER_SECOND,
    )


@asynccontextmanager
async def stores(parts: Sequence[Sequence[Trace]]) -> AsyncIterator[list[Source]]:
    async with serving(Tempo(parts[0])) as tempo:
        settings = PLUGIN.settings.model_validate({"url": tempo.url})
        http = Egress(LOOPBACK, LIMITS).session(tempo.url, PLUGIN.headers(settings))
        adapter = PLUGIN.connect(settings, AdapterContext(http=http, max_response_bytes=2**28))
        try:
            yield [
                Source("tempo", "Tempo", "tempo", adapter),
                Source("memory", "Memory", "memory", MemoryAdapter(parts[1], EVERYTHING)),
            ]
        finally:
            await adapter.aclose()
            await http.aclose()


async def asked(query: Query, sources: Sequence[Source], limit: int, resume: Resume | None = None) -> Found:
    question = Question(query, everything(), limit, spans_per_trace=100)
    return await Engine(LIMITS).search(question, sources, resume, Deadline.after(50))


@pytest.mark.parametrize("split", [by_trace, by_span])
async def test_two_stores_answer_like_one(
    split: Callable[[Sequence[Trace], Sequence[int], int], list[list[Trace]]],
) -> None:
    owners = [(number * 7_919 + number // 3) % 2 for number in range(sum(len(trace.spans) for trace in corpus()))]
    async with stores(split(corpus(), owners, 2)) as sources:
        for text in QUERIES:
            query = parse(text)
            found, expected = await asked(query, sources, 1_000), direct(query, corpus(), everything())
            matched = matched_of(found.hits)
            assert found.outcome.complete, text
            assert set(matched) == set(expected.matched), text
            for trace_id, spans in expected.matched.items():
                assert matched[trace_id] == spans or len(spans) >= 100, (text, trace_id)
            pages = [await asked(query, sources, 20)]
            while (resume := pages[-1].resume) is not None:
                pages.append(await asked(query, sources, 20, resume))
            assert [hit.trace_id for page in pages for hit in page.hits] == [hit.trace_id for hit in found.hits], text
