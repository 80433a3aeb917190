"""The adapter for Jaeger passes the suite over both of its APIs, whichever storage answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import cache

import pytest

from arcane.model.trace import Trace
from arcane.spi import Adapter
from arcane.spi.testing import AdapterContract, corpus
from datasources.jaeger.adapter import JaegerAdapter
from datasources.jaeger.search import Bounds
from datasources.jaeger.stores import STORES
from tests.support.egress import session
from tests.support.jaeger_model import as_v1
from tests.support.jaeger_standin import Jaeger, serving
from tests.support.jaeger_storages import STORAGES, Storage


@cache
def held(storage: str, base: int) -> Storage:
    return STORAGES[storage](corpus(base))


@cache
def as_v1_once(trace: Trace) -> Trace:
    return as_v1([trace])[0]


class TestJaeger(AdapterContract):
    storage = "memory"
    told = "memory"
    has_v3 = True
    reads_attributes = False

    @pytest.fixture
    def traces(self) -> list[Trace]:
        kept = held(self.storage, self.base)
        return kept.traces if self.has_v3 else [as_v1_once(trace) for trace in kept.traces]

    @pytest.fixture
    async def adapter(self) -> AsyncIterator[Adapter]:
        jaeger = Jaeger(held(self.storage, self.base), has_v3=self.has_v3, reads_attributes=self.reads_attributes)
        async with serving(jaeger), session(jaeger.url) as http:
            yield JaegerAdapter(http, STORES[self.told], Bounds())


class TestJaegerOfWhichNothingIsTold(TestJaeger):
    told = "unknown"


class TestJaegerOverElasticsearch(TestJaeger):
    storage = told = "elasticsearch"
    reads_attributes = True


class TestJaegerOverCassandraOfWhichNothingIsTold(TestJaeger):
    storage = "cassandra"
    told = "unknown"
    has_v3 = False
