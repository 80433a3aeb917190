"""A real Jaeger, where there is one: the suite, over both of its APIs."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator

import pytest

from arcane.model.time import NANOS_PER_SECOND
from arcane.model.trace import Trace
from arcane.spi import Adapter
from arcane.spi.testing import AdapterContract, corpus
from datasources.jaeger.adapter import JaegerAdapter
from datasources.jaeger.search import Bounds
from datasources.jaeger.stores import STORES
from tests.support.egress import session
from tests.support.jaeger_model import as_v1
from tests.support.jaeger_server import RealJaeger, real_jaeger
from tests.support.jaeger_standin import FirstApiOnly

BASE = (time.time_ns() // NANOS_PER_SECOND - 900) * NANOS_PER_SECOND


@pytest.fixture(scope="module")
def jaeger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealJaeger]:
    with real_jaeger(tmp_path_factory.mktemp("jaeger")) as found:
        found.push(corpus(BASE))
        yield found


@pytest.mark.connected("jaeger")
class TestRealJaeger(AdapterContract):
    base = BASE
    storage = "memory"

    @pytest.fixture
    def traces(self) -> list[Trace]:
        return corpus(BASE)

    @pytest.fixture
    async def adapter(self, jaeger: RealJaeger) -> AsyncIterator[Adapter]:
        async with session(jaeger.url, allow_networks=["0.0.0.0/0", "::/0"]) as http:
            yield JaegerAdapter(http, STORES[self.storage], Bounds())


@pytest.mark.connected("jaeger")
class TestRealJaegerOfUnknownStorage(TestRealJaeger):
    storage = "unknown"


@pytest.mark.connected("jaeger")
class TestRealJaegerOverTheFirstApi(AdapterContract):
    base = BASE
    storage = "memory"

    @pytest.fixture
    def traces(self) -> list[Trace]:
        return as_v1(corpus(BASE))

    @pytest.fixture
    async def adapter(self, jaeger: RealJaeger) -> AsyncIterator[Adapter]:
        async with session(jaeger.url, allow_networks=["0.0.0.0/0", "::/0"]) as http:
            yield JaegerAdapter(FirstApiOnly(http), STORES[self.storage], Bounds())


@pytest.mark.connected("jaeger")
class TestRealJaegerOverTheFirstApiOfUnknownStorage(TestRealJaegerOverTheFirstApi):
    storage = "unknown"
