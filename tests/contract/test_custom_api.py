"""Servers of both contracts pass the suite that every adapter passes, the documentation's own among them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any

import pytest

from arcane.local.check import check_conformance
from arcane.model.trace import Trace
from arcane.settings import EgressSettings, Settings
from arcane.spi import Adapter
from arcane.spi.testing import AdapterContract, corpus
from datasources.custom_api.adapter import ProbingAdapter
from datasources.custom_api.settings import CustomApiSettings
from datasources.custom_api.v1.adapter import FirstContract
from datasources.custom_api.v2.adapter import SecondContract
from tests.support.custom_api import PATHS, answering, example_server, example_source, first_contract
from tests.support.egress import LOOPBACK, session
from tests.support.second_contract import EVERYTHING, second_contract

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with example_server(tmp_path_factory.mktemp("example"), corpus()) as address:
        yield address


def settings(url: str, **more: Any) -> CustomApiSettings:
    return CustomApiSettings(url=url, **more)


class TestTheExampleOfTheDocumentation(AdapterContract):
    @pytest.fixture
    async def adapter(self, example: str) -> AsyncIterator[Adapter]:
        async with session(example) as http:
            yield ProbingAdapter(http, settings(example))


async def test_the_example_keeps_what_the_conformance_command_asks_for(example: str) -> None:
    said: list[str] = []
    limits = Settings(_env_file=None, egress=EgressSettings(allow_networks=LOOPBACK))
    assert await check_conformance(limits, "custom_api", {"url": example}, said.append), said
    assert said[-1] == "every requirement that could be tried is kept"
    assert any(line.startswith("kept      Rule 1") for line in said)


def test_the_example_has_sixty_lines() -> None:
    assert sum(bool(line.strip()) for line in example_source().splitlines()) <= 60


class TestAServerThatAnswersEverything(AdapterContract):
    document: Mapping[str, Any] = EVERYTHING

    @pytest.fixture
    async def adapter(self, traces: Sequence[Trace]) -> AsyncIterator[Adapter]:
        async with answering(second_contract(traces, self.document)) as url, session(url) as http:
            yield SecondContract(http)


class TestAServerThatAnswersInSummaries(TestAServerThatAnswersEverything):
    document: Mapping[str, Any] = {**EVERYTHING, "answers": "summaries"}


class TestAServerThatAnswersInAnyOrderAndSmallPages(TestAServerThatAnswersEverything):
    document: Mapping[str, Any] = {
        **EVERYTHING,
        "order": "first_found",
        "time_resolution_ns": "1000000000",
        "max_limit": 60,
        "filter": {
            **EVERYTHING["filter"],
            "not": False,
            "rules": [{**EVERYTHING["filter"]["rules"][0], "exact": False}],
        },
    }


class TestTheFirstContract(AdapterContract):
    switches: Mapping[str, bool] = {
        "search_by_attributes": True,
        "search_by_existence": True,
        "search_by_service": True,
    }

    @pytest.fixture
    async def adapter(self, traces: Sequence[Trace]) -> AsyncIterator[Adapter]:
        paths = {name: path for name, path in PATHS.items() if not name.startswith("attribute_")}
        async with answering(first_contract(traces)) as url, session(url) as http:
            yield self.made(http, settings(url, **paths, **self.switches))

    def made(self, http: Any, chosen: CustomApiSettings) -> Adapter:
        return FirstContract(http, chosen)


class TestTheFirstContractThatReadsTraceql(TestTheFirstContract):
    switches: Mapping[str, bool] = {"query_is_traceql": True}

    def made(self, http: Any, chosen: CustomApiSettings) -> Adapter:
        return ProbingAdapter(http, chosen)
