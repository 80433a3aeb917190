"""The backends that are asked, and what of a corpus each of them can hold."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

from msgspec import structs

from arcane.model.time import NANOS_PER_MILLISECOND, NANOS_PER_SECOND
from arcane.model.trace import Trace
from arcane.spi import Adapter, Capabilities, Order, PushRule, Scope, encode_json
from arcane.traceql.ast import LiteralType, Op
from datasources.clickhouse.adapter import ClickHouseAdapter
from datasources.clickhouse.settings import ClickHouseSettings, headers_of
from datasources.custom_api.adapter import ProbingAdapter
from datasources.custom_api.settings import CustomApiSettings
from datasources.custom_api.v1.adapter import FirstContract
from datasources.custom_api.v2.adapter import SecondContract
from datasources.jaeger.adapter import JaegerAdapter
from datasources.jaeger.search import Bounds
from datasources.jaeger.stores import STORES
from datasources.memory.adapter import MemoryAdapter
from datasources.memory.plugin import EVERYTHING
from datasources.otlp_file.adapter import OtlpFileAdapter
from datasources.tempo.adapter import TempoAdapter
from tests.support.clickhouse import ClickHouse, Exporter, new_database
from tests.support.custom_api import PATHS, answering, example_server, first_contract
from tests.support.egress import session
from tests.support.jaeger_server import real_jaeger
from tests.support.jaeger_standin import Jaeger
from tests.support.jaeger_standin import serving as jaeger_serving
from tests.support.jaeger_storages import Memory
from tests.support.second_contract import EVERYTHING as SECOND
from tests.support.second_contract import second_contract
from tests.support.tempo_server import real_tempo
from tests.support.tempo_standin import Tempo, serving

ANYWHERE = ["0.0.0.0/0", "::/0"]
RECENT_NS = time.time_ns() - 2 * 3_600 * NANOS_PER_SECOND
"""When the corpus begins for servers that take no old traces; it lasts for less than an hour."""
SERVICES = PushRule(
    frozenset({Scope.RESOURCE}), frozenset({Op.EQ}), frozenset({LiteralType.STRING}), frozenset({"service.name"})
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a backend may put what it needs: a folder of its own, and the engine of this run where it needs one."""

    folder: Path
    clickhouse: Callable[[], ClickHouse]


Load: TypeAlias = "Callable[[Sequence[Trace], Place], AbstractAsyncContextManager[Adapter]]"


@dataclass(frozen=True, slots=True)
class Backend:
    """A kind of storage. `differs` has the queries that it cannot answer as the spans do, each with the reason."""

    name: str
    load: Load
    differs: Mapping[str, str] = field(default_factory=dict)
    grain_ns: int = 1
    """What it cuts the duration of a hit to."""
    every: int = 1
    """It is given every n-th trace. Above 1 where most questions read all of them one by one, which takes minutes."""
    asked_every: int = 1
    """By day it is asked one query of so many: where each answer takes it long, and a memory is asked the rest."""
    also: frozenset[str] = frozenset()
    """Traces that it is given as well, because the rows of `differs` are about them."""
    needs: str | None = None
    """What has to be on this machine; such a server refuses old traces, so it is given recent ones."""

    def given(self, traces: Sequence[Trace]) -> list[Trace]:
        """Returns the part of the corpus that it is loaded with; traces without a root are always in it."""
        return [
            shifted(trace, RECENT_NS - traces[0].start) if self.needs else trace
            for number, trace in enumerate(traces)
            if number % self.every == 0 or trace.root is None or trace.trace_id in self.also
        ]


def shifted(trace: Trace, by_ns: int) -> Trace:
    """Returns the trace as if it had happened at another time."""
    return Trace(
        trace.trace_id,
        [
            structs.replace(
                span,
                start=span.start + by_ns,
                end=span.end + by_ns,
                events=tuple(structs.replace(event, time=event.time + by_ns) for event in span.events),
            )
            for span in trace.spans
        ],
    )


def _memory(capabilities: Capabilities) -> Load:
    @asynccontextmanager
    async def load(traces: Sequence[Trace], place: Place) -> AsyncIterator[Adapter]:
        yield MemoryAdapter(traces, capabilities)

    return load


