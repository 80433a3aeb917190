"""Backends to ask directly and through Arcane: a real Jaeger, a real Tempo, and what stands in for a Tempo."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from arcane.catalog.editing import Draft
from arcane.model.time import NANOS_PER_SECOND, TimeRange
from arcane.model.trace import Trace
from arcane.spi.testing import corpus
from bench.answers import WINDOW
from bench.client import Address
from bench.instance import Instance, instance
from bench.plain import Row, page_of_jaeger, page_of_tempo
from datasources.jaeger.decode import traces_of_v3
from datasources.tempo.decode import decode_search
from tests.support.jaeger_server import real_jaeger
from tests.support.tempo_server import real_tempo

STUB_MS = 20


@dataclass(frozen=True, slots=True)
class Backend:
    """A backend that holds traces, and a running Arcane that has it as its datasource."""

    title: str
    arcane: Instance
    address: Address
    within: TimeRange
    page_of: Callable[[bytes, int], list[Row]]
    """Makes the page of the backend's answer, as a program does that knows nothing of Arcane."""
    read: Callable[[bytes], object]
    """Reads the backend's answer as Arcane does."""
    stays_open: bool = True
    """A connection takes another request."""


@asynccontextmanager
async def jaeger() -> AsyncIterator[Backend]:
    """While the block runs, a Jaeger holds the corpus and an Arcane asks it."""
    traces, within = _corpus()
    with TemporaryDirectory(prefix="arcane-bench-jaeger-") as folder, real_jaeger(Path(folder)) as found:
        found.push(traces)
        draft = Draft("jaeger", "Jaeger", {"url": found.url, "storage": "memory"})
        async with instance(delay_ms=0, beside=draft) as arcane:
            yield Backend("Jaeger", arcane, _address(found.url), within, page_of_jaeger, traces_of_v3, stays_open=False)


@asynccontextmanager
async def tempo() -> AsyncIterator[Backend]:
    """While the block runs, a Tempo holds the corpus and an Arcane asks it."""
    traces, within = _corpus()
    with TemporaryDirectory(prefix="arcane-bench-tempo-") as folder, real_tempo(Path(folder)) as found:
        found.push(traces)
        draft = Draft("tempo", "Tempo", {"url": found.url, "tenant": found.tenant})
        headers = "".join(f"{name}: {value}\r\n" for name, value in found.headers.items())
        async with instance(delay_ms=0, beside=draft) as arcane:
            yield Backend("Tempo", arcane, _address(found.url, headers), within, page_of_tempo, _read_tempo)


@asynccontextmanager
async def tempo_stub() -> AsyncIterator[Backend]:
    """While the block runs, a stub answers with what a Tempo answered once, after 20 ms, and an Arcane asks it."""
    start, end = (second * NANOS_PER_SECOND for second in WINDOW)
    async with instance(delay_ms=STUB_MS) as arcane:
        title = f"a Tempo's recorded answer after {STUB_MS} ms"
        yield Backend(title, arcane, arcane.stub, TimeRange(start, end), page_of_tempo, _read_tempo)


def _corpus() -> tuple[list[Trace], TimeRange]:
    base = (time.time_ns() // NANOS_PER_SECOND - 900) * NANOS_PER_SECOND
    traces = corpus(base)
    return traces, TimeRange(base - NANOS_PER_SECOND, max(trace.end for trace in traces) + NANOS_PER_SECOND)


def _address(url: str, headers: str = "") -> Address:
    parts = urlsplit(url)
    return Address(parts.port or 80, headers, parts.hostname or "")


def _read_tempo(body: bytes) -> object:
    return decode_search(body, frozenset())
