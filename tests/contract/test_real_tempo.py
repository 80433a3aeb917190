"""A real Tempo, where there is one: the suite, and the claims that the stand-in's model rests on."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator

import pytest

from arcane.model.time import NANOS_PER_SECOND
from arcane.model.trace import Trace
from arcane.spi import Adapter
from arcane.spi.testing import AdapterContract, corpus
from datasources.tempo.adapter import TempoAdapter
from tests.support.egress import session
from tests.support.tempo_server import RealTempo, real_tempo

BASE = (time.time_ns() // NANOS_PER_SECOND - 900) * NANOS_PER_SECOND
"""A quarter of an hour ago: Tempo may leave out the newest half minute."""


@pytest.fixture(scope="module")
def tempo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealTempo]:
    with real_tempo(tmp_path_factory.mktemp("tempo")) as found:
        found.push(corpus(BASE))
        yield found


@pytest.mark.connected("tempo")
class TestRealTempo(AdapterContract):
    base = BASE

    @pytest.fixture
    def traces(self) -> list[Trace]:
        return corpus(BASE)

    @pytest.fixture
    async def adapter(self, tempo: RealTempo) -> AsyncIterator[Adapter]:
        async with session(tempo.url, headers=tempo.headers, allow_networks=["0.0.0.0/0", "::/0"]) as http:
            yield TempoAdapter(http, max_range_hours=168)