@asynccontextmanager
async def _files(traces: Sequence[Trace], place: Place) -> AsyncIterator[Adapter]:
    lines = [b"".join(encode_json(trace.spans)) for trace in traces]
    (place.folder / "traces.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    yield OtlpFileAdapter("traces.jsonl", (place.folder,), 256 * 1024 * 1024)


@asynccontextmanager
async def _example(traces: Sequence[Trace], place: Place) -> AsyncIterator[Adapter]:
    with example_server(place.folder, traces) as url:
        async with session(url) as http:
            yield ProbingAdapter(http, CustomApiSettings(url=url))


@asynccontextmanager
async def _summaries(traces: Sequence[Trace], place: Place) -> AsyncIterator[Adapter]:
    routes = second_contract(traces, {**SECOND, "answers": "summaries"})
    async with answering(routes) as url, session(url) as http:
        yield SecondContract(http)


@asynccontextmanager
async def _first_contract(traces: Sequence[Trace], place: Place) -> AsyncIterator[Adapter]:
    switches = {"search_by_attributes": True, "search_by_existence": True, "search_by_service": True}
    async with answering(first_contract(traces)) as url, session(url) as http:
        yield FirstContract(http, CustomApiSettings(url=url, **PATHS, **switches, max_limit=1_000))


@asynccontextmanager
async def _tempo(traces: Sequence[Trace], place: Place) -> AsyncIterator[Adapter]:
    async with serving(Tempo(traces)) as tempo, session(tempo.url) as http:
        yield TempoAdapter(http, max_range_hours=168)


@asynccontextmanager
async def _real_tempo(traces: Sequence[Trace], place: Place) -> AsyncIterator[Adapter]:
    with real_tempo(place.folder) as server:
        server.push(traces)
        async with session(server.url, headers=server.headers, allow_networks=ANYWHERE) as http:
            yield TempoAdapter(http, max_range_hours=168)


@asynccontextmanager
async def _jaeger(traces: Sequence[Trace], place: Place) -> AsyncIterator[Adapter]:
    """Nothing is told of the storage: it is found out."""
    jaeger = Jaeger(Memory(traces))
    async with jaeger_serving(jaeger), session(jaeger.url) as http:
        yield JaegerAdapter(http, STORES["unknown"], Bounds())


@asynccontextmanager
async def _real_jaeger(traces: Sequence[Trace], place: Place) -> AsyncIterator[Adapter]:
    with real_jaeger(place.folder) as server:
        server.push(traces)
        async with session(server.url, allow_networks=ANYWHERE) as http:
            yield JaegerAdapter(http, STORES["memory"], Bounds())


def _clickhouse(exporter: Exporter) -> Load:
    @asynccontextmanager
    async def load(traces: Sequence[Trace], place: Place) -> AsyncIterator[Adapter]:
        server = place.clickhouse()
        with new_database(server) as database:
            exporter.create(server, database)
            exporter.fill(server, database, traces)
            # By default everything that ends in `.prompt` is a text; here these are numbers of tokens.
            names = {"texts": "exception.message, *.version"}
            settings = ClickHouseSettings(url=server.url, database=database, **names, **server.credentials)
            async with session(server.url, headers=headers_of(settings)) as http:
                yield ClickHouseAdapter(http, settings)

    return load


LISTS_ONLY = Capabilities(time_resolution_ns=NANOS_PER_SECOND)
SLOPPY = replace(
    EVERYTHING,
    push=(*(replace(rule, exact=False) for rule in EVERYTHING.push), SERVICES),
    push_not=False,
    order=Order.FIRST_FOUND,
    whole_traces=False,
)
NO_ALTERNATIVES = replace(EVERYTHING, push_or=False, push_not=False, whole_traces=False)

TEXTS_ONLY = {
    "numbers/text-is-no-number": "a Map holds texts: the number 200 and the text 200 are the same",
    "compared/errors-and-others": "a Map holds texts: the decimal 1.0 and the number 1 are the same",
    "booleans/text-is-no-yes": "a Map holds texts: true and the text true are the same",
}
ABOUT_TEXTS = frozenset(
    {
        "98cb2cf5a49388d1260685713ce21b95",  # the one with span.k
        "0058b2a2055bb55bcbb37d2f2a4276b0",  # one with span.beta
    }
)

BACKENDS: tuple[Backend, ...] = (
    Backend("memory", _memory(EVERYTHING)),
    Backend("memory that lists", _memory(LISTS_ONLY), every=3),
    Backend("memory that is sloppy", _memory(SLOPPY), every=3),
    Backend("memory without alternatives", _memory(NO_ALTERNATIVES), every=3),
    Backend("otlp_file", _files),
    Backend("custom_api, the example", _example, every=5, asked_every=2),
    Backend("custom_api in summaries", _summaries, every=5, asked_every=2),
    Backend("custom_api of the first contract", _first_contract, every=8, asked_every=2),
    Backend("tempo, its stand-in", _tempo, grain_ns=NANOS_PER_MILLISECOND, every=3, asked_every=2),
    Backend("tempo", _real_tempo, grain_ns=NANOS_PER_MILLISECOND, asked_every=3, needs="tempo"),
    Backend("jaeger, its stand-in", _jaeger, every=8),
    Backend("jaeger", _real_jaeger, asked_every=5, needs="jaeger"),
    Backend("clickhouse", _clickhouse(Exporter()), every=12, asked_every=3, differs=TEXTS_ONLY, also=ABOUT_TEXTS),
    Backend("clickhouse with JSON", _clickhouse(Exporter(attributes="JSON")), every=12, asked_every=3),
)
