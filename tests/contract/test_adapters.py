"""Every built-in adapter passes the suite that third parties get."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from arcane.model.time import NANOS_PER_SECOND
from arcane.model.trace import Trace
from arcane.spi import Adapter, Capabilities, LiteralType, Op, Order, PushRule, Scope, encode_json
from arcane.spi.testing import AdapterContract
from datasources.memory.adapter import MemoryAdapter
from datasources.memory.plugin import EVERYTHING
from datasources.otlp_file.adapter import OtlpFileAdapter
from datasources.tempo.adapter import TempoAdapter
from tests.support.egress import session
from tests.support.tempo_standin import Tempo, serving

SERVICES_ONLY = PushRule(
    frozenset({Scope.RESOURCE}), frozenset({Op.EQ}), frozenset({LiteralType.STRING}), frozenset({"service.name"})
)


class TestMemory(AdapterContract):
    @pytest.fixture
    def adapter(self, traces: Sequence[Trace]) -> Adapter:
        return MemoryAdapter(traces, EVERYTHING, page_size=7)


class TestMemoryThatListsOnly(AdapterContract):
    @pytest.fixture
    def adapter(self, traces: Sequence[Trace]) -> Adapter:
        return MemoryAdapter(traces, Capabilities(time_resolution_ns=NANOS_PER_SECOND))


class TestMemoryThatIsSloppy(AdapterContract):
    @pytest.fixture
    def adapter(self, traces: Sequence[Trace]) -> Adapter:
        rules = tuple(replace(rule, exact=False) for rule in EVERYTHING.push)
        return MemoryAdapter(traces, Capabilities(push=(*rules, SERVICES_ONLY), push_or=True, order=Order.FIRST_FOUND))


class TestOtlpFile(AdapterContract):
    @pytest.fixture
    def adapter(self, traces: Sequence[Trace], tmp_path: Path) -> Adapter:
        lines = [b"".join(encode_json(trace.spans)) for trace in traces]
        (tmp_path / "traces.jsonl").write_bytes(b"\n".join(lines) + b"\n")
        return OtlpFileAdapter("traces.jsonl", (tmp_path,), 256 * 1024 * 1024)


class TestTempo(AdapterContract):
    version = "3.0.3"
    has_v2 = True

    @pytest.fixture
    async def adapter(self, traces: Sequence[Trace]) -> AsyncIterator[Adapter]:
        async with serving(Tempo(traces, self.version, has_v2=self.has_v2)) as tempo, session(tempo.url) as http:
            yield TempoAdapter(http, max_range_hours=168)


class TestTempoOfAnEarlierVersion(TestTempo):
    version = "2.6.1"


class TestTempoWithTheFirstApiOnly(TestTempo):
    version = "2.2.0"
    has_v2 = False
