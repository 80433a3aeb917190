"""Servers of both contracts pass the suite that every adapter passes, the documentation's own among them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any

import pytest
from aiohttp.web import Request, json_response

from arcane.local.check import check_conformance
from arcane.model.deadline import Deadline
from arcane.model.ids import SpanId, TraceId, parse_trace_id
from arcane.model.span import Span, SpanKind
from arcane.model.time import TimeRange
from arcane.model.trace import Trace
from arcane.settings import EgressSettings, Settings
from arcane.spi import Adapter, ScanRequest
from arcane.spi.testing import AdapterContract, corpus, scan_all
from datasources.custom_api.adapter import ProbingAdapter
from datasources.custom_api.settings import CustomApiSettings
from datasources.custom_api.v1.adapter import FirstContract
from datasources.custom_api.v2.adapter import SecondContract
from tests.support.custom_api import PATHS, answering, example_server, example_source, first_contract, whole
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


@pytest.mark.parametrize("known", ["a1b2c3d4e5f60718", "00b2c3d4e5f60718", "b2c3d4e5f60718", "1" * 31])
async def test_a_server_of_the_first_contract_may_know_ids_without_the_zeros_they_begin_with(known: str) -> None:
    span_id, second = SpanId("1" * 16), 1_000_000_000
    span = Span(parse_trace_id(known), span_id, "", "GET", SpanKind.SERVER, second, 2 * second)
    routes = first_contract([Trace(span.trace_id, [span])])

    def search(request: Request) -> Any:
        return [{"traceID": known, "startTimeUnixNano": str(second)}]

    def trace(request: Request) -> Any:
        if request.match_info["traceId"] != known:
            return json_response({"message": "none"}, status=404)
        return {"batches": whole(Trace(span.trace_id, [span]))["resourceSpans"]}

    routes |= {"GET /traces/search": search, "GET /traces/by-id/{traceId}": trace}
    paths = {name: path for name, path in PATHS.items() if not name.startswith("attribute_")}
    async with answering(routes) as url, session(url) as http:
        adapter = FirstContract(http, settings(url, **paths))
        answer = await scan_all(adapter, ScanRequest(TimeRange(0, 5 * second), limit=10))
        assert await adapter.get_trace(TraceId("f" * 32), None, Deadline.after(5)) is None
    assert [one.trace.spans for one in answer.candidates if one.trace] == [(span,)]
    assert answer.warnings == ()
