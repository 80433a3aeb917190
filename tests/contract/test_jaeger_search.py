"""Searches of the whole language over Jaeger, page by page: what the spans themselves answer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from arcane.federation.execute import Engine
from arcane.federation.question import Question, Resume
from arcane.federation.source import Source
from arcane.model.deadline import Deadline
from arcane.model.hit import TraceHit
from arcane.model.outcome import SourceStatus
from arcane.model.time import NANOS_PER_SECOND, TimeRange
from arcane.model.trace import Trace
from arcane.settings import LimitSettings
from arcane.spi import HttpSession
from arcane.spi.testing import corpus
from arcane.spi.testing_corpus import QUERIES
from arcane.traceql.check import check
from arcane.traceql.parse import parse
from datasources.jaeger.adapter import JaegerAdapter
from datasources.jaeger.search import Bounds
from datasources.jaeger.stores import STORES
from tests.support.egress import session
from tests.support.federated import Direct, begins_of, direct, matched_of, sets_of
from tests.support.jaeger_model import as_v1
from tests.support.jaeger_server import RealJaeger, real_jaeger
from tests.support.jaeger_standin import FirstApiOnly, Jaeger, serving
from tests.support.jaeger_storages import STORAGES

pytestmark = pytest.mark.anyio
TRACES = corpus()
WHOLE = TimeRange(TRACES[0].start, max(trace.end for trace in TRACES))
PIPELINES = (
    "{ kind = server } >> { status = error }",
    '{ name = "GET /cart" } > { kind = client }',
    '{ resource.service.name = "db" } << { status = error }',
    '{ resource.service.name = "db" } ~ { span.items > 4 }',
    '{ status = error } && { resource.service.name = "pay" }',
    '{ span.coupon = "SPRING" } || { span.cached = true }',
    "{ } | count() > 5",
    "{ kind = internal } | avg(duration) > 5ms",
    "{ } | by(resource.service.name) | count() > 2",
    '{ resource.service.name = "shop" } | select(span.user.id)',
    '{ event.type = "CardError" } | select(event.attempt)',
    "{ duration > 300ms && duration < 500ms }",
)


async def pages(adapter: JaegerAdapter, text: str, within: TimeRange, limit: int) -> list[TraceHit]:
    query = parse(text)
    check(query)
    engine, source = Engine(LimitSettings()), Source("1", "Jaeger", "jaeger", adapter)
    question = Question(query, within, limit, spans_per_trace=100)
    hits: list[TraceHit] = []
    resume: Resume | None = None
    while True:
        found = await engine.search(question, [source], resume, Deadline.after(60))
        assert found.outcome.sources[0].status is SourceStatus.OK, (text, found.outcome.sources)
        hits += found.hits
        if found.resume is None:
            return hits
        resume = found.resume


async def assert_same(
    adapter: JaegerAdapter, texts: Sequence[str], held: Sequence[Trace], within: TimeRange, limit: int
) -> None:
    for text in texts:
        hits = await pages(adapter, text, within, limit)
        told = Direct([hit.trace_id for hit in hits], matched_of(hits), begins_of(hits), sets_of(hits))
        assert told == direct(parse(text), held, within), text


@asynccontextmanager
async def standing_in(storage: str, told: str, *, has_v3: bool = True) -> AsyncIterator[JaegerAdapter]:
    jaeger = Jaeger(STORAGES[storage](TRACES), has_v3=has_v3, reads_attributes=True)
    async with serving(jaeger), session(jaeger.url) as http:
        yield JaegerAdapter(http, STORES[told], Bounds())


@pytest.mark.parametrize("storage", ["memory", "elasticsearch", "badger", "cassandra"])
async def test_every_storage_is_asked_for_what_the_spans_say(storage: str) -> None:
    held = STORAGES[storage](TRACES).traces
    async with standing_in(storage, storage) as adapter:
        await assert_same(adapter, PIPELINES[::3], held, WHOLE, limit=100)


@pytest.mark.parametrize(("storage", "has_v3"), [("memory", True), ("cassandra", False)])
async def test_pages_are_one_answer_although_nothing_is_told_of_the_storage(storage: str, has_v3: bool) -> None:
    kept = STORAGES[storage](TRACES).traces
    held = kept if has_v3 else as_v1(kept)
    within = TimeRange(TRACES[20].start + NANOS_PER_SECOND // 10, TRACES[50].start)
    texts = ("{ }", '{ name = "SELECT" }', "{ status = error } || { kind = client }")
    async with standing_in(storage, "unknown", has_v3=has_v3) as adapter:
        await assert_same(adapter, texts, held, within, limit=7)


@pytest.fixture(scope="module")
def jaeger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealJaeger]:
    folder: Path = tmp_path_factory.mktemp("jaeger")
    with real_jaeger(folder) as found:
        found.push(TRACES)
        yield found


@pytest.mark.connected("jaeger")
@pytest.mark.parametrize("api", ["v3", "v1"])
async def test_a_real_jaeger_is_asked_for_what_the_spans_say(jaeger: RealJaeger, api: str) -> None:
    async with session(jaeger.url, allow_networks=["0.0.0.0/0", "::/0"]) as http:
        way: HttpSession = http if api == "v3" else FirstApiOnly(http)
        held = TRACES if api == "v3" else as_v1(TRACES)
        adapter = JaegerAdapter(way, STORES["memory"], Bounds())
        await assert_same(adapter, (*QUERIES[::2], *PIPELINES), held, WHOLE, limit=100)
